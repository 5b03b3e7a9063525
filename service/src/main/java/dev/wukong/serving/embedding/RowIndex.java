package dev.wukong.serving.embedding;

import dev.wukong.data.OwnedArena;
import dev.wukong.data.RowKey;
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
   * Buckets of four entries { key + 1, cell }, one line of the processor's cache each. A key is in
   * its home bucket, or in one after it if all before were full when it came. All four are compared
   * at once, without a branch: where in the bucket a key lies nobody can predict, and a wrong guess
   * costs as much as the rest together. At most half of the entries live.
   *
   * An entry is empty (0) until a key takes it; when the key is evicted the entry is dead, which its
   * cell says, and when no reader is left who might have met it alive, free for any other key
   * (FREE). It is empty again only if its bucket has another empty one: then nobody has ever passed
   * the bucket, so that who looks for a key may stop there.
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

  /**
   * For readers. Every word lies at a multiple of its size, so it is read at once; not to have that
   * checked each time takes a quarter off a look-up. Order is what the fences are for.
   */
  private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED;

  private static final int ENTRY = 16;
  private static final int CELL = 8;

  /** Bytes of a bucket. */
  private static final int BUCKET = 64;

  private static final long NOWHERE = -1;
  private static final long EMPTY = 0;
  private static final long FREE = -1;

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
    mask = count * ENTRY / BUCKET - 1;
    most = count - count / 4; // Some are always empty, or nobody would stop looking.
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

  /** Bytes that this one takes. */
  long bytes() {
    return entries.byteSize();
  }

  /** Twice to four times the keys. */
  private static long entries(int keys) {
    return Math.max(BUCKET / ENTRY, Long.highestOneBit(2L * keys - 1) << 1);
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

  /** Something of the bucket where {@link #get} looks first; see {@link ReadAhead}. */
  long touch(long key) {
    return entries.get(WORD, home(key));
  }

  /** The cell of {@code key}, a dead one's also; {@link #NO_CELL} where there is none. */
  long get(long key) {
    long bucket = home(key);
    while (true) {
      long first = entries.get(WORD, bucket);
      long second = entries.get(WORD, bucket + ENTRY);
      long third = entries.get(WORD, bucket + 2 * ENTRY);
      long fourth = entries.get(WORD, bucket + 3 * ENTRY);
      VarHandle.acquireFence();
      long word = key + 1;
      long isSecond = zero(second ^ word);
      long isThird = zero(third ^ word);
      long isFourth = zero(fourth ^ word);
      if ((zero(first ^ word) | isSecond | isThird | isFourth) != 0) {
        // A key that moves meanwhile may seem to be in two entries: then it is not where this says.
        long at = bucket + ENTRY * ((isSecond + 2 * isThird + 3 * isFourth) & 3);
        long cell = entries.get(WORD, at + CELL);
        VarHandle.acquireFence();
        if (entries.get(WORD, at) == word) {
          return cell;
        }
        bucket = home(key); // Moved away under this reader: from the beginning.
      } else if ((zero(first) | zero(second) | zero(third) | zero(fourth)) != 0) {
        return NO_CELL;
      } else {
        bucket = next(bucket);
      }
    }
  }

  /** 1 if {@code value} is 0, else 0. */
  private static long zero(long value) {
    return ((value | -value) >>> (Long.SIZE - 1)) ^ 1;
  }

  /**
   * Sets the cell of a key that has none that lives; false, and nothing done, where there is no
   * room for it.
   */
  boolean add(long key, long cell) {
    if (full()) {
      return false;
    }
    long at = find(key);
    if (at == NOWHERE) {
      at = room(key);
      if (word(at) == EMPTY) {
        if (crowded()) {
          return false;
        }
        taken++;
      }
    }
    live++;
    LONG.setRelease(entries, at + CELL, cell);
    LONG.setRelease(entries, at, key + 1);
    return true;
  }

  /** The first free entry where {@code key} is looked for; an empty one where there is none. */
  private long room(long key) {
    for (long bucket = home(key); ; bucket = next(bucket)) {
      long empty = NOWHERE;
      for (long at = bucket; at < bucket + BUCKET; at += ENTRY) {
        long word = word(at);
        if (word == FREE) {
          return at;
        }
        if (word == EMPTY && empty == NOWHERE) {
          empty = at;
        }
      }
      if (empty != NOWHERE) {
        return empty;
      }
    }
  }

  /** Sets the cell of a key that has one that lives. */
  void replace(long key, long cell) {
    LONG.setRelease(entries, find(key) + CELL, cell);
  }

  /** Sets the cell of a key that has one that lives to {@code dead}, which does not. */
  void kill(long key, long dead) {
    replace(key, dead);
    live--;
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
    long at = find(key);
    if (at == NOWHERE || (long) LONG.get(entries, at + CELL) != dead) {
      return;
    }
    boolean passed = !hasEmpty(at & -BUCKET);
    LONG.setRelease(entries, at, passed ? FREE : EMPTY);
    taken -= passed ? 0 : 1;
  }

  /** Where the entry of {@code key} is, a dead one also, or {@link #NOWHERE}. */
  private long find(long key) {
    for (long bucket = home(key); ; bucket = next(bucket)) {
      for (long at = bucket; at < bucket + BUCKET; at += ENTRY) {
        if (word(at) == key + 1) {
          return at;
        }
      }
      if (hasEmpty(bucket)) {
        return NOWHERE;
      }
    }
  }

  private boolean hasEmpty(long bucket) {
    boolean has = false;
    for (long at = bucket; at < bucket + BUCKET; at += ENTRY) {
      has |= word(at) == EMPTY;
    }
    return has;
  }

  /** An index of the same size without what is dead or free here. */
  RowIndex compact() {
    RowIndex compact = new RowIndex(keys);
    for (long at = 0; at < entries.byteSize(); at += ENTRY) {
      long word = word(at);
      long cell = (long) LONG.get(entries, at + CELL);
      if (word != EMPTY && word != FREE && slot(cell) != DEAD) {
        compact.add(word - 1, cell);
      }
    }
    return compact;
  }

  private long word(long at) {
    return (long) LONG.get(entries, at);
  }

  /** The byte where the bucket of {@code key} begins. */
  private long home(long key) {
    return (RowKey.spread(key) & mask) * BUCKET;
  }

  private long next(long bucket) {
    return ((bucket / BUCKET + 1) & mask) * BUCKET;
  }

  @Override
  public void close() {
    arena.close();
  }
}
