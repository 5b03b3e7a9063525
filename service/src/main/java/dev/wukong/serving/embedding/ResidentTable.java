package dev.wukong.serving.embedding;

import dev.wukong.data.OwnedArena;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * Rows of one width in memory outside the heap, found by key, in several versions side by side: a
 * reader at version v finds of each key the newest row that is not above v. Any thread may find and
 * copy between {@link #enter} and {@link #leave}, without locks: what it finds there stays where it
 * is, unchanged, until it leaves. One thread at a time may write.
 *
 * <p>Close only when no reader is left: readers hold a lease of the model that owns the table.
 */
public final class ResidentTable implements AutoCloseable {
  /*
   * Three segments: the index (key to its newest cell), the rows side by side, and for each row's
   * slot the cell before it, the one that readers of older versions take. A cell is a slot and the
   * version from which it holds, in one word, so that both are read at once; checking the version
   * costs a reader no further memory as long as there is one version.
   *
   * A row's floats are stored before its cell is released, and never again while someone could
   * find them. A slot that was taken out waits in line until those who read then have left.
   */

  /** Returned where there is no such row in memory, or no room for one. */
  public static final int NONE = -1;

  /** Returned where it is known that there is no such row at all. */
  public static final int ABSENT = -2;

  private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

  private record Memory(Arena arena, MemorySegment rows, MemorySegment older, RowIndex index) {}

  private final RowFormat format;
  private final int width;
  private final long rowBytes;
  private final int capacity;
  private final Arena arena;
  private final MemorySegment rows;
  private final MemorySegment older;
  private final ReadSections sections = new ReadSections();
  private volatile RowIndex index;

  /** Rows that can be found. Set by the writer alone, whose is all that follows. */
  private volatile int size;

  private final RowCounts counts = new RowCounts();

  /** What was taken out and may still be read: { epoch, key, dead cell, former cell }. */
  private final LongQueue retired = new LongQueue();

  /** Rows that have older ones behind them: { version, key }, by version. */
  private final LongQueue superseding = new LongQueue();

  /** The index before this one while somebody may read it. */
  private @Nullable RowIndex formerIndex;

  private long formerEpoch;

  /** The first of the slots that were used and are free, linked by their cells. */
  private int free = NONE;

  /** Slots that were ever used. */
  private volatile int used;

  /**
   * An empty table.
   *
   * @param format how rows are kept
   * @param width numbers a row, at least 1
   * @param capacity rows it can hold, at least 1
   */
  public ResidentTable(RowFormat format, int width, int capacity) {
    if (width < 1 || capacity < 1) {
      throw new IllegalArgumentException(
          "width %d and capacity %d must be at least 1".formatted(width, capacity));
    }
    this.format = format;
    this.width = width;
    this.rowBytes = format.bytes(width);
    this.capacity = capacity;
    Memory memory =
        OwnedArena.open(
            owned ->
                new Memory(
                    owned,
                    MappedMemory.allocate(owned, Math.multiplyExact(capacity, rowBytes)),
                    MappedMemory.allocate(owned, (long) capacity * Long.BYTES),
                    new RowIndex(capacity)));
    this.arena = memory.arena();
    this.rows = memory.rows();
    this.older = memory.older();
    this.index = memory.index();
  }

  /** Bytes that a table of this shape takes. */
  public static long bytes(RowFormat format, int width, int capacity) {
    long row = format.bytes(width) + (long) Long.BYTES;
    return Math.addExact(RowIndex.bytes(capacity), Math.multiplyExact(capacity, row));
  }

  /** Bytes of memory that are in use: what was never written is none. */
  long usedBytes() {
    return index.bytes() + used * (rowBytes + Long.BYTES);
  }

  /** Bytes of that for the rows of the table with this ordinal, with what finds them. */
  long usedBytes(int table) {
    return rows(table) * (rowBytes + Long.BYTES + index.bytes() / capacity);
  }

  /** How rows are kept. */
  RowFormat format() {
    return format;
  }

  /** Numbers a row. */
  public int width() {
    return width;
  }

  /** Rows that can be found, all their versions counted. */
  public int size() {
    return size;
  }

  /** Those of the table with this ordinal. */
  int rows(int table) {
    return counts.of(table);
  }

  /** Begins to read: what is found from now on stays until {@link #leave} is given the result. */
  public int enter() {
    return sections.enter();
  }

  /** Ends to read. */
  public void leave(int section) {
    sections.leave(section);
  }

  /**
   * The place of the newest row of {@code key} not above {@code version}; {@link #NONE} where
   * memory has none, {@link #ABSENT} where it is known that there is none.
   */
  public int find(long key, int version) {
    return place(index.get(key), version);
  }

  /**
   * The same for many keys, in a fraction of the time where they were {@link #touch}ed before.
   *
   * @param places receives the place of each of the first {@code count} keys
   */
  void find(long[] keys, int count, int version, int[] places) {
    RowIndex now = index;
    for (int i = 0; i < count; i++) {
      places[i] = place(now.get(keys[i]), version);
    }
  }

  /** Lets the processor fetch where the first {@code count} keys will be looked for. */
  void touch(long[] keys, int count) {
    RowIndex now = index;
    long seen = 0;
    for (int i = 0; i < count; i++) {
      seen += now.touch(keys[i]);
    }
    ReadAhead.use(seen);
  }

  private int place(long newest, int version) {
    long cell = newest;
    while (RowIndex.version(cell) > version) {
      if (RowIndex.slot(cell) < 0) {
        return NONE;
      }
      cell = before(RowIndex.slot(cell));
    }
    return RowIndex.slot(cell);
  }

  private long before(int slot) {
    return (long) LONG.getAcquire(older, (long) slot * Long.BYTES);
  }

  /**
   * Adds a row that the store has. What is there already stays: it is the same, or newer.
   *
   * @param key its key, any but -1 and -2
   * @param version from which it holds, 0 or more
   * @param from holds the row's floats at {@code offset}
   * @return its place; {@link #NONE} if the key has a newer one, or there is no room
   */
  public int add(long key, int version, float[] from, int offset) {
    long head = index.get(key);
    boolean known = RowIndex.slot(head) != NONE;
    if (known && RowIndex.version(head) >= version) {
      return RowIndex.version(head) == version ? Math.max(NONE, RowIndex.slot(head)) : NONE;
    }
    if (!known && !makeRoom()) {
      return NONE;
    }
    int slot = takeSlot();
    if (slot == NONE) {
      return NONE;
    }
    format.keep(from, offset, width, rows, slot * rowBytes);
    boolean newer = RowIndex.slot(head) >= 0;
    LONG.setRelease(older, (long) slot * Long.BYTES, newer ? head : RowIndex.NO_CELL);
    long cell = RowIndex.cell(version, slot);
    if (known) {
      index.replace(key, cell);
    } else {
      index.add(key, cell);
    }
    resize(key, 1);
    if (newer) {
      superseding.add(version);
      superseding.add(key);
    }
    return slot;
  }

  /**
   * Sets a row to what holds from {@code version} on, which is above all that the key has. Where
   * there is no room nothing is left of the key, so that nobody takes its old row for the new one.
   *
   * @return whether it is there
   */
  public boolean set(long key, int version, float[] from, int offset) {
    if (add(key, version, from, offset) == NONE) {
      evict(key);
      return false;
    }
    return true;
  }

  /** Remembers that {@code key} has no row from {@code version} on; whether there was room. */
  public boolean setAbsent(long key, int version) {
    evict(key);
    return makeRoom() && index.add(key, RowIndex.cell(version, ABSENT));
  }

  /** Forgets what is known of {@code key}. Those who read it now can go on. */
  public void evict(long key) {
    long head = index.get(key);
    if (RowIndex.slot(head) == NONE) {
      return;
    }
    long epoch = sections.epoch();
    long dead = RowIndex.cell((int) epoch, NONE);
    index.kill(key, dead);
    retired.add(epoch);
    retired.add(key);
    retired.add(dead);
    retired.add(head);
    resize(key, -length(head));
  }

  /**
   * Gives back what no reader can find any more: what was evicted before the last readers came, and
   * rows that a newer one has replaced for all of them.
   *
   * @param oldestVersion the lowest at which anybody reads, now or later
   */
  public void reclaim(int oldestVersion) {
    while (!superseding.isEmpty() && superseding.peek(0) <= oldestVersion) {
      int version = (int) superseding.remove();
      cut(superseding.remove(), version);
    }
    long epoch = sections.advance();
    while (!retired.isEmpty() && retired.peek(0) + 2 <= epoch) {
      retired.remove();
      index.free(retired.remove(), retired.remove());
      giveSlots(retired.remove());
    }
    if (formerIndex != null && formerEpoch + 2 <= epoch) {
      formerIndex.close();
      formerIndex = null;
    }
  }

  /** Gives back the rows behind the one of {@code version}, if the key still has that. */
  private void cut(long key, int version) {
    long cell = index.get(key);
    while (RowIndex.slot(cell) >= 0 && RowIndex.version(cell) > version) {
      cell = before(RowIndex.slot(cell));
    }
    if (RowIndex.slot(cell) >= 0 && RowIndex.version(cell) == version) {
      long behind = before(RowIndex.slot(cell));
      LONG.setRelease(older, (long) RowIndex.slot(cell) * Long.BYTES, RowIndex.NO_CELL);
      resize(key, -length(behind));
      giveSlots(behind);
    }
  }

  private int length(long cell) {
    int length = 0;
    for (long at = cell; RowIndex.slot(at) >= 0; at = before(RowIndex.slot(at))) {
      length++;
    }
    return length;
  }

  /** Whether the index can take one more key. */
  private boolean makeRoom() {
    if (index.full()) {
      return false;
    }
    if (index.crowded()) {
      if (formerIndex != null) {
        return false; // Two of them are memory enough.
      }
      RowIndex crowded = index;
      index = crowded.compact();
      formerIndex = crowded;
      formerEpoch = sections.epoch();
    }
    return true;
  }

  private void resize(long key, int by) {
    int now = size;
    size = now + by;
    counts.add(key, by);
  }

  private int takeSlot() {
    if (free == NONE) {
      int fresh = used;
      if (fresh == capacity) {
        return NONE;
      }
      used = fresh + 1;
      return fresh;
    }
    int slot = free;
    free = RowIndex.slot(before(slot));
    return slot;
  }

  private void giveSlots(long cell) {
    for (long at = cell; RowIndex.slot(at) >= 0; ) {
      int slot = RowIndex.slot(at);
      at = before(slot);
      giveSlot(slot);
    }
  }

  private void giveSlot(int slot) {
    LONG.setRelease(older, (long) slot * Long.BYTES, RowIndex.cell(0, free));
    free = slot;
  }

  /**
   * Copies the row at {@code place} to {@code to}, from byte {@code at} on, in single precision.
   */
  public void copyFloats(int place, MemorySegment to, long at) {
    format.floats(rows, place * rowBytes, width, to, at);
  }

  /** The same in half precision. */
  void copyHalves(int place, MemorySegment to, long at) {
    format.halves(rows, place * rowBytes, width, to, at);
  }

  /** For who copies many of its rows, by their places. */
  RowCopies copies() {
    return new RowCopies(rows, format, width);
  }

  @Override
  public void close() {
    arena.close();
    index.close();
    if (formerIndex != null) {
      formerIndex.close();
    }
  }
}
