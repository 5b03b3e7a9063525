package dev.wukong.serving.retraining;

import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.training.ChangedRows;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Ids of which nothing is to be known any more. Their rows go with the next commit; and as long as
 * examples may come of what was predicted before, no new ones are made for them: what was forgotten
 * would be learned again from the log. By the log's time. The training thread's.
 */
final class Erasures {
  /** Asked for and in no commit yet. */
  private final TreeSet<Long> asked = new TreeSet<>();

  /** By key of the row, until when it has none. */
  private final Map<Long, Long> heldMs = new TreeMap<>();

  private final long holdMs;

  /**
   * Those that the last commit left.
   *
   * @param hold how long after a prediction examples may come of it
   * @throws dev.wukong.serving.embedding.StoreException if the store fails
   */
  Erasures(StateStore store, RowsView view, Duration hold) {
    this.holdMs = hold.toMillis();
    store.forEachState(
        view, StateKind.ERASED, (key, until) -> heldMs.put(key, ByteBuffer.wrap(until).getLong()));
  }

  /** Nothing is to be known of the row any more. */
  void ask(long key, long nowMs) {
    boolean _ = asked.add(key);
    heldMs.put(key, nowMs + holdMs);
  }

  /** Rows that are to go with the next commit, ascending. */
  long[] asked() {
    return asked.stream().mapToLong(key -> key).toArray();
  }

  /** Whether nothing is learned for the row. */
  boolean holds(long key) {
    return heldMs.containsKey(key);
  }

  /** All that was asked for is done by this commit; what has been held for long enough is over. */
  void done(long nowMs, List<StateChange> state) {
    for (long key : asked) {
      byte[] until = ByteBuffer.allocate(Long.BYTES).putLong(heldMs.getOrDefault(key, 0L)).array();
      state.add(new StateChange.Put(StateKind.ERASED, key, until));
    }
    asked.clear();
    for (Iterator<Map.Entry<Long, Long>> all = heldMs.entrySet().iterator(); all.hasNext(); ) {
      Map.Entry<Long, Long> held = all.next();
      if (held.getValue() <= nowMs) {
        state.add(new StateChange.Remove(StateKind.ERASED, held.getKey()));
        all.remove();
      }
    }
  }

  /** Those of {@code keys}, ascending, that are not in {@code gone}, ascending. */
  static long[] without(long[] keys, long[] gone) {
    return gone.length == 0
        ? keys
        : Arrays.stream(keys).filter(key -> Arrays.binarySearch(gone, key) < 0).toArray();
  }

  /** The same of rows with what is theirs. */
  static List<ChangedRows> without(List<ChangedRows> changed, long[] gone) {
    return gone.length == 0 ? changed : changed.stream().map(of -> without(of, gone)).toList();
  }

  private static ChangedRows without(ChangedRows of, long[] gone) {
    long[] keys = without(of.keys(), gone);
    if (keys.length == of.keys().length) {
      return of;
    }
    float[] rows = new float[keys.length * of.width()];
    float[] states = new float[keys.length * of.stateWidth()];
    int at = 0;
    for (int i = 0; i < of.keys().length; i++) {
      if (at < keys.length && of.keys()[i] == keys[at]) {
        System.arraycopy(of.rows(), i * of.width(), rows, at * of.width(), of.width());
        System.arraycopy(
            of.states(), i * of.stateWidth(), states, at * of.stateWidth(), of.stateWidth());
        at++;
      }
    }
    return new ChangedRows(of.width(), keys, rows, of.stateWidth(), states);
  }
}
