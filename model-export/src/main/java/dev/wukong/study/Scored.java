package dev.wukong.study;

import java.util.Arrays;

/** The labelled examples of one task of a split with their probabilities, in the split's order. */
final class Scored {
  private int[] rows = new int[1024];
  private float[] probabilities = new float[1024];
  private float[] labels = new float[1024];
  private float[] weights = new float[1024];
  private int size;

  /**
   * Adds the example in row {@code row} of the split; one of weight 0 has no label, and is none.
   */
  void add(int row, float probability, float label, float weight) {
    if (weight <= 0) {
      return;
    }
    if (size == rows.length) {
      int room = Math.multiplyExact(2, size);
      rows = Arrays.copyOf(rows, room);
      probabilities = Arrays.copyOf(probabilities, room);
      labels = Arrays.copyOf(labels, room);
      weights = Arrays.copyOf(weights, room);
    }
    rows[size] = row;
    probabilities[size] = probability;
    labels[size] = label;
    weights[size++] = weight;
  }

  int size() {
    return size;
  }

  /** The examples by ascending probability; equal ones stay in their order. */
  int[] order() {
    long[] keys = new long[size];
    for (int i = 0; i < size; i++) {
      // Bits of floats that are not negative sort as the floats do.
      keys[i] = (long) Float.floatToIntBits(probabilities[i]) << Integer.SIZE | i;
    }
    Arrays.sort(keys);
    return Arrays.stream(keys).mapToInt(key -> (int) key).toArray();
  }

  /** The row of example {@code i} in the split. */
  int row(int i) {
    return rows[i];
  }

  float probability(int i) {
    return probabilities[i];
  }

  float label(int i) {
    return labels[i];
  }

  float weight(int i) {
    return weights[i];
  }
}
