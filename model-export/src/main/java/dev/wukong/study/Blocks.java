package dev.wukong.study;

import dev.wukong.metrics.Metrics;

/**
 * Sums over blocks of consecutive test rows: two runs on the same rows are compared block by block,
 * so that what makes a block hard for both falls out of the difference.
 *
 * @param weights of the labelled examples, by block
 * @param logLoss the sum of their weighted cross-entropies in nats
 * @param rows of the split, by block
 * @param excess the sum over all rows of KL(true || predicted) in nats; empty where the truth is
 *     not known
 * @param placements of the labelled examples, for the AUC
 */
public record Blocks(
    double[] weights, double[] logLoss, double[] rows, double[] excess, Placements placements) {
  /** How many blocks there are, where there are as many rows. */
  static final int BLOCKS = 200;

  /** The blocks of one task without truth. */
  static Blocks of(Scored scored, int rows) {
    int blocks = Math.min(BLOCKS, rows);
    double[] weights = new double[blocks];
    double[] logLoss = new double[blocks];
    double[] counts = new double[blocks];
    for (int row = 0; row < rows; row++) {
      counts[block(row, rows, blocks)]++;
    }
    int[] blockOf = new int[scored.size()];
    for (int i = 0; i < scored.size(); i++) {
      int block = block(scored.row(i), rows, blocks);
      blockOf[i] = block;
      weights[block] += scored.weight(i);
      logLoss[block] +=
          scored.weight(i) * Metrics.crossEntropy(scored.probability(i), scored.label(i));
    }
    return new Blocks(
        weights, logLoss, counts, new double[0], Placements.of(scored, blockOf, blocks));
  }

  /**
   * The same with the truth.
   *
   * @param predicted by row of the split
   * @param truth as predicted
   */
  Blocks with(float[] predicted, double[] truth) {
    double[] sums = new double[rows.length];
    for (int row = 0; row < truth.length; row++) {
      sums[block(row, truth.length, sums.length)] += divergence(truth[row], predicted[row]);
    }
    return new Blocks(weights, logLoss, rows, sums, placements);
  }

  private static int block(int row, int rows, int blocks) {
    return (int) ((long) row * blocks / rows);
  }

  /** KL(Bernoulli(p) || Bernoulli(q)) in nats, q kept off 0 and 1. */
  static double divergence(double p, double q) {
    double clipped = Metrics.clipped(q);
    double hit = p > 0 ? p * Math.log(p / clipped) : 0;
    double miss = p < 1 ? (1 - p) * (Math.log1p(-p) - Math.log1p(-clipped)) : 0;
    return hit + miss;
  }

  /** Whether the truth is known. */
  boolean excessKnown() {
    return excess.length > 0;
  }

  /** The mean over all rows of KL(true || predicted) in nats; NaN where the truth is not known. */
  double meanExcess() {
    double sum = 0;
    double count = 0;
    for (int b = 0; b < excess.length; b++) {
      sum += excess[b];
      count += rows[b];
    }
    return sum / count;
  }
}
