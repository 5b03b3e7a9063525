package dev.wukong.data;

import java.lang.foreign.MemorySegment;
import java.util.AbstractList;
import java.util.List;

/** A vocabulary of int64 values: open addressing over their places. */
final class Int64Vocabulary implements Vocabulary {
  private final long[] values;
  private final int[] places; // 0 is free, else the value's index + 1
  private final int mask;

  Int64Vocabulary(long[] values) {
    this.values = values.clone();
    int capacity = capacityFor(values.length);
    this.places = new int[capacity];
    this.mask = capacity - 1;
    for (int i = 0; i < values.length; i++) {
      int at = (int) Hash.of(values[i]) & mask;
      for (; places[at] != 0; at = (at + 1) & mask) {
        if (values[places[at] - 1] == values[i]) {
          throw new DataException(
              "vocabulary has the value '%d' twice; each may stand once".formatted(values[i]));
        }
      }
      places[at] = i + 1;
    }
  }

  static long[] parse(List<String> values) {
    long[] parsed = new long[values.size()];
    for (int i = 0; i < parsed.length; i++) {
      try {
        parsed[i] = Long.parseLong(values.get(i));
      } catch (NumberFormatException e) {
        throw new DataException(
            "vocabulary value %d is '%s'; an int64 is needed".formatted(i, values.get(i)), e);
      }
    }
    return parsed;
  }

  /** A power of two at least twice {@code size}, so that probes stay short. */
  static int capacityFor(int size) {
    return Integer.highestOneBit(Math.max(size, 8)) << 2;
  }

  @Override
  public ValueType type() {
    return ValueType.INT64;
  }

  @Override
  public int size() {
    return values.length;
  }

  @Override
  public List<String> values() {
    return new AbstractList<>() {
      @Override
      public String get(int index) {
        return Long.toString(values[index]);
      }

      @Override
      public int size() {
        return values.length;
      }
    };
  }

  @Override
  public long idOf(long value) {
    int at = (int) Hash.of(value) & mask;
    for (int place = places[at]; place != 0; place = places[at]) {
      if (values[place - 1] == value) {
        return RowKey.FIRST + place - 1;
      }
      at = (at + 1) & mask;
    }
    return RowKey.UNSEEN;
  }

  @Override
  public long idOf(MemorySegment utf8, long offset, int length) {
    return RowKey.UNSEEN;
  }
}
