package dev.wukong.serving.embedding;

import dev.wukong.data.RowKey;

/** Where the rows of one request and group were found, by table. One thread. */
final class RowTally {
  /**
   * Two counts a table, one for every other row: where many rows of a table follow each other, the
   * processor need not wait for the one to count the next.
   */
  private final int[] memory;

  private final int[] store;
  private final int[] absent;
  private final int[] unread;

  /** None yet, of {@code tables} tables. */
  RowTally(int tables) {
    memory = new int[2 * tables];
    store = new int[tables];
    absent = new int[tables];
    unread = new int[tables];
  }

  /** Takes all these for found in memory, until something else is said of them. */
  void asked(long[] keys, int count) {
    for (int i = 0; i < count; i++) {
      memory[2 * RowKey.table(keys[i]) + (i & 1)]++;
    }
  }

  /** A row was not in memory, and was found in the store. */
  void stored(long key) {
    move(key, store);
  }

  /** A row is nowhere. */
  void absent(long key) {
    move(key, absent);
  }

  /** A row was not in memory, and could not be read in time. */
  void unread(long key) {
    move(key, unread);
  }

  private void move(long key, int[] to) {
    int table = RowKey.table(key);
    memory[2 * table]--;
    to[table]++;
  }

  /** Whether there was any of that table. */
  boolean asked(int table) {
    return memory(table) + store[table] + absent[table] + unread[table] > 0;
  }

  int memory(int table) {
    return memory[2 * table] + memory[2 * table + 1];
  }

  int stored(int table) {
    return store[table];
  }

  int absent(int table) {
    return absent[table];
  }

  int unread(int table) {
    return unread[table];
  }
}
