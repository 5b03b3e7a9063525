package dev.wukong.serving.hosting;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which rows of a bundle come into memory while all are read once: those that are asked for most,
 * wherever they stand, and of the others as many as there is room for besides. One thread.
 */
final class FirstRows {
  /** By group, ascending. */
  private final List<long[]> hot;

  /** By group: how many others still have room. */
  private final long[] others;

  /**
   * None has come yet.
   *
   * @param hot keys of the rows that are asked for most, by group; may lack the last groups
   * @param capacities rows that have room, by group
   */
  FirstRows(List<long[]> hot, int[] capacities) {
    this.hot =
        IntStream.range(0, capacities.length)
            .mapToObj(g -> g < hot.size() ? first(hot.get(g), capacities[g]) : new long[0])
            .toList();
    this.others = new long[capacities.length];
    Arrays.setAll(others, g -> capacities[g] - this.hot.get(g).length);
  }

  /** Those that have room, of keys that are wanted most first. */
  private static long[] first(long[] wanted, int capacity) {
    long[] keys = Arrays.copyOf(wanted, Math.min(wanted.length, capacity));
    Arrays.sort(keys);
    return keys;
  }

  /** Whether any row of the group may still come. */
  boolean takesMore(int group) {
    return others[group] > 0 || hot.get(group).length > 0;
  }

  /** Whether the row comes; then it has. */
  boolean take(int group, long key) {
    if (Arrays.binarySearch(hot.get(group), key) >= 0) {
      return true;
    }
    if (others[group] == 0) {
      return false;
    }
    others[group]--;
    return true;
  }
}
