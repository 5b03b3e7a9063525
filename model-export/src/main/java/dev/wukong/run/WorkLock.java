package dev.wukong.run;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The right to train in a folder: two trainings in one would write over each other's data and
 * checkpoints. One holder at a time among all processes of a machine; it ends with the process.
 */
public final class WorkLock implements AutoCloseable {
  private static final String FILE = ".lock";

  private final FileChannel channel;

  private WorkLock(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Takes the lock without waiting.
   *
   * @param work made where missing
   * @param option that chose it, for the message
   * @throws IOException where another training holds it
   */
  public static WorkLock take(Path work, String option) throws IOException {
    Files.createDirectories(work);
    FileChannel channel =
        FileChannel.open(work.resolve(FILE), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    boolean locked = false;
    try {
      locked = channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      // Held by this process: refused below like any other holder.
    } finally {
      if (!locked) {
        channel.close();
      }
    }
    if (!locked) {
      throw new IOException(
          "the folder '%s' is in use by another training; want another %s, or wait"
              .formatted(work, option));
    }
    return new WorkLock(channel);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
