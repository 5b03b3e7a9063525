package dev.wukong.data;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A file that is whole or not there: written beside its place under the name {@code <name>.part},
 * made durable, then renamed. Closed before {@link #commit}, or killed at any point, it leaves what
 * was in its place before. One thread.
 */
public final class WholeFile implements AutoCloseable {
  private final Path file;
  private final Path part;
  private final FileChannel channel;

  private WholeFile(Path file, Path part, FileChannel channel) {
    this.file = file;
    this.part = part;
    this.channel = channel;
  }

  /** Begins {@code file}; what an earlier writer left beside it is overwritten. */
  @SuppressWarnings("MustBeClosedChecker") // This closes it.
  public static WholeFile create(Path file) throws IOException {
    Path part = file.resolveSibling(file.getFileName() + ".part");
    return new WholeFile(
        file,
        part,
        FileChannel.open(
            part,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE));
  }

  /** Where it lies until it is whole. */
  public Path part() {
    return part;
  }

  /** Where its bytes go. */
  public FileChannel channel() {
    return channel;
  }

  /** Puts the file in its place: the bytes reach the disk before the name does. */
  public void commit() throws IOException {
    channel.force(true);
    channel.close();
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    Path folder = file.toAbsolutePath().getParent();
    if (folder != null) {
      try (FileChannel entries = FileChannel.open(folder, StandardOpenOption.READ)) {
        entries.force(true);
      }
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
    Files.deleteIfExists(part);
  }
}
