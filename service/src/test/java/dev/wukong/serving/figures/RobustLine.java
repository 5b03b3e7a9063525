package dev.wukong.serving.figures;

import java.util.Arrays;

/**
 * A straight line through measurements that a few odd ones do not turn: the median of the slopes
 * between all pairs (Theil and Sen), with an interval that holds the slope in 95 of 100 cases where
 * the measurements' errors are independent (from the distribution of Kendall's tau).
 *
 * @param slope of y by x
 * @param low the interval's lower end
 * @param high its upper end
 * @param start the line at the first x
 * @param end the line at the last x
 */
record RobustLine(double slope, double low, double high, double start, double end) {
  private static final double NORMAL_95 = 1.96;

  /**
   * The line through the points.
   *
   * @param x strictly ascending; 2 or more
   * @param y as many
   */
  static RobustLine through(double[] x, double[] y) {
    int n = x.length;
    if (n < 2 || y.length != n) {
      throw new IllegalArgumentException(
          "a line needs 2 or more points, given are %d and %d values".formatted(n, y.length));
    }
    double[] slopes = new double[n * (n - 1) / 2];
    int at = 0;
    for (int i = 0; i < n; i++) {
      for (int j = i + 1; j < n; j++) {
        slopes[at++] = (y[j] - y[i]) / (x[j] - x[i]);
      }
    }
    Arrays.sort(slopes);
    double slope = median(slopes);
    double[] rests = new double[n];
    for (int i = 0; i < n; i++) {
      rests[i] = y[i] - slope * x[i];
    }
    Arrays.sort(rests);
    double offset = median(rests);
    double spread = NORMAL_95 * Math.sqrt(n * (n - 1.0) * (2.0 * n + 5) / 18);
    int low = (int) Math.floor((slopes.length - spread) / 2) - 1;
    int high = (int) Math.ceil((slopes.length + spread) / 2);
    return new RobustLine(
        slope,
        slopes[Math.max(0, low)],
        slopes[Math.min(slopes.length - 1, high)],
        offset + slope * x[0],
        offset + slope * x[n - 1]);
  }

  private static double median(double[] sorted) {
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
