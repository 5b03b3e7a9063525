package dev.wukong.serving.retraining;

import dev.wukong.metrics.Metrics;
import dev.wukong.study.PairedInterval;
import java.util.Arrays;
import java.util.List;

/**
 * Log losses of several models over the same requests, by hour; of the exact probabilities, too.
 * Each is the mean over what may come of a candidate, by its exact probability, so that chance in
 * the labels is none of the noise. One thread.
 */
final class HourlyLosses {
  private final double[][] losses; // [models, hours]
  private final double[] best;
  private final double[] positives;
  private final double[] counts;

  HourlyLosses(int models, int hours) {
    this.losses = new double[models][hours];
    this.best = new double[hours];
    this.positives = new double[hours];
    this.counts = new double[hours];
  }

  /**
   * A request of an hour.
   *
   * @param truth [candidates]
   * @param given [candidates] by each of the models
   */
  void add(int hour, double[] truth, List<float[]> given) {
    for (int i = 0; i < truth.length; i++) {
      double p = truth[i];
      best[hour] += Metrics.entropy(p);
      positives[hour] += p;
      counts[hour]++;
      for (int model = 0; model < losses.length; model++) {
        double q = given.get(model)[i];
        losses[model][hour] +=
            p * Metrics.crossEntropy(q, 1) + (1 - p) * Metrics.crossEntropy(q, 0);
      }
    }
  }

  /** Candidates. */
  double count() {
    return Arrays.stream(counts).sum();
  }

  /** The mean exact probability. */
  double rate() {
    return Arrays.stream(positives).sum() / count();
  }

  private double entropy() {
    return Metrics.entropy(rate());
  }

  /** The normalized entropy of a model. */
  double normalized(int model) {
    return Arrays.stream(losses[model]).sum() / count() / entropy();
  }

  /** The least that one can expect: that of the exact probabilities. */
  double best() {
    return Arrays.stream(best).sum() / count() / entropy();
  }

  /**
   * By how much {@code model} has a lower normalized entropy than {@code other}, over the hours.
   */
  PairedInterval gain(int model, int other) {
    return PairedInterval.of(losses[other], losses[model], counts).times(1 / entropy());
  }

  /** Which share of what {@code other} lacks to the best {@code model} makes up for. */
  PairedInterval closed(int model, int other) {
    double[] gaps = new double[best.length];
    Arrays.setAll(gaps, hour -> losses[other][hour] - best[hour]);
    return PairedInterval.of(losses[other], losses[model], gaps);
  }

  /** The same of one hour. */
  double closed(int model, int other, int hour) {
    return (losses[other][hour] - losses[model][hour]) / (losses[other][hour] - best[hour]);
  }

  /** The normalized entropy of a model in an hour, by the entropy of all hours. */
  double normalized(int model, int hour) {
    return losses[model][hour] / counts[hour] / entropy();
  }
}
