package dev.wukong.data;

import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;

/**
 * Turns the raw values of one id space into ids. Immutable, safe for all threads; allocates
 * nothing.
 */
sealed interface IdMapper {
  long idOf(long value);

  long idOf(MemorySegment utf8, long offset, int length);

  long idOf(double value);

  /**
   * How many ids there are, the two reserved ones included; empty where they cannot be enumerated.
   */
  OptionalLong rows();

  record ByVocabulary(Vocabulary vocabulary) implements IdMapper {
    @Override
    public long idOf(long value) {
      return vocabulary.idOf(value);
    }

    @Override
    public long idOf(MemorySegment utf8, long offset, int length) {
      return vocabulary.idOf(utf8, offset, length);
    }

    @Override
    public long idOf(double value) {
      throw new IllegalArgumentException("a vocabulary has no numbers");
    }

    @Override
    public OptionalLong rows() {
      return OptionalLong.of(RowKey.FIRST + vocabulary.size());
    }
  }

  /** By hash, modulo {@code modulus}. */
  record ByHash(long modulus) implements IdMapper {
    static ByHash of(IdMapping.Hash mapping) {
      return new ByHash(mapping.buckets() == 0 ? IdMapping.HASH_SPACE : mapping.buckets());
    }

    @Override
    public long idOf(long value) {
      return RowKey.FIRST + Long.remainderUnsigned(Hash.of(value), modulus);
    }

    @Override
    public long idOf(MemorySegment utf8, long offset, int length) {
      return RowKey.FIRST + Long.remainderUnsigned(Hash.of(utf8, offset, length), modulus);
    }

    @Override
    public long idOf(double value) {
      throw new IllegalArgumentException("numbers are not hashed");
    }

    @Override
    public OptionalLong rows() {
      return modulus == IdMapping.HASH_SPACE
          ? OptionalLong.empty()
          : OptionalLong.of(RowKey.FIRST + modulus);
    }
  }

  /** By place among ascending boundaries. */
  final class ByBoundary implements IdMapper {
    private final double[] boundaries;

    ByBoundary(IdMapping.Buckets mapping) {
      this.boundaries = mapping.boundaries().stream().mapToDouble(Double::doubleValue).toArray();
    }

    @Override
    public long idOf(long value) {
      return idOf((double) value);
    }

    @Override
    public long idOf(MemorySegment utf8, long offset, int length) {
      throw new IllegalArgumentException("buckets hold numbers, not strings");
    }

    @Override
    public long idOf(double value) {
      int low = 0;
      int high = boundaries.length;
      while (low < high) {
        int middle = (low + high) >>> 1;
        if (boundaries[middle] <= value) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      return RowKey.FIRST + low;
    }

    @Override
    public OptionalLong rows() {
      return OptionalLong.of(RowKey.FIRST + boundaries.length + 1);
    }
  }
}
