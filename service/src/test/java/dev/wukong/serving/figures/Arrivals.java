package dev.wukong.serving.figures;

import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;

/**
 * Times at which users come, whatever becomes of those before: exponential pauses, the same ones in
 * every run. One thread.
 */
final class Arrivals {
  private final SplittableRandom random;
  private final double rate;
  private final double seconds;
  private final long start = System.nanoTime();
  private double at;

  /**
   * Arrivals from now on.
   *
   * @param rate a second
   */
  Arrivals(SplittableRandom random, double rate, double seconds) {
    this.random = random;
    this.rate = rate;
    this.seconds = seconds;
  }

  /** When they began, as of {@link System#nanoTime}. */
  long start() {
    return start;
  }

  /** Whether another one comes, which is then due. */
  boolean next() {
    at += -Math.log1p(-random.nextDouble()) / rate;
    if (at >= seconds) {
      return false;
    }
    for (long left = due() - System.nanoTime(); left > 0; left = due() - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
    return true;
  }

  /** When the last one was meant to come. */
  long due() {
    return start + (long) (at * 1e9);
  }
}
