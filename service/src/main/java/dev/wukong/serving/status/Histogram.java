package dev.wukong.serving.status;

import io.micrometer.core.instrument.distribution.CountAtBucket;
import io.micrometer.core.instrument.distribution.HistogramSnapshot;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/**
 * How many measurements a timer has taken since the start, and how many of them were no longer than
 * each of its bounds. One thread.
 */
final class Histogram {
  private static final double[] NONE = {};

  private long count;
  private double[] bounds = NONE; // Milliseconds, ascending.
  private double[] below = NONE;

  /** Adds what another timer of the same buckets has measured; of others only the number counts. */
  void add(HistogramSnapshot snapshot) {
    CountAtBucket[] buckets = snapshot.histogramCounts();
    double[] own = new double[buckets.length];
    for (int i = 0; i < own.length; i++) {
      own[i] = buckets[i].bucket(TimeUnit.MILLISECONDS);
    }
    if (count == 0) {
      bounds = own;
      below = new double[own.length];
    }
    count += snapshot.count();
    if (Arrays.equals(bounds, own)) {
      for (int i = 0; i < own.length; i++) {
        below[i] += buckets[i].count();
      }
    }
  }

  /** Measurements since the start. */
  long count() {
    return count;
  }

  /**
   * The time in milliseconds that a share of the measurements since {@code before} did not pass,
   * between two bounds as if measurements were spread evenly there.
   *
   * @param share 0 to 1
   * @return NaN where there were no measurements, or there are no buckets
   */
  double quantileSince(Histogram before, double share) {
    boolean same = Arrays.equals(bounds, before.bounds);
    double all = 0;
    for (int i = 0; i < below.length; i++) {
      all = Math.max(all, since(before, same, i));
    }
    // What is beyond the last bound is known by the count only.
    all = Math.max(all, (double) (count - before.count));
    if (all <= 0 || below.length == 0) {
      return Double.NaN;
    }
    double rank = share * all;
    double lower = 0;
    double under = 0;
    for (int i = 0; i < below.length; i++) {
      double to = since(before, same, i);
      if (to >= rank && to > under) {
        return Double.isInfinite(bounds[i])
            ? lower
            : lower + (bounds[i] - lower) * Math.max(0, rank - under) / (to - under);
      }
      lower = bounds[i];
      under = Math.max(under, to);
    }
    return lower;
  }

  private double since(Histogram before, boolean same, int bucket) {
    return same ? below[bucket] - before.below[bucket] : below[bucket];
  }
}
