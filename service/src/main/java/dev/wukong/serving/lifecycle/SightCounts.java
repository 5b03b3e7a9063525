package dev.wukong.serving.lifecycle;

import dev.wukong.data.RowKey;
import java.util.Arrays;

/** Small counts by key, of a bounded number of keys. One thread. */
final class SightCounts {
  /** A key that none is: row keys are not negative. */
  private static final long EMPTY = -1;

  /** As many as an array has room for twice. */
  private static final int LARGEST = 1 << 28;

  private final int most;
  private final int mask;
  private final long[] keys;
  private final byte[] counts;
  private int size;

  /** No counts, and room for those of {@code most} keys, 1 to {@link #LARGEST}. */
  SightCounts(int most) {
    if (most < 1 || most > LARGEST) {
      throw new IllegalArgumentException(
          "counted ids are %d, must be 1 to %d".formatted(most, LARGEST));
    }
    this.most = most;
    // Twice the keys, so that who looks for one soon meets an empty place.
    int places = Integer.highestOneBit(2 * most - 1) << 1;
    mask = places - 1;
    keys = new long[places];
    Arrays.fill(keys, EMPTY);
    counts = new byte[places];
  }

  int size() {
    return size;
  }

  /** The count of {@code key}; 0 where it has none. */
  int get(long key) {
    int at = place(key);
    return keys[at] == EMPTY ? 0 : Byte.toUnsignedInt(counts[at]);
  }

  /** Sets the count of {@code key}, 1 to 255; whether there was room for it. */
  boolean put(long key, int count) {
    int at = place(key);
    if (keys[at] == EMPTY) {
      if (size == most) {
        return false;
      }
      keys[at] = key;
      size++;
    }
    counts[at] = (byte) count;
    return true;
  }

  /** Forgets {@code key}; whether it had a count. */
  boolean remove(long key) {
    int hole = place(key);
    if (keys[hole] == EMPTY) {
      return false;
    }
    size--;
    // Whoever was put behind it, for it was in the way, moves up: nobody looks behind a hole.
    for (int at = next(hole); keys[at] != EMPTY; at = next(at)) {
      int home = home(keys[at]);
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        keys[hole] = keys[at];
        counts[hole] = counts[at];
        hole = at;
      }
    }
    keys[hole] = EMPTY;
    return true;
  }

  /** Forgets all. */
  void clear() {
    Arrays.fill(keys, EMPTY);
    size = 0;
  }

  /** Where {@code key} is, or would be put. */
  private int place(long key) {
    int at = home(key);
    while (keys[at] != key && keys[at] != EMPTY) {
      at = next(at);
    }
    return at;
  }

  private int home(long key) {
    return RowKey.spread(key) & mask;
  }

  private int next(int at) {
    return (at + 1) & mask;
  }
}
