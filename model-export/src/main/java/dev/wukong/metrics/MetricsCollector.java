package dev.wukong.metrics;

import java.util.Arrays;

/**
 * Collects the predictions of one task and makes its {@link Metrics}. Keeps 24 bytes an example.
 * Not thread-safe.
 */
public final class MetricsCollector {

  private double[] probabilities = new double[1024];
  private double[] labels = new double[1024];
  private double[] weights = new double[1024];
  private int size;

  /** Adds one example of weight 1. */
  public void add(double probability, double label) {
    add(probability, label, 1);
  }

  /**
   * Adds one example; one of weight 0 is ignored.
   *
   * @throws IllegalArgumentException if the probability is not in [0, 1], the label is not 0 or 1,
   *     or the weight is negative or not finite
   */
  public void add(double probability, double label, double weight) {
    if (!(probability >= 0 && probability <= 1)) {
      throw new IllegalArgumentException(
          "example %d: '%s' is not a probability, 0 to 1".formatted(size, probability));
    }
    if (label != 0 && label != 1) {
      throw new IllegalArgumentException(
          "example %d: label '%s'; 0 or 1 is needed".formatted(size, label));
    }
    if (!(weight >= 0) || Double.isInfinite(weight)) {
      throw new IllegalArgumentException(
          "example %d: weight '%s'; a finite weight of at least 0 is needed"
              .formatted(size, weight));
    }
    if (weight == 0) {
      return;
    }
    if (size == probabilities.length) {
      int room = Math.addExact(size, size);
      probabilities = Arrays.copyOf(probabilities, room);
      labels = Arrays.copyOf(labels, room);
      weights = Arrays.copyOf(weights, room);
    }
    probabilities[size] = probability;
    labels[size] = label;
    weights[size] = weight;
    size++;
  }

  /** Examples added, those of weight 0 left out. */
  public int size() {
    return size;
  }

  /** The metrics of all examples added so far. */
  public Metrics metrics() {
    double weight = 0;
    double positive = 0;
    double negative = 0;
    double predicted = 0;
    double loss = 0;
    for (int i = 0; i < size; i++) {
      weight += weights[i];
      positive += weights[i] * labels[i];
      negative += weights[i] * (1 - labels[i]);
      predicted += weights[i] * probabilities[i];
      loss += weights[i] * Metrics.crossEntropy(probabilities[i], labels[i]);
    }
    double baseRate = positive / weight;
    double logLoss = loss / weight;
    return new Metrics(
        size,
        weight,
        auc(positive, negative),
        logLoss,
        baseRate > 0 && baseRate < 1 ? logLoss / Metrics.entropy(baseRate) : Double.NaN,
        positive > 0 ? predicted / positive : Double.NaN,
        baseRate,
        predicted / weight);
  }

  private double auc(double positive, double negative) {
    if (!(positive > 0 && negative > 0)) {
      return Double.NaN;
    }
    int[] order = order();
    double below = 0; // weight of negatives with a smaller probability
    double right = 0; // weight of pairs in the right order
    for (int i = 0; i < size; ) {
      double tiedPositive = 0;
      double tiedNegative = 0;
      double score = probabilities[order[i]];
      for (; i < size && probabilities[order[i]] == score; i++) {
        if (labels[order[i]] == 1) {
          tiedPositive += weights[order[i]];
        } else {
          tiedNegative += weights[order[i]];
        }
      }
      right += tiedPositive * (below + tiedNegative / 2);
      below += tiedNegative;
    }
    return right / (positive * negative);
  }

  /**
   * The examples' places by ascending probability. Merge sort on a pair of int arrays: nothing is
   * boxed.
   */
  private int[] order() {
    int[] from = new int[size];
    int[] to = new int[size];
    Arrays.setAll(from, i -> i);
    for (int width = 1; width < size; width = width > size / 2 ? size : width * 2) {
      for (long low = 0; low < size; low += 2L * width) {
        merge(
            from,
            to,
            (int) low,
            (int) Math.min(low + width, size),
            (int) Math.min(low + 2L * width, size));
      }
      int[] swapped = from;
      from = to;
      to = swapped;
    }
    return from;
  }

  private void merge(int[] from, int[] to, int low, int middle, int high) {
    int left = low;
    int right = middle;
    for (int i = low; i < high; i++) {
      boolean takeLeft =
          right >= high
              || (left < middle && probabilities[from[left]] <= probabilities[from[right]]);
      to[i] = from[takeLeft ? left++ : right++];
    }
  }
}
