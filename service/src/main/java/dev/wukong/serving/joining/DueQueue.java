package dev.wukong.serving.joining;

import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import java.util.ArrayDeque;
import java.util.List;
import java.util.NavigableMap;
import java.util.Queue;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * All that waits for its time, in the order in which it came. Who waits equally long for something
 * goes through it with a cursor, a page of it in memory. One thread.
 */
final class DueQueue {
  /** Removed are so many positions at a time, a power of 2: what is removed slows reading. */
  private static final long BLOCK = 4096;

  private final StateStore store;
  private final RowsView view;
  private final int page;

  /** What is not in the store yet: all of it came later than what is. */
  private final NavigableMap<Long, Due> added = new TreeMap<>();

  /** How often the store got more. */
  private long drains;

  private long removedBelow;

  /**
   * Goes on where the last commit was.
   *
   * @param page how much of it each cursor has in memory
   * @param forgotten up to where nobody needs it any more
   */
  DueQueue(StateStore store, RowsView view, int page, long forgotten) {
    this.store = store;
    this.view = view;
    this.page = page;
    this.removedBelow = block(forgotten);
  }

  private static long block(long position) {
    return Math.max(0, position) & -BLOCK;
  }

  void add(Due due) {
    added.put(due.position(), due);
  }

  /** Changes since this was last asked, where nothing up to {@code forgotten} is needed. */
  void drain(long forgotten, List<StateChange> to) {
    added.forEach((at, due) -> to.add(new StateChange.Put(StateKind.DUE, at, due.bytes())));
    added.clear();
    drains++;
    if (block(forgotten) > removedBelow) {
      removedBelow = block(forgotten);
      to.add(new StateChange.RemoveBelow(StateKind.DUE, removedBelow));
    }
  }

  /**
   * A cursor that has passed what came up to a position.
   *
   * @param passed negative: nothing
   */
  Cursor cursor(long passed) {
    return new Cursor(passed);
  }

  /** Goes through the queue. */
  final class Cursor {
    private final Queue<Due> read = new ArrayDeque<>();
    private long passed;

    /** After so many drains, there was no more in the store. */
    private long empty = -1;

    private Cursor(long passed) {
      this.passed = passed;
    }

    /**
     * What is next; null where nothing is.
     *
     * @param coming told of the predictions of those that are read from the store
     */
    @Nullable Due head(LongConsumer coming) {
      if (read.isEmpty()) {
        fill(coming);
      }
      return read.peek();
    }

    private void fill(LongConsumer coming) {
      if (empty != drains) {
        List<StateStore.Remembered> found = store.states(view, StateKind.DUE, passed, page);
        for (StateStore.Remembered remembered : found) {
          Due due = Due.of(remembered.key(), remembered.value());
          coming.accept(due.scored());
          read.add(due);
        }
        if (found.size() < page) {
          empty = drains;
        }
      }
      if (read.isEmpty()) {
        added.tailMap(passed, false).values().stream().limit(page).forEach(read::add);
      }
    }

    /** Passes what was next; its position. */
    long pass() {
      passed = read.remove().position();
      return passed;
    }
  }
}
