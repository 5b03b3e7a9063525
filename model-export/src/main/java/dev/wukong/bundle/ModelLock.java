package dev.wukong.bundle;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The right to write bundles of one model: one holder at a time among all processes of a machine.
 * It ends with the process, so whoever holds it knows that every temporary folder is a leftover.
 */
final class ModelLock implements AutoCloseable {
  private final FileChannel channel;

  private ModelLock(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Takes the lock without waiting.
   *
   * @param folder the model's folder
   * @throws BundleException if another writer holds it
   */
  static ModelLock take(Path folder) throws IOException {
    FileChannel channel =
        FileChannel.open(
            folder.resolve(BundleNames.LOCK),
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            LinkOption.NOFOLLOW_LINKS);
    boolean locked = false;
    try {
      FileLock lock = channel.tryLock();
      locked = lock != null;
    } catch (OverlappingFileLockException e) {
      // Held by this process: refused below like any other holder.
    } finally {
      if (!locked) {
        channel.close();
      }
    }
    if (!locked) {
      throw new BundleException(
          "%s: another writer is at work, one bundle of a model is written at a time"
              .formatted(folder));
    }
    return new ModelLock(channel);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
