package dev.wukong.serving.figures;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** Reads a server's resident memory each second, on a thread of its own, and keeps the largest. */
final class LargestMemory implements AutoCloseable {
  private static final long EVERY_MILLIS = 1000;

  private final ServerUnderTest server;
  private final Thread thread = new Thread(this::read, "largest-memory");
  private volatile long largest;

  /** Begins at once. */
  LargestMemory(ServerUnderTest server) {
    this.server = server;
    thread.start();
  }

  private void read() {
    try {
      while (true) {
        largest = Math.max(largest, server.residentBytes());
        TimeUnit.MILLISECONDS.sleep(EVERY_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      largest = Long.MAX_VALUE; // A server that cannot be read has ended: not what is asked for.
    }
  }

  /** Ends; the largest that was read, in bytes. */
  long stop() throws InterruptedException {
    close();
    thread.join();
    return largest;
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
