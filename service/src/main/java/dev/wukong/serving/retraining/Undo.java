package dev.wukong.serving.retraining;

import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.training.ChangedRows;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * What rows were before they changed since a healthy state: with a row's first change after one, a
 * commit also writes what was there. The training thread's.
 */
final class Undo {
  /** Keys whose memories are looked at in a commit, whether some are needed no more. */
  private static final int LOOKED_AT = 256;

  private final StateStore store;
  private final RowsView view;
  private final Generations generations;

  /** Rows that have changed since the healthy state by the last commit, ascending. */
  private long[] touched;

  /** Rows of which this commit has everything forgotten, ascending. */
  private long[] erased = {};

  /**
   * Goes on where the last commit was.
   *
   * @throws dev.wukong.serving.embedding.StoreException if the store fails
   */
  Undo(StateStore store, RowsView view, Generations generations) {
    this.store = store;
    this.view = view;
    this.generations = generations;
    this.touched = changedSince(generations.newest());
  }

  /** All rows that have changed since the last healthy state, by the last commit; ascending. */
  long[] touched() {
    return touched;
  }

  /** Whether a row has changed since the last healthy state, by the last commit. */
  boolean keeps(long key) {
    return Arrays.binarySearch(touched, key) >= 0;
  }

  /** Keeps what rows are now, which are about to change, where it is not kept yet. */
  void keep(List<ChangedRows> changed, List<StateChange> state) {
    long number = generations.newest();
    long[] fresh =
        changed.stream()
            .flatMapToLong(rows -> LongStream.of(rows.keys()))
            .filter(key -> !keeps(key))
            .sorted()
            .toArray();
    List<byte @Nullable []> now = store.state(view, StateKind.OPTIMIZER, fresh);
    List<byte @Nullable []> before = store.state(view, StateKind.UNDO, fresh);
    for (int i = 0; i < fresh.length; i++) {
      Memories memories = Memories.of(before.get(i)).with(number, now.get(i));
      state.add(
          new StateChange.Put(
              StateKind.UNDO, fresh[i], memories.needed(generations.numbers()).bytes()));
    }
    touched = merged(touched, fresh);
  }

  private static long[] merged(long[] one, long[] other) {
    long[] all = Arrays.copyOf(one, one.length + other.length);
    System.arraycopy(other, 0, all, one.length, other.length);
    Arrays.sort(all);
    return all;
  }

  /** Nothing is remembered of what these rows were, ascending; at the beginning of a commit. */
  void erase(long[] keys, List<StateChange> state) {
    erased = keys;
    touched = Erasures.without(touched, keys);
    for (long key : keys) {
      state.add(new StateChange.Remove(StateKind.UNDO, key));
    }
  }

  /** There is a new healthy state, that of this commit. */
  void begin() {
    touched = new long[0];
  }

  /** Forgets what no healthy state needs, a part of it in each commit. */
  void forget(List<StateChange> state) {
    long after = generations.lookedAt();
    List<StateStore.Remembered> next = store.states(view, StateKind.UNDO, after, LOOKED_AT);
    List<Long> numbers = generations.numbers();
    for (StateStore.Remembered of : next) {
      // What this commit adds to is written whole elsewhere, or gone.
      if (!keeps(of.key()) && Arrays.binarySearch(erased, of.key()) < 0) {
        Memories all = Memories.of(of.value());
        Memories needed = all.needed(numbers);
        if (needed.isEmpty()) {
          state.add(new StateChange.Remove(StateKind.UNDO, of.key()));
        } else if (needed.size() < all.size()) {
          state.add(new StateChange.Put(StateKind.UNDO, of.key(), needed.bytes()));
        }
      }
    }
    generations.lookedAt(next.size() < LOOKED_AT ? -1 : next.getLast().key());
  }

  /** Rows that have changed since healthy state {@code number}, ascending. */
  long[] changedSince(long number) {
    LongStream.Builder keys = LongStream.builder();
    store.forEachState(
        view,
        StateKind.UNDO,
        (key, value) -> {
          if (Memories.of(value).since(number) != null) {
            keys.add(key);
          }
        });
    return keys.build().toArray();
  }

  /** Is given what a row was. */
  @FunctionalInterface
  interface Receiver {
    /**
     * Called once a row.
     *
     * @param before as kept of the row at rest; null: nothing was
     * @param left what is still to be remembered of it
     */
    void row(long key, byte @Nullable [] before, Memories left);
  }

  /** Gives what rows were in healthy state {@code number}; those of {@code keys}. */
  void before(long number, long[] keys, Receiver to) {
    List<byte @Nullable []> values = store.state(view, StateKind.UNDO, keys);
    for (int i = 0; i < keys.length; i++) {
      Memories memories = Memories.of(values.get(i));
      Memories.Memory since = memories.since(number);
      if (since != null) {
        to.row(keys[i], since.row(), memories.below(number));
      }
    }
  }
}
