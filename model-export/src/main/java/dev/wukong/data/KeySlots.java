package dev.wukong.data;

import java.util.Arrays;

/**
 * The slots of one group's keys: open addressing whose table is never cleared. A table entry counts
 * only if the slot it names points back to it, so forgetting everything is setting the size to 0.
 */
final class KeySlots {
  private int[] table = new int[64]; // place -> slot
  private int[] places = new int[33]; // slot -> its place in the table
  private long[] keys = new long[33]; // slot -> key
  private int size;

  void clear() {
    size = 0;
  }

  int size() {
    return size;
  }

  long key(int slot) {
    if (slot < 1 || slot > size) {
      throw new IndexOutOfBoundsException("slot %d; 1 to %d are in use".formatted(slot, size));
    }
    return keys[slot];
  }

  void keys(int first, int count, long[] to) {
    if (first < 1 || first + count - 1 > size) {
      throw new IndexOutOfBoundsException(
          "slots %d to %d; 1 to %d are in use".formatted(first, first + count - 1, size));
    }
    System.arraycopy(keys, first, to, 0, count);
  }

  int slotOf(long key) {
    int mask = table.length - 1;
    int place = (int) mix(key) & mask;
    while (true) {
      int slot = table[place];
      if (slot < 1 || slot > size || places[slot] != place) {
        return insert(key, place);
      }
      if (keys[slot] == key) {
        return slot;
      }
      place = (place + 1) & mask;
    }
  }

  /** The slot of {@code key}, or 0 where there is none. */
  int find(long key) {
    int mask = table.length - 1;
    int place = (int) mix(key) & mask;
    while (true) {
      int slot = table[place];
      if (slot < 1 || slot > size || places[slot] != place) {
        return 0;
      }
      if (keys[slot] == key) {
        return slot;
      }
      place = (place + 1) & mask;
    }
  }

  private int insert(long key, int place) {
    if (size + 1 == keys.length) {
      grow();
      return slotOf(key);
    }
    size++;
    table[place] = size;
    places[size] = place;
    keys[size] = key;
    return size;
  }

  private void grow() {
    int held = size;
    long[] old = keys;
    table = new int[Math.multiplyExact(table.length, 2)];
    places = new int[table.length / 2 + 1];
    keys = Arrays.copyOf(old, places.length);
    size = 0;
    for (int slot = 1; slot <= held; slot++) {
      slotOf(old[slot]);
    }
  }

  private static long mix(long key) {
    long mixed = key * 0x9E3779B97F4A7C15L;
    return mixed ^ (mixed >>> 32);
  }
}
