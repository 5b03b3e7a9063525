package dev.wukong.simulator;

import dev.wukong.metrics.Metrics;
import java.util.Arrays;

/** Probability of a score: the logistic function of a line. */
record Logistic(double scale, double bias) {
  private static final int STEPS = 40;

  double probability(double score) {
    return 1 / (1 + Math.exp(-(scale * score + bias)));
  }

  /**
   * The line by which {@code scores} have mean probability {@code rate} and best normalized entropy
   * {@code entropy}.
   */
  static Logistic fit(double[] scores, double rate, double entropy) {
    double low = 0;
    double high = 30;
    for (int i = 0; i < STEPS; i++) {
      double middle = (low + high) / 2;
      Logistic tried = withRate(scores, middle, rate);
      double[] truth = Arrays.stream(scores).map(tried::probability).toArray();
      if (Metrics.bestNormalizedEntropy(truth) > entropy) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return withRate(scores, high, rate);
  }

  private static Logistic withRate(double[] scores, double scale, double rate) {
    double low = -100;
    double high = 100;
    for (int i = 0; i < STEPS; i++) {
      Logistic tried = new Logistic(scale, (low + high) / 2);
      double mean = Arrays.stream(scores).map(tried::probability).average().orElse(0);
      if (mean < rate) {
        low = tried.bias();
      } else {
        high = tried.bias();
      }
    }
    return new Logistic(scale, (low + high) / 2);
  }
}
