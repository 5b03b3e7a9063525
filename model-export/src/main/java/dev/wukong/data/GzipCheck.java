package dev.wukong.data;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Unpacks a gzip file beside whoever reads it, on a thread of its own, and compares the check sums:
 * DuckDB does not look at them, and takes damaged data for good. One thread calls it.
 */
final class GzipCheck implements AutoCloseable {
  private final Path file;
  private final Thread thread;
  private volatile boolean closed;
  private volatile @Nullable IOException failure;

  private GzipCheck(Path file) {
    this.file = file;
    this.thread = Thread.ofPlatform().daemon().name("gzip-check").unstarted(this::unpack);
  }

  static GzipCheck start(Path file) {
    GzipCheck check = new GzipCheck(file);
    check.thread.start();
    return check;
  }

  private void unpack() {
    byte[] block = new byte[1 << 16];
    try (InputStream raw = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
        InputStream plain = new GZIPInputStream(raw, 1 << 16)) {
      while (!closed && plain.read(block) >= 0) {
        // The stream compares the sums itself when it comes to the end.
      }
    } catch (IOException e) {
      failure = e;
    }
  }

  /**
   * Waits for the end of the file.
   *
   * @throws DataException if the file is damaged
   */
  void finish() {
    join();
    IOException found = failure;
    if (found != null) {
      throw TextFiles.unreadable(file, found);
    }
  }

  private void join() {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DataException("reading %s was interrupted".formatted(file), e);
    }
  }

  /** Ends the thread, if it is still at work. */
  @Override
  public void close() {
    closed = true;
    join();
  }
}
