package dev.wukong.data;

import java.util.List;

/**
 * How a raw value becomes an id. In every mapping {@link RowKey#UNSEEN} is the id of values never
 * seen in training and {@link RowKey#MISSING} that of an absent value; the values' own ids start at
 * {@link RowKey#FIRST}.
 */
public sealed interface IdMapping {
  /** Ids of the unbounded hash: all that a row key holds but the two reserved ones. */
  long HASH_SPACE = RowKey.ID_LIMIT - RowKey.FIRST;

  /**
   * Values seen at least {@code minCount} times in the training data, numbered by first appearance.
   */
  record Vocabulary(int minCount) implements IdMapping {
    public Vocabulary {
      if (minCount < 1) {
        throw new DataException("min_count is %d; at least 1 is needed".formatted(minCount));
      }
    }
  }

  /**
   * The published 64-bit hash of the value, modulo {@code buckets}; 0 buckets: the whole id space
   * of 2^48.
   */
  record Hash(long buckets) implements IdMapping {
    public Hash {
      if (buckets < 0 || buckets > HASH_SPACE) {
        throw new DataException(
            "hash buckets are %d; 1 to %d are allowed, or 0 for the whole id space"
                .formatted(buckets, HASH_SPACE));
      }
    }
  }

  /**
   * A number's place among ascending {@code boundaries}: the count of boundaries at or below it.
   */
  record Buckets(List<Double> boundaries) implements IdMapping {
    public Buckets {
      boundaries = List.copyOf(boundaries);
      double last = Double.NEGATIVE_INFINITY;
      for (double boundary : boundaries) {
        if (!Double.isFinite(boundary) || boundary <= last) {
          throw new DataException(
              "bucket boundary %s stands after %s; finite, strictly ascending numbers are allowed"
                  .formatted(boundary, last));
        }
        last = boundary;
      }
    }
  }
}
