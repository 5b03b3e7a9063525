package dev.wukong.cli;

import dev.wukong.data.WholeFile;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * What a command writes to {@code --out}: whole or not there, so that a command which fails leaves
 * an earlier result as it was. A link is followed; a pipe or a terminal is written to directly. One
 * thread.
 */
final class OutputFile implements AutoCloseable {
  private final OutputStream stream;
  private final @Nullable WholeFile whole;

  private OutputFile(OutputStream stream, @Nullable WholeFile whole) {
    this.stream = stream;
    this.whole = whole;
  }

  /**
   * Refuses a file that cannot be written, or that the command reads; touches nothing.
   *
   * @throws IOException with the reason
   */
  static void check(Path out, Path... inputs) throws IOException {
    if (Files.isDirectory(out)) {
      throw new IOException("--out is '" + out + "', a folder; want a file");
    }
    Path folder = out.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new IOException("--out is '" + out + "', but there is no folder '" + folder + "'");
    }
    for (Path input : inputs) {
      if (Files.exists(out) && Files.exists(input) && Files.isSameFile(out, input)) {
        throw new IOException(
            "--out is '" + out + "', the same file as the data '" + input + "'; want another one");
      }
    }
  }

  /** Begins {@code out}, which {@link #check} let pass. */
  @SuppressWarnings("MustBeClosedChecker") // This closes it.
  static OutputFile create(Path out) throws IOException {
    if (Files.exists(out) && !Files.isRegularFile(out)) {
      return new OutputFile(Files.newOutputStream(out), null);
    }
    // Two commands may write the same file: the last one's stays, and neither has parts of both.
    WholeFile whole =
        WholeFile.createNamed(out, ".%08x.part".formatted(ThreadLocalRandom.current().nextInt()));
    return new OutputFile(Channels.newOutputStream(whole.channel()), whole);
  }

  /** Where its bytes go, without a buffer. Closing it ends nothing: the file is still to come. */
  OutputStream stream() {
    return new FilterOutputStream(stream) {
      @Override
      public void write(byte[] bytes, int from, int length) throws IOException {
        out.write(bytes, from, length);
      }

      @Override
      public void close() throws IOException {
        flush();
      }
    };
  }

  /** Puts the file in its place; what writers hold back must have been flushed. */
  void commit() throws IOException {
    if (whole != null) {
      whole.commit();
    }
  }

  @Override
  public void close() throws IOException {
    if (whole != null) {
      whole.close();
    } else {
      stream.close();
    }
  }
}
