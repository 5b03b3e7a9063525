package dev.wukong.metrics;

import java.util.Locale;

/**
 * How good the predictions of one task are. A figure that the examples do not define (AUC with one
 * class only) is NaN.
 *
 * @param examples with a weight above 0
 * @param weight the sum of their weights
 * @param auc the area under the ROC curve: the share of (positive, negative) pairs in the right
 *     order, ties counting half
 * @param logLoss mean cross-entropy in nats, probabilities clipped to [1e-7, 1 - 1e-7]
 * @param normalizedEntropy logLoss divided by the entropy of the base rate: 1 is no better than
 *     always predicting it
 * @param calibration mean probability divided by mean label: 1 is right
 * @param baseRate mean label
 * @param meanProbability mean predicted probability
 */
public record Metrics(
    long examples,
    double weight,
    double auc,
    double logLoss,
    double normalizedEntropy,
    double calibration,
    double baseRate,
    double meanProbability) {
  private static final double CLIP = 1e-7;

  /** The cross-entropy in nats of a label, 0 to 1, and a probability clipped off 0 and 1. */
  public static double crossEntropy(double probability, double label) {
    double p = clipped(probability);
    if (label == 0 || label == 1) { // Nearly all are, and logarithms are dear.
      return -(label == 1 ? Math.log(p) : Math.log1p(-p));
    }
    return -label * Math.log(p) - (1 - label) * Math.log1p(-p);
  }

  /** The logit of a probability clipped off 0 and 1. */
  public static double logit(double probability) {
    double p = clipped(probability);
    return Math.log(p / (1 - p));
  }

  /** A probability kept off 0 and 1, for logarithms. */
  public static double clipped(double probability) {
    return Math.clamp(probability, CLIP, 1 - CLIP);
  }

  /** The entropy in nats of an event of probability {@code p}. */
  public static double entropy(double p) {
    return p <= 0 || p >= 1 ? 0 : -p * Math.log(p) - (1 - p) * Math.log(1 - p);
  }

  /**
   * The normalized entropy that the true probabilities reach on average: their mean entropy divided
   * by the entropy of their mean. No model can expect less on such rows.
   *
   * @throws IllegalArgumentException if a value is not a probability
   */
  public static double bestNormalizedEntropy(double[] trueProbabilities) {
    double entropy = 0;
    double mean = 0;
    for (double p : trueProbabilities) {
      if (!(p >= 0 && p <= 1)) {
        throw new IllegalArgumentException("'%s' is not a probability, 0 to 1".formatted(p));
      }
      entropy += entropy(p);
      mean += p;
    }
    int rows = trueProbabilities.length;
    return entropy / rows / entropy(mean / rows);
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "auc %.6f, logloss %.6f, ne %.6f, calibration %.4f, base rate %.4f, examples %d",
        auc,
        logLoss,
        normalizedEntropy,
        calibration,
        baseRate,
        examples);
  }
}
