package dev.wukong.cli;

import dev.wukong.metrics.Metrics;
import dev.wukong.metrics.MetricsCollector;

/**
 * The newest candidates that were scored: what the model said, what was true, what happened. Of
 * bounded size.
 */
final class LiveWindow {
  private final double[] predicted;
  private final double[] truth;
  private final double[] labels;
  private long count;

  LiveWindow(int size) {
    predicted = new double[size];
    truth = new double[size];
    labels = new double[size];
  }

  void add(double probability, double trueProbability, boolean label) {
    int at = (int) (count++ % predicted.length);
    predicted[at] = probability;
    truth[at] = trueProbability;
    labels[at] = label ? 1 : 0;
  }

  /** Candidates ever added. */
  long count() {
    return count;
  }

  private int held() {
    return (int) Math.min(count, predicted.length);
  }

  Metrics metrics() {
    MetricsCollector collector = new MetricsCollector();
    for (int i = 0; i < held(); i++) {
      collector.add(predicted[i], labels[i]);
    }
    return collector.metrics();
  }

  /** What the true probabilities themselves would score on what happened. */
  double bestNormalizedEntropy() {
    MetricsCollector collector = new MetricsCollector();
    for (int i = 0; i < held(); i++) {
      collector.add(truth[i], labels[i]);
    }
    return collector.metrics().normalizedEntropy();
  }
}
