package dev.wukong.cli;

import dev.wukong.metrics.Metrics;
import java.util.Arrays;

/**
 * The newest candidates that were scored: what each of some scorers said, and what happened. Of
 * bounded size.
 */
final class LiveWindow {
  private final double[][] predicted; // [scorers, size]
  private final double[] labels;
  private long count;

  LiveWindow(int size, int scorers) {
    predicted = new double[scorers][size];
    labels = new double[size];
  }

  /**
   * Adds a candidate.
   *
   * @param label whether it happened
   * @param probabilities of it, by scorer
   */
  void add(boolean label, double... probabilities) {
    int at = (int) (count++ % labels.length);
    for (int scorer = 0; scorer < predicted.length; scorer++) {
      predicted[scorer][at] = probabilities[scorer];
    }
    labels[at] = label ? 1 : 0;
  }

  /** Candidates that it holds. */
  int held() {
    return (int) Math.min(count, labels.length);
  }

  /** By scorer; no finite number while all have happened, or none. */
  double[] normalizedEntropies() {
    return Arrays.stream(predicted).mapToDouble(this::normalizedEntropy).toArray();
  }

  private double normalizedEntropy(double[] probabilities) {
    double loss = 0;
    double happened = 0;
    for (int i = 0; i < held(); i++) {
      loss += Metrics.crossEntropy(probabilities[i], labels[i]);
      happened += labels[i];
    }
    return loss / held() / Metrics.entropy(happened / held());
  }
}
