package dev.wukong.data;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;

/**
 * A vocabulary of strings: their UTF-8 bytes one after another, found by hash, compared in place.
 */
final class StringVocabulary implements Vocabulary {
  private final MemorySegment bytes;
  private final long[] starts; // one more than there are values
  private final long[] hashes;
  private final int[] places; // 0 is free, else the value's index + 1
  private final int mask;

  StringVocabulary(List<String> values) {
    int size = values.size();
    this.starts = new long[size + 1];
    this.hashes = new long[size];
    byte[] joined = new byte[Math.max(16, size * 8)];
    int end = 0;
    for (int i = 0; i < size; i++) {
      byte[] utf8 = values.get(i).getBytes(StandardCharsets.UTF_8);
      if (utf8.length == 0) {
        throw new DataException(
            "vocabulary value %d is empty; an empty string is an absent value".formatted(i));
      }
      int needed = Math.addExact(end, utf8.length);
      if (needed > joined.length) {
        joined = Arrays.copyOf(joined, (int) Math.min(Integer.MAX_VALUE - 8, needed * 2L));
      }
      System.arraycopy(utf8, 0, joined, end, utf8.length);
      end = needed;
      starts[i + 1] = end;
    }
    this.bytes = MemorySegment.ofArray(Arrays.copyOf(joined, end));
    int capacity = Int64Vocabulary.capacityFor(size);
    this.places = new int[capacity];
    this.mask = capacity - 1;
    for (int i = 0; i < size; i++) {
      int length = (int) (starts[i + 1] - starts[i]);
      long hash = Hash.of(bytes, starts[i], length);
      hashes[i] = hash;
      int at = (int) hash & mask;
      for (; places[at] != 0; at = (at + 1) & mask) {
        if (holds(places[at] - 1, hash, bytes, starts[i], length)) {
          throw new DataException(
              "vocabulary has the value '%s' twice; each may stand once".formatted(values.get(i)));
        }
      }
      places[at] = i + 1;
    }
  }

  @Override
  public ValueType type() {
    return ValueType.STRING;
  }

  @Override
  public int size() {
    return hashes.length;
  }

  @Override
  public List<String> values() {
    return new AbstractList<>() {
      @Override
      public String get(int index) {
        long length = starts[index + 1] - starts[index];
        byte[] utf8 = new byte[(int) length];
        MemorySegment.copy(bytes, starts[index], MemorySegment.ofArray(utf8), 0, length);
        return new String(utf8, StandardCharsets.UTF_8);
      }

      @Override
      public int size() {
        return hashes.length;
      }
    };
  }

  @Override
  public long idOf(long value) {
    return RowKey.UNSEEN;
  }

  @Override
  public long idOf(MemorySegment utf8, long offset, int length) {
    long hash = Hash.of(utf8, offset, length);
    int at = (int) hash & mask;
    for (int place = places[at]; place != 0; place = places[at]) {
      if (holds(place - 1, hash, utf8, offset, length)) {
        return RowKey.FIRST + place - 1;
      }
      at = (at + 1) & mask;
    }
    return RowKey.UNSEEN;
  }

  private boolean holds(int index, long hash, MemorySegment utf8, long offset, int length) {
    return hashes[index] == hash
        && starts[index + 1] - starts[index] == length
        && MemorySegment.mismatch(
                bytes, starts[index], starts[index + 1], utf8, offset, offset + length)
            == -1;
  }
}
