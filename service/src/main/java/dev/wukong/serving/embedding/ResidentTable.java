package dev.wukong.serving.embedding;

import dev.wukong.data.OwnedArena;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * Rows of one width in memory outside the heap, found by key. Any thread may find and copy, without
 * locks; one thread at a time may install. A row, once installed, stays where it is and does not
 * change until the table is closed, so its place can be kept.
 *
 * <p>Close only when no reader is left: readers hold a lease of the model that owns the table.
 */
public final class ResidentTable implements AutoCloseable {
  /*
   * Open addressing with linear probing over entries of 16 bytes { key + 1 (0: empty), row,
   * version }; rows lie side by side in a segment of their own, so a half-empty entry table wastes
   * 16 bytes, not a row. The writer stores a row's floats and its entry's row number before it
   * releases the key; a reader that acquires the key therefore sees them. The version is 0 until
   * rows are replaced online: a newer row then takes a new place and the entry's version says from
   * when.
   */

  /** Returned where there is no such row, or no room for one. */
  public static final int NONE = -1;

  private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
  private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
  private static final int ENTRY = 16;
  private static final int ROW_AT = 8;

  /** Floats that are copied at once, and the longest rows that are copied so. */
  private static final int PIECE = 2;

  private static final int SHORT = 32;

  private record Memory(Arena arena, MemorySegment entries, MemorySegment rows) {}

  private final int width;
  private final int capacity;
  private final long mask;
  private final Arena arena;
  private final MemorySegment entries;
  private final MemorySegment rows;
  private volatile int size;

  /**
   * An empty table.
   *
   * @param width floats a row, at least 1
   * @param capacity rows it can hold, at least 1
   */
  public ResidentTable(int width, int capacity) {
    if (width < 1 || capacity < 1) {
      throw new IllegalArgumentException(
          "width %d and capacity %d must be at least 1".formatted(width, capacity));
    }
    this.width = width;
    this.capacity = capacity;
    long slots = Long.highestOneBit(2L * capacity - 1) << 1;
    this.mask = slots - 1;
    Memory memory =
        OwnedArena.open(
            owned ->
                new Memory(
                    owned,
                    MappedMemory.allocate(owned, Math.multiplyExact(slots, ENTRY)),
                    MappedMemory.allocate(
                        owned, Math.multiplyExact((long) capacity * width, Float.BYTES))));
    this.arena = memory.arena();
    this.entries = memory.entries();
    this.rows = memory.rows();
  }

  /** Bytes that a table of this shape takes. */
  public static long bytes(int width, int capacity) {
    long slots = Long.highestOneBit(2L * capacity - 1) << 1;
    return Math.addExact(slots * ENTRY, Math.multiplyExact((long) capacity * width, Float.BYTES));
  }

  /** Floats a row. */
  public int width() {
    return width;
  }

  /** Rows installed so far. */
  public int size() {
    return size;
  }

  /** The place of the row with {@code key}, or {@link #NONE}. */
  public int find(long key) {
    long at = mix(key) & mask;
    while (true) {
      long held = (long) LONG.getAcquire(entries, at * ENTRY);
      if (held == key + 1) {
        return (int) INT.get(entries, at * ENTRY + ROW_AT);
      }
      if (held == 0) {
        return NONE;
      }
      at = (at + 1) & mask;
    }
  }

  /**
   * Copies a row in.
   *
   * @param key its key, any but -1
   * @param from holds the row's floats at {@code offset}
   * @return its place; that of the row already there if the key has one; {@link #NONE} if the table
   *     is full
   */
  public int install(long key, float[] from, int offset) {
    long at = mix(key) & mask;
    while (true) {
      long held = (long) LONG.getAcquire(entries, at * ENTRY);
      if (held == key + 1) {
        return (int) INT.get(entries, at * ENTRY + ROW_AT);
      }
      if (held == 0) {
        break;
      }
      at = (at + 1) & mask;
    }
    int row = size;
    if (row == capacity) {
      return NONE;
    }
    MemorySegment.copy(
        from, offset, rows, ValueLayout.JAVA_FLOAT, (long) row * width * Float.BYTES, width);
    INT.set(entries, at * ENTRY + ROW_AT, row);
    LONG.setRelease(entries, at * ENTRY, key + 1);
    size = row + 1;
    return row;
  }

  /** Copies the row at place {@code row} to {@code to}, from byte {@code at} on. */
  public void copyRow(int row, MemorySegment to, long at) {
    long bytes = (long) width * Float.BYTES;
    MemorySegment.copy(rows, row * bytes, to, at, bytes);
  }

  /**
   * Copies rows side by side: row i from {@code places[i]}, unless that is {@link #NONE}.
   *
   * @param count of {@code places}
   * @param at the byte of {@code to} where the first goes; those without a place keep their room
   */
  public void copyRows(int[] places, int count, MemorySegment to, long at) {
    long bytes = (long) width * Float.BYTES;
    if (width % PIECE == 0 && width <= SHORT) {
      // Piece by piece: of a short row the call to copy takes longer than the copying, and keeps
      // the processor from fetching the rows after it meanwhile.
      long target = at;
      for (int i = 0; i < count; i++) {
        if (places[i] != NONE) {
          long from = places[i] * bytes;
          for (long j = 0; j < bytes; j += Long.BYTES) {
            to.set(
                ValueLayout.JAVA_LONG_UNALIGNED,
                target + j,
                rows.get(ValueLayout.JAVA_LONG_UNALIGNED, from + j));
          }
        }
        target += bytes;
      }
    } else {
      for (int i = 0; i < count; i++) {
        if (places[i] != NONE) {
          MemorySegment.copy(rows, places[i] * bytes, to, at + i * bytes, bytes);
        }
      }
    }
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
