package dev.wukong.study;

/**
 * A mean difference of two runs over the same rows with its 95 % interval, from the spread of the
 * blocks' differences. It knows the noise of the test rows, not that of the seeds.
 */
public record PairedInterval(double mean, double low, double high) {
  // The 97.5 % quantile of Student's t for the 199 degrees of freedom of 200 blocks.
  private static final double QUANTILE = 1.972;

  /**
   * Run {@code a} minus run {@code b}.
   *
   * @param a sums by block
   * @param b sums by block
   * @param counts what the sums are divided by, by block
   */
  static PairedInterval of(double[] a, double[] b, double[] counts) {
    double sum = 0;
    double count = 0;
    for (int i = 0; i < counts.length; i++) {
      sum += a[i] - b[i];
      count += counts[i];
    }
    double mean = sum / count;
    double squares = 0;
    for (int i = 0; i < counts.length; i++) {
      double off = a[i] - b[i] - mean * counts[i];
      squares += off * off;
    }
    double blocks = counts.length;
    double error = Math.sqrt(squares * blocks / (blocks - 1)) / count;
    return new PairedInterval(mean, mean - QUANTILE * error, mean + QUANTILE * error);
  }

  /** Whether it has the difference to one side of 0. */
  boolean excludesZero() {
    return low > 0 || high < 0;
  }

  /** The same in other units. */
  PairedInterval times(double factor) {
    double one = factor * low;
    double other = factor * high;
    return new PairedInterval(factor * mean, Math.min(one, other), Math.max(one, other));
  }
}
