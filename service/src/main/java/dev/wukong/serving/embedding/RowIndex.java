package dev.wukong.serving.embedding;

import dev.wukong.data.OwnedArena;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * The newest cell of each key, in memory outside the heap. Any thread may look up, without locks;
 * one thread at a time may write.
 */
final class RowIndex implements AutoCloseable {
  /*
   * Open addressing with linear probing over entries of 16 bytes { key + 1, cell }. An entry is
   * empty (0) until a key takes it; when the key is evicted the entry is dead, which its cell says,
   * and when no reader is left who might have met it alive, free for any other key (FREE), or empty
   * again where nothing is probed beyond it.
   *
   * A reader that has met its key reads the cell, and then the key again: if it is still the same,
   * the cell is that key's. For the key to have left and come back in between, another one would
   * have to take the entry, die there and be gone, and while this reader is inside the last does
   * not happen.
   */

  /** Taken by nobody: there is no such cell. */
  static final long NO_CELL = -1;

  /** Slot of a dead entry's cell, whose version is what the writer said. */
  static final int DEAD = -1;

  private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
  private static final int ENTRY = 16;
  private static final int CELL = 8;
  private static final long EMPTY = 0;
  private static final long FREE = -1;
  private static final long NOWHERE = -1;

  private record Memory(Arena arena, MemorySegment entries) {}

  private final int keys;
  private final long mask;
  private final long most;
  private final Arena arena;
  private final MemorySegment entries;

  /** Entries that are not empty. The writer's. */
  private long taken;

  /** Those of them whose cell is not dead. The writer's. */
  private int live;

  /** Room for {@code keys} keys that live, and some that are dead. */
  RowIndex(int keys) {
    this.keys = keys;
    long count = entries(keys);
    mask = count - 1;
    most = count - Math.max(1, count / 4); // One is always empty, or nobody would stop looking.
    Memory memory =
        OwnedArena.open(
            owned ->
                new Memory(owned, MappedMemory.allocate(owned, Math.multiplyExact(count, ENTRY))));
    arena = memory.arena();
    entries = memory.entries();
  }

  /** Bytes that an index of {@code keys} keys takes. */
  static long bytes(int keys) {
    return entries(keys) * ENTRY;
  }

  /** Twice to four times the keys. */
  private static long entries(int keys) {
    return Long.highestOneBit(2L * keys - 1) << 1;
  }

  /** A cell: where a row lies, and from which version on. */
  static long cell(int version, int slot) {
    return ((long) version << Integer.SIZE) | (slot & 0xFFFFFFFFL);
  }

  static int slot(long cell) {
    return (int) cell;
  }

  static int version(long cell) {
    return (int) (cell >> Integer.SIZE);
  }

  /** The cell of {@code key}, a dead one's also; {@link #NO_CELL} where there is none. */
  long get(long key) {
    long at = mix(key) & mask;
    while (true) {
      long held = (long) LONG.getAcquire(entries, at * ENTRY);
      if (held == key + 1) {
        long cell = (long) LONG.getAcquire(entries, at * ENTRY + CELL);
        if ((long) LONG.getAcquire(entries, at * ENTRY) == held) {
          return cell;
        }
        at = mix(key) & mask; // Moved away under this reader: from the beginning.
      } else if (held == EMPTY) {
        return NO_CELL;
      } else {
        at = (at + 1) & mask;
      }
    }
  }

  /**
   * Sets the cell of a key that has none that lives; false, and nothing done, where there is no
   * room for it.
   */
  boolean add(long key, long cell) {
    long at = mix(key) & mask;
    long free = NOWHERE;
    long held = word(at);
    while (held != key + 1 && held != EMPTY) {
      if (held == FREE && free == NOWHERE) {
        free = at;
      }
      at = (at + 1) & mask;
      held = word(at);
    }
    if (full() || (held == EMPTY && free == NOWHERE && crowded())) {
      return false;
    }
    if (held == EMPTY && free != NOWHERE) {
      at = free;
    } else if (held == EMPTY) {
      taken++;
    }
    live++;
    LONG.setRelease(entries, at * ENTRY + CELL, cell);
    LONG.setRelease(entries, at * ENTRY, key + 1);
    return true;
  }

  /** Sets the cell of a key that has one that lives. */
  void replace(long key, long cell) {
    LONG.setRelease(entries, place(key) * ENTRY + CELL, cell);
  }

  /** Sets the cell of a key that has one that lives to {@code dead}, which does not. */
  void kill(long key, long dead) {
    replace(key, dead);
    live--;
  }

  private long place(long key) {
    long at = mix(key) & mask;
    while (word(at) != key + 1) {
      at = (at + 1) & mask;
    }
    return at;
  }

  /** Whether as many keys live as there is room for. */
  boolean full() {
    return live == keys;
  }

  /** Whether so few entries are empty that {@link #compact} is due. */
  boolean crowded() {
    return taken == most;
  }

  /**
   * Frees the entry of {@code key} if its cell is still {@code dead}. No reader may be left who
   * could have met it alive.
   */
  void free(long key, long dead) {
    long at = mix(key) & mask;
    long held = word(at);
    while (held != key + 1 && held != EMPTY) {
      at = (at + 1) & mask;
      held = word(at);
    }
    if (held == EMPTY || (long) LONG.get(entries, at * ENTRY + CELL) != dead) {
      return;
    }
    LONG.setRelease(entries, at * ENTRY, FREE);
    if (word((at + 1) & mask) == EMPTY) {
      for (; word(at) == FREE; at = (at - 1) & mask) {
        LONG.setRelease(entries, at * ENTRY, EMPTY);
        taken--;
      }
    }
  }

  /** An index of the same size without what is dead or free here. */
  RowIndex compact() {
    RowIndex compact = new RowIndex(keys);
    for (long at = 0; at <= mask; at++) {
      long held = word(at);
      long cell = (long) LONG.get(entries, at * ENTRY + CELL);
      if (held != EMPTY && held != FREE && slot(cell) != DEAD) {
        compact.add(held - 1, cell);
      }
    }
    return compact;
  }

  private long word(long at) {
    return (long) LONG.get(entries, at * ENTRY);
  }

  /**
   * Spreads a key's bits over the low ones: ids are often consecutive, tables differ in high bits.
   */
  private static long mix(long key) {
    long h = key * 0x9E3779B97F4A7C15L;
    return h ^ (h >>> 32);
  }

  @Override
  public void close() {
    arena.close();
  }
}
