package dev.wukong.serving.embedding;

import dev.wukong.data.RowKey;
import java.util.Arrays;

/** How many rows there are of each table. One thread changes it; any thread may ask. */
final class RowCounts {
  /** By the table's ordinal; a new array is as long as needed. */
  private volatile int[] counts = new int[0];

  /** Adds {@code by} rows of the table of {@code key}; those that are no table's do not count. */
  void add(long key, int by) {
    if (key < 0) {
      return;
    }
    int table = RowKey.table(key);
    int[] now = counts;
    if (table >= now.length) {
      now = Arrays.copyOf(now, table + 1);
    }
    now[table] += by;
    counts = now; // Who reads the array from here on sees what was added.
  }

  /** Rows of the table with this ordinal. */
  int of(int table) {
    int[] now = counts;
    return table < now.length ? now[table] : 0;
  }
}
