package dev.wukong.serving.figures;

import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.DoubleSupplier;

/** Times at which users come, whatever becomes of those before. One thread. */
final class Arrivals {
  private final DoubleSupplier pauses;
  private final double seconds;
  private final long start = System.nanoTime();
  private double at;

  private Arrivals(DoubleSupplier pauses, double seconds) {
    this.pauses = pauses;
    this.seconds = seconds;
  }

  /**
   * As users come who know nothing of each other, from now on: exponential pauses.
   *
   * @param rate a second
   */
  static Arrivals random(SplittableRandom random, double rate, double seconds) {
    return new Arrivals(() -> -Math.log1p(-random.nextDouble()) / rate, seconds);
  }

  /** At even times from now on, {@code rate} a second. */
  static Arrivals even(double rate, double seconds) {
    return new Arrivals(() -> 1 / rate, seconds);
  }

  /** When they began, as of {@link System#nanoTime}. */
  long start() {
    return start;
  }

  /** Whether another one comes, which is then due. */
  boolean next() {
    at += pauses.getAsDouble();
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
