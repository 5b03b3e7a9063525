package dev.wukong.serving.retraining;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a row was before its first change after each of some healthy states.
 *
 * @param of by ascending number of the state
 */
record Memories(List<Memory> of) {
  private static final Memories NONE = new Memories(List.of());
  private static final int HEAD = Long.BYTES + Integer.BYTES;
  private static final int NOTHING = -1;

  /**
   * Before the first change after healthy state {@code number}.
   *
   * @param row as {@link MasterRow} keeps it; null: nothing was kept
   */
  @SuppressWarnings("ArrayRecordComponent") // On its way to disk or from it, never compared.
  record Memory(long number, byte @Nullable [] row) {}

  Memories {
    of = List.copyOf(of);
  }

  /** What {@link #bytes} made; null: there are none. */
  static Memories of(byte @Nullable [] bytes) {
    if (bytes == null) {
      return NONE;
    }
    List<Memory> of = new ArrayList<>();
    ByteBuffer from = ByteBuffer.wrap(bytes);
    while (from.hasRemaining()) {
      long number = from.getLong();
      int length = from.getInt();
      byte[] row = null;
      if (length != NOTHING) {
        row = new byte[length];
        from.get(row);
      }
      of.add(new Memory(number, row));
    }
    return new Memories(of);
  }

  byte[] bytes() {
    int size = of.stream().mapToInt(m -> HEAD + (m.row() == null ? 0 : m.row().length)).sum();
    ByteBuffer to = ByteBuffer.allocate(size);
    for (Memory memory : of) {
      byte[] row = memory.row();
      to.putLong(memory.number()).putInt(row == null ? NOTHING : row.length);
      if (row != null) {
        to.put(row);
      }
    }
    return to.array();
  }

  boolean isEmpty() {
    return of.isEmpty();
  }

  int size() {
    return of.size();
  }

  /** With what the row was before it changed after healthy state {@code number}, the newest. */
  Memories with(long number, byte @Nullable [] row) {
    List<Memory> more = new ArrayList<>(of);
    more.add(new Memory(number, row));
    return new Memories(more);
  }

  /** What the row was in healthy state {@code number}; null: it has not changed since. */
  @Nullable Memory since(long number) {
    for (Memory memory : of) {
      if (memory.number() >= number) {
        return memory;
      }
    }
    return null;
  }

  /** Those that are left where all is again as in healthy state {@code number}. */
  Memories below(long number) {
    return new Memories(of.stream().filter(memory -> memory.number() < number).toList());
  }

  /** Those that some of these healthy states need, by ascending number. */
  Memories needed(List<Long> numbers) {
    List<Memory> needed = new ArrayList<>();
    long before = -1;
    for (Memory memory : of) {
      long after = before;
      if (numbers.stream().anyMatch(number -> number > after && number <= memory.number())) {
        needed.add(memory);
      }
      before = memory.number();
    }
    return new Memories(needed);
  }
}
