package dev.wukong.serving.retraining;

import dev.wukong.metrics.Metrics;

/**
 * How good probabilities were that were given before their outcome was known: sums over the last
 * examples, older ones fading. One thread adds, any may read.
 */
final class ProgressiveValidation {
  /** The weight of what came before an example: half is of the last 35,000. */
  private static final double FADE = 1 - 1.0 / 50_000;

  /** Replaced as a whole, so that a reader sees sums that belong together. */
  private record Sums(double weight, double loss, double labels, double probabilities) {}

  private volatile Sums sums = new Sums(0, 0, 0, 0);

  /** An example of which {@code p} was said and {@code label} came. */
  void add(double p, double label, double weight) {
    double loss = Metrics.crossEntropy(p, label);
    Sums before = sums;
    sums =
        new Sums(
            before.weight * FADE + weight,
            before.loss * FADE + weight * loss,
            before.labels * FADE + weight * label,
            before.probabilities * FADE + weight * p);
  }

  /** Log loss by that of the mean label; NaN where all labels are the same. */
  double normalizedEntropy() {
    Sums now = sums;
    double mean = now.labels / now.weight;
    return mean <= 0 || mean >= 1 ? Double.NaN : now.loss / now.weight / Metrics.entropy(mean);
  }

  /** Mean probability by mean label; NaN where no label is positive. */
  double calibration() {
    Sums now = sums;
    return now.labels == 0 ? Double.NaN : now.probabilities / now.labels;
  }
}
