package dev.wukong.serving.embedding;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Keeps requests from waiting for a store that does not answer: after some failures in a row nobody
 * asks it for a while, then one read at a time tries whether it is back. Any thread.
 */
final class StoreBreaker {
  /** Failures in a row after which nobody asks. */
  private static final int FAILURES = 5;

  private static final long FIRST_PAUSE = Duration.ofMillis(500).toNanos();
  private static final long LONGEST_PAUSE = Duration.ofSeconds(15).toNanos();

  private final LongSupplier nanoTime;
  private final long longestPause;

  /** Failures since the last success. All fields guarded by this. */
  private int failures;

  private long pause;

  /** When the next read may try, once {@link #FAILURES} have failed. */
  private long next;

  /** Whether a read has been let through since, of which nothing is known yet. */
  private boolean trying;

  StoreBreaker(LongSupplier nanoTime) {
    this(nanoTime, LONGEST_PAUSE);
  }

  /** One that never leaves the store alone for longer than {@code longestPause} nanoseconds. */
  StoreBreaker(LongSupplier nanoTime, long longestPause) {
    this.nanoTime = nanoTime;
    this.longestPause = longestPause;
    this.pause = Math.min(FIRST_PAUSE, longestPause);
  }

  /** Whether the store may be asked now. Who was allowed to tells how that went. */
  synchronized boolean allows() {
    if (failures < FAILURES) {
      return true;
    }
    long now = nanoTime.getAsLong();
    if (now - next < 0) {
      return false;
    }
    next = now + pause; // The others wait for how this one fares.
    trying = true;
    return true;
  }

  /** Whether the store is left alone now. */
  synchronized boolean open() {
    return failures >= FAILURES;
  }

  /** Says that a read went well. */
  synchronized void succeeded() {
    failures = 0;
    pause = Math.min(FIRST_PAUSE, longestPause);
    trying = false;
  }

  /** Says that a read failed, or was waited for in vain. */
  synchronized void failed() {
    failures++;
    if (failures == FAILURES) {
      next = nanoTime.getAsLong() + pause;
    } else if (failures > FAILURES && trying) {
      // Only of a try: what was under way before says nothing that is not known.
      trying = false;
      pause = Math.min(2 * pause, longestPause);
      next = nanoTime.getAsLong() + pause;
    }
  }
}
