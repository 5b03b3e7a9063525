package dev.wukong.serving.lifecycle;

import dev.wukong.data.RowKey;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Gives rows to ids that are seen often enough; others go on with their table's default row. Most
 * ids of a feed are seen once or twice, and a row of their own would learn nothing but noise.
 *
 * <p>Sights are counted exactly, for a bounded number of ids and two periods: who was not seen in
 * this one nor in the one before begins anew. When there is no room, nobody new is counted, and so
 * nobody gets a row without having been seen: a flood of new ids does not fill the table with them.
 * Counts change with the rows, in one write; after a crash they are those of the last commit. After
 * a commit that failed another one has to be made from the store: this one is ahead of it.
 *
 * <p>One thread, that of training.
 */
public final class RowAdmission {
  /** Where the number of periods is kept. */
  private static final long PERIODS = 0;

  /** What becomes of an id that was seen. */
  public enum Verdict {
    /** It gets a row now. */
    ADMITTED,
    /** It was not seen often enough. */
    NOT_YET,
    /** It would be counted, or get a row, if there were room. */
    FULL
  }

  private final List<RowPolicy> tables;
  private final BooleanSupplier room;
  private final LifecycleMeters meters;
  private SightCounts current;
  private SightCounts before;
  private long periods;
  private List<StateChange> changes = new ArrayList<>();

  /**
   * Goes on where the last commit was.
   *
   * @param view whose ids they are
   * @param tables by the table's ordinal
   * @param most ids that are counted in a period
   * @param room whether a row more may be
   * @throws dev.wukong.serving.embedding.StoreException if the store fails
   */
  public RowAdmission(
      StateStore store,
      RowsView view,
      List<RowPolicy> tables,
      int most,
      BooleanSupplier room,
      LifecycleMeters meters) {
    this.tables = List.copyOf(tables);
    this.room = room;
    this.meters = meters;
    current = new SightCounts(most);
    before = new SightCounts(most);
    byte[] turned = store.state(view, StateKind.PROGRESS, new long[] {PERIODS}).getFirst();
    periods = turned == null ? 0 : ByteBuffer.wrap(turned).getLong();
    store.forEachState(view, kind(periods), (key, count) -> current.put(key, count(count)));
    store.forEachState(view, kind(periods - 1), (key, count) -> before.put(key, count(count)));
  }

  private static int count(byte[] count) {
    return Byte.toUnsignedInt(count[0]);
  }

  private static StateKind kind(long period) {
    return (period & 1) == 0 ? StateKind.SIGHTS_EVEN : StateKind.SIGHTS_ODD;
  }

  /**
   * An id without a row was seen.
   *
   * @param key of the row that it would have
   */
  public Verdict see(long key) {
    int seen = current.get(key);
    int sights = (seen == 0 ? before.get(key) : seen) + 1;
    int needed = tables.get(RowKey.table(key)).sights();
    if (sights < needed) {
      return count(key, sights) ? Verdict.NOT_YET : full();
    }
    if (!room.getAsBoolean()) {
      if (seen == 0 && needed > 1) {
        boolean _ = count(key, needed - 1); // In this period, too, or it would begin anew.
      }
      return full();
    }
    forget(key);
    meters.admitted();
    return Verdict.ADMITTED;
  }

  /** An id counts as never seen. */
  public void forget(long key) {
    forget(current, periods, key);
    forget(before, periods - 1, key);
  }

  private boolean count(long key, int sights) {
    if (!current.put(key, sights)) {
      return false;
    }
    changes.add(new StateChange.Put(kind(periods), key, new byte[] {(byte) sights}));
    return true;
  }

  private Verdict full() {
    meters.full();
    return Verdict.FULL;
  }

  private void forget(SightCounts counts, long period, long key) {
    if (counts.remove(key)) {
      changes.add(new StateChange.Remove(kind(period), key));
    }
  }

  /** Ids that are counted in this period. */
  public int counted() {
    return current.size();
  }

  /** Begins another period; who decides when must decide the same when it does all again. */
  public void turn() {
    SightCounts oldest = before;
    oldest.clear();
    before = current;
    current = oldest;
    periods++;
    changes.add(new StateChange.Clear(kind(periods)));
    changes.add(
        new StateChange.Put(
            StateKind.PROGRESS, PERIODS, ByteBuffer.allocate(Long.BYTES).putLong(periods).array()));
  }

  /** What has changed since this was last asked, to be written with the rows. */
  public List<StateChange> drain() {
    List<StateChange> drained = changes;
    changes = new ArrayList<>();
    return drained;
  }
}
