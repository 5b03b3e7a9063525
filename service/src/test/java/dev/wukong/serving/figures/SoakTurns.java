package dev.wukong.serving.figures;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Something done over and over during a soak on a thread of its own, with how often it was done and
 * how often it went wrong. Counts may be read by any thread.
 */
final class SoakTurns implements AutoCloseable {
  /** What is done until {@link #stopped}. */
  @FunctionalInterface
  interface Work {
    void run() throws InterruptedException;
  }

  private final Thread thread;
  private final AtomicLong made = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();
  private volatile boolean stop;
  private volatile String what = "";

  /** Work that begins with {@link #start}. */
  SoakTurns(String name, Work work) {
    thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              } catch (RuntimeException e) {
                failed("ended: " + e);
              }
            },
            name);
  }

  void start() {
    thread.start();
  }

  /** Whether the work is to end. */
  boolean stopped() {
    return stop;
  }

  /** Counts a turn. */
  void made() {
    made.incrementAndGet();
  }

  /** Counts what went wrong. */
  void failed(String description) {
    failed.incrementAndGet();
    what = description;
  }

  /** Turns so far. */
  long count() {
    return made.get();
  }

  /** How often something went wrong. */
  long failures() {
    return failed.get();
  }

  /** What went wrong last. */
  String lastFailure() {
    return what;
  }

  /** Ends after the turn under way. */
  @Override
  public void close() {
    stop = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
