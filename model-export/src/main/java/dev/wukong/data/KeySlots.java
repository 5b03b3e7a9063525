package dev.wukong.data;

import java.util.Arrays;

/**
 * The slots of one group's keys: open addressing whose table is hardly ever cleared. An entry holds
 * its slot and, in the bits above, the turn it was made in; forgetting everything is another turn.
 */
final class KeySlots {
  /** Place -> slot of a turn: half of the places are free at least, so that a slot has few bits. */
  private int[] table = new int[64];

  /** Bits of an entry that are its slot. */
  private int bits = 6;

  /** The turn, from 1 on, where entries have it. An entry of 0 is of none. */
  private int turn = 1 << bits;

  /** Slot -> key. */
  private long[] keys = new long[33];

  private int size;

  void clear() {
    size = 0;
    turn += 1 << bits;
    if (turn == 0) { // All turns have been: what the first ones left would count again.
      Arrays.fill(table, 0);
      turn = 1 << bits;
    }
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
    int place = RowKey.spread(key) & mask;
    while (true) {
      int slot = table[place] ^ turn;
      if (slot >>> bits != 0) {
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
    int place = RowKey.spread(key) & mask;
    while (true) {
      int slot = table[place] ^ turn;
      if (slot >>> bits != 0) {
        return 0;
      }
      if (keys[slot] == key) {
        return slot;
      }
      place = (place + 1) & mask;
    }
  }

  /**
   * The slots of all columns of a row whose first id is {@code ids[at]}, into {@code to} from its
   * start. An id that is {@link RowKey#NONE} has slot 0.
   */
  void slotsOf(long[] ids, int at, SlotColumns columns, int[] to) {
    int[] positions = columns.positions();
    long[] tables = columns.tables();
    while (keys.length - 1 - size < positions.length) {
      grow();
    }
    int[] entries = table;
    long[] known = keys;
    int mask = entries.length - 1;
    int shift = bits;
    int now = turn;
    int held = size;
    for (int i = 0; i < positions.length; i++) {
      long id = ids[at + positions[i]];
      if (id == RowKey.NONE) {
        to[i] = 0;
        continue;
      }
      long key = tables[i] | id;
      int place = RowKey.spread(key) & mask;
      // Whether a key is new nobody can predict, and a processor's wrong guess costs more than all
      // else here: each is written as if it were, which where it is known changes nothing.
      int slot = entries[place] ^ now;
      int isNew = -(slot >>> shift) >> 31; // All bits, or none.
      slot = (slot & ~isNew) | ((held + 1) & isNew);
      known[held + 1] = key;
      if (known[slot] == key) {
        held -= isNew;
        entries[place] = now | slot;
      } else {
        size = held;
        slot = slotOf(key); // Which finds room.
        held = size;
      }
      to[i] = slot;
    }
    size = held;
  }

  private int insert(long key, int place) {
    if (size + 1 == keys.length) {
      grow();
      return slotOf(key);
    }
    size++;
    table[place] = turn | size;
    keys[size] = key;
    return size;
  }

  private void grow() {
    int held = size;
    long[] old = keys;
    table = new int[Math.multiplyExact(table.length, 2)];
    bits++;
    turn = 1 << bits;
    keys = Arrays.copyOf(old, table.length / 2 + 1);
    size = 0;
    for (int slot = 1; slot <= held; slot++) {
      slotOf(old[slot]);
    }
  }
}
