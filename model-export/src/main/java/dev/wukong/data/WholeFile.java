package dev.wukong.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A file that is whole or not there: written beside its place, usually as {@code <name>.part}, made
 * durable, then renamed. Closed before {@link #commit}, or killed at any point, it leaves what was
 * in its place before. One thread.
 */
public final class WholeFile implements AutoCloseable {
  private static final String PART = ".part";

  private final Path file;
  private final Path part;
  private final FileChannel channel;

  private WholeFile(Path file, Path part, FileChannel channel) {
    this.file = file;
    this.part = part;
    this.channel = channel;
  }

  /** Begins {@code file}; what an earlier writer left beside it is overwritten. */
  public static WholeFile create(Path file) throws IOException {
    return create(file, file.resolveSibling(file.getFileName() + PART));
  }

  /**
   * Begins {@code file} under a name that no other process writes to meanwhile.
   *
   * @param part where it lies until it is whole, on the same disk
   */
  @SuppressWarnings("MustBeClosedChecker") // This closes it.
  public static WholeFile create(Path file, Path part) throws IOException {
    return new WholeFile(
        file,
        part,
        FileChannel.open(
            part,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE));
  }

  /**
   * Begins a file that somebody named. A link is followed: what it names is replaced and not the
   * link. No part stays behind where Ctrl-C ends the program.
   *
   * @param suffix of the part's name
   */
  public static WholeFile createNamed(Path file, String suffix) throws IOException {
    Path named = Files.exists(file) ? file.toRealPath() : file;
    WholeFile whole = create(named, named.resolveSibling(named.getFileName() + suffix));
    whole.part.toFile().deleteOnExit(); // Ctrl-C does not close it.
    return whole;
  }

  /** Writes {@code text} in UTF-8 to a file that somebody named. */
  public static void write(Path file, String text) throws IOException {
    try (WholeFile whole = createNamed(file, PART)) {
      ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        int _ = whole.channel().write(bytes);
      }
      whole.commit();
    } catch (IOException e) {
      throw FileProblem.named(file, e);
    }
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
