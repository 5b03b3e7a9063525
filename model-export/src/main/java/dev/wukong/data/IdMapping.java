package dev.wukong.data;

import java.util.List;

/**
 * How a raw value becomes an id. In every mapping {@link RowKey#UNSEEN} is the id of values never
 * seen in training and {@link RowKey#MISSING} that of an absent value; the values' own ids start at
 * {@link RowKey#FIRST}.
 */
public sealed interface IdMapping {
  /**
   * Values seen at least {@code minCount} times in the training data, numbered by first appearance.
   */
  record Vocabulary(int minCount) implements IdMapping {}

  /**
   * The published 64-bit hash of the value, modulo {@code buckets}; 0 buckets: the whole id space
   * of 2^48.
   */
  record Hash(long buckets) implements IdMapping {}

  /**
   * A number's place among ascending {@code boundaries}: the count of boundaries at or below it.
   */
  record Buckets(List<Double> boundaries) implements IdMapping {
    public Buckets {
      boundaries = List.copyOf(boundaries);
    }
  }
}
