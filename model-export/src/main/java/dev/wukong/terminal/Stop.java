package dev.wukong.terminal;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Makes Ctrl-C an ordinary end: the loop that asks {@link #asked} leaves by itself, and the process
 * waits for {@link #close}.
 */
public final class Stop implements AutoCloseable {
  private static final Duration END = Duration.ofSeconds(20);

  private final CountDownLatch asked = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread hook = new Thread(this::end, "stop");
  private final Duration end;
  private boolean hooked;

  private Stop(Duration end, boolean now) {
    this.end = end;
    if (now) {
      hook();
    }
  }

  public Stop() {
    this(END);
  }

  /**
   * @param end how long the process waits for {@link #close} at most
   */
  public Stop(Duration end) {
    this(end, true);
  }

  /**
   * One that leaves Ctrl-C as it is until somebody asks for the first time: of a loop that begins
   * with work which can be cut off at any moment.
   */
  public static Stop onceAsked(Duration end) {
    return new Stop(end, false);
  }

  private synchronized void hook() {
    if (!hooked) {
      hooked = true;
      try {
        Runtime.getRuntime().addShutdownHook(hook);
      } catch (IllegalStateException e) {
        asked.countDown(); // The process ends already.
      }
    }
  }

  /** Whether the process is to end. */
  public boolean asked() {
    hook();
    return asked.getCount() == 0;
  }

  /**
   * Whether the process is to end within a second: Ctrl-C reaches child processes too, perhaps
   * before this one.
   */
  public boolean comes() {
    return wait(asked, 1);
  }

  private void end() {
    asked.countDown();
    boolean _ = wait(ended, end.toSeconds());
  }

  private static boolean wait(CountDownLatch latch, long seconds) {
    try {
      return latch.await(seconds, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Override
  public synchronized void close() {
    ended.countDown();
    if (hooked && !asked()) {
      try {
        boolean _ = Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        // The process ends just now; the hook finds that there is nothing to wait for.
      }
    }
  }
}
