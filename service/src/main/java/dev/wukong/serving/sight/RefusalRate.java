package dev.wukong.serving.sight;

import java.util.concurrent.TimeUnit;

/** Lets a few refusals a second be told and counts the others. Any thread. */
final class RefusalRate {
  /** What {@link #take} says where nothing is to be told. */
  static final long LEFT_OUT = -1;

  private final int most;
  private long second = Long.MIN_VALUE;
  private int told;
  private long leftOut;

  /**
   * A rate of which nothing is used yet.
   *
   * @param most a second
   */
  RefusalRate(int most) {
    this.most = most;
  }

  /**
   * Takes one of the second in which {@code now}, in nanoseconds, lies.
   *
   * @return how many have been left out since the last that was told; {@link #LEFT_OUT} where this
   *     one is, too
   */
  synchronized long take(long now) {
    long current = Math.floorDiv(now, TimeUnit.SECONDS.toNanos(1));
    if (current > second) {
      second = current;
      told = 0;
    }
    if (told >= most) {
      leftOut++;
      return LEFT_OUT;
    }
    told++;
    long before = leftOut;
    leftOut = 0;
    return before;
  }
}
