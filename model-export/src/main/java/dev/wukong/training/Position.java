package dev.wukong.training;

/**
 * Where a training stands between two steps.
 *
 * @param epoch whole epochs done
 * @param rows of the epoch that follows them, already trained on
 * @param lossSum over these rows
 * @param recentLoss a running mean; NaN before the first step of an epoch
 * @param nanos spent on these rows
 * @param factor of the learning rates
 * @param best the best validation figure so far
 * @param stale epochs without gain, in a row
 */
record Position(
    int epoch,
    long rows,
    double lossSum,
    double recentLoss,
    long nanos,
    double factor,
    double best,
    int stale) {
  static final Position START = new Position(0, 0, 1, Double.NEGATIVE_INFINITY, 0);

  /** At the beginning of an epoch. */
  Position(int epoch, long rows, double factor, double best, int stale) {
    this(epoch, rows, 0, Double.NaN, 0, factor, best, stale);
  }

  /** After a step over {@code count} rows of mean loss {@code loss}. */
  Position step(int count, float loss, long spent) {
    return new Position(
        epoch,
        rows + count,
        lossSum + (double) loss * count,
        Double.isNaN(recentLoss) ? loss : 0.95 * recentLoss + 0.05 * loss,
        nanos + spent,
        factor,
        best,
        stale);
  }

  /** After an epoch whose validation figure is the best so far. */
  Position gain(double figure) {
    return new Position(epoch + 1, 0, factor, figure, 0);
  }

  /** After an epoch without gain, to go on with {@code lowered} learning rates. */
  Position noGain(double lowered) {
    return new Position(epoch + 1, 0, lowered, best, stale + 1);
  }
}
