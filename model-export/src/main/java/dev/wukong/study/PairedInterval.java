package dev.wukong.study;

/**
 * A mean, or the mean difference of two runs over the same rows, with its 95 % interval, from the
 * spread of the blocks. It knows the noise of the test rows, not that of the seeds.
 */
public record PairedInterval(double mean, double low, double high) {
  // The 97.5 % quantile of the normal distribution.
  private static final double NORMAL = 1.959964;

  /**
   * Run {@code a} minus run {@code b}.
   *
   * @param a sums by block
   * @param b sums by block
   * @param counts what the sums are divided by, by block
   */
  public static PairedInterval of(double[] a, double[] b, double[] counts) {
    double sum = 0;
    double count = 0;
    for (int i = 0; i < counts.length; i++) {
      sum += a[i] - b[i];
      count += counts[i];
    }
    return of(a, b, counts, sum / count, count);
  }

  /** The mean itself: {@code sums} by block, divided by {@code counts}. */
  public static PairedInterval of(double[] sums, double[] counts) {
    return of(sums, new double[sums.length], counts);
  }

  /**
   * The AUC of run {@code a} minus that of {@code b}.
   *
   * @param a sums of placements by block
   * @param b as {@code a}
   * @param shares of the examples in their classes, by block
   */
  static PairedInterval ofAuc(double[] a, double[] b, double[] shares) {
    double sum = 0;
    for (int i = 0; i < shares.length; i++) {
      sum += a[i] - b[i];
    }
    // The sums have the AUC twice, once for each class. Its error is that of both, not their
    // mean's.
    return of(a, b, shares, sum / 2, 1);
  }

  /** The AUC itself. */
  static PairedInterval ofAuc(double[] sums, double[] shares) {
    return ofAuc(sums, new double[sums.length], shares);
  }

  private static PairedInterval of(
      double[] a, double[] b, double[] counts, double mean, double divisor) {
    double squares = 0;
    for (int i = 0; i < counts.length; i++) {
      double off = a[i] - b[i] - mean * counts[i];
      squares += off * off;
    }
    double blocks = counts.length;
    // One block has no spread to tell the error by.
    double error = blocks > 1 ? Math.sqrt(squares * blocks / (blocks - 1)) / divisor : Double.NaN;
    double quantile = quantile(blocks - 1);
    return new PairedInterval(mean, mean - quantile * error, mean + quantile * error);
  }

  /**
   * The 97.5 % quantile of Student's t, by its expansion around the normal distribution (Abramowitz
   * and Stegun 26.7.5): to 0.001 from 10 degrees of freedom on.
   */
  static double quantile(double freedom) {
    double z = NORMAL;
    double square = z * z;
    double first = z * (square + 1) / 4;
    double second = z * ((5 * square + 16) * square + 3) / 96;
    double third = z * (((3 * square + 19) * square + 17) * square - 15) / 384;
    return z + (first + (second + third / freedom) / freedom) / freedom;
  }

  /** Whether it has the difference to one side of 0. */
  boolean excludesZero() {
    return low > 0 || high < 0;
  }

  /** The same in other units. */
  public PairedInterval times(double factor) {
    double one = factor * low;
    double other = factor * high;
    return new PairedInterval(factor * mean, Math.min(one, other), Math.max(one, other));
  }
}
