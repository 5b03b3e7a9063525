package dev.wukong.serving.lifecycle;

import dev.wukong.data.RowKey;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongPredicate;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Takes rows away that were not learned from for long, and those worth least where there are too
 * many. It goes through all rows, some at a time and round and round; what it takes goes as any
 * other change does, in a commit: who reads at an older version still has it.
 *
 * <p>Which rows go depends on the store, the time that it is told and nothing else, so that who
 * does all again after a crash takes the same. After a commit that failed another one has to be
 * made from the store: this one is ahead of it. One thread, that of training.
 */
public final class RowExpiry {
  /** Where it keeps how far it has come; beside what {@link RowAdmission} keeps. */
  private static final long PROGRESS = 1;

  private static final int BYTES = 3 * Long.BYTES + Integer.BYTES + RowRanks.COUNT * Integer.BYTES;

  /** Of so many rows that may be, room for one is made at a time. */
  private static final int ROOM = 32;

  /** No row is worth less. */
  private static final int NONE = -1;

  private final StateStore store;
  private final RowsView view;
  private final List<RowPolicy> tables;
  private final long mostRows;

  /** Rows that are left where there were too many, so that there is room for some that are new. */
  private final long wantedRows;

  private final Instant imported;
  private final LifecycleMeters meters;

  /** The row that was looked at last; negative: none in this pass. */
  private long last = -1;

  private long rows;

  /** Rows of less worth go where there are too many: the last pass says so. */
  private int least = NONE;

  /** Of those of just that worth so many. */
  private long atLeast;

  private final RowRanks ranks = new RowRanks();
  private List<StateChange> changes = new ArrayList<>();

  /**
   * Goes on where the last commit was.
   *
   * @param tables by the table's ordinal
   * @param mostRows rows that may be
   * @param importedRows rows of the bundle as it was imported, of which training knows nothing
   * @param imported when these were last learned from
   * @throws dev.wukong.serving.embedding.StoreException if the store fails
   */
  public RowExpiry(
      StateStore store,
      RowsView view,
      List<RowPolicy> tables,
      long mostRows,
      long importedRows,
      Instant imported,
      LifecycleMeters meters) {
    this.store = store;
    this.view = view;
    this.tables = List.copyOf(tables);
    this.mostRows = mostRows;
    this.wantedRows = mostRows - mostRows / ROOM;
    this.imported = imported;
    this.meters = meters;
    this.rows = importedRows;
    byte[] progress = store.state(view, StateKind.PROGRESS, new long[] {PROGRESS}).getFirst();
    if (progress != null) {
      read(ByteBuffer.wrap(progress));
    }
  }

  private void read(ByteBuffer progress) {
    last = progress.getLong();
    rows = progress.getLong();
    least = progress.getInt();
    atLeast = progress.getLong();
    ranks.read(progress);
  }

  /** How far it has come. */
  private StateChange progress() {
    ByteBuffer progress = ByteBuffer.allocate(BYTES);
    progress.putLong(last).putLong(rows).putInt(least).putLong(atLeast);
    ranks.write(progress);
    return new StateChange.Put(StateKind.PROGRESS, PROGRESS, progress.array());
  }

  /**
   * What has changed since this was last asked, to be written with the rows: of those that went,
   * and of how far this has come. Every commit must take it along, also one from which no row goes.
   */
  public List<StateChange> drain() {
    List<StateChange> drained = changes;
    changes = new ArrayList<>();
    drained.add(progress());
    return drained;
  }

  /** Rows that there are, with those that were {@link #admitted} and without those that went. */
  public long rows() {
    return rows;
  }

  /** Whether a row more may be. */
  public boolean hasRoom() {
    return rows < mostRows;
  }

  /** A row has come. */
  public void admitted() {
    rows++;
  }

  /** Rows that had come are taken back. */
  public void withdrawn(long count) {
    rows -= count;
  }

  /**
   * Looks at the next rows.
   *
   * @param now the time of the events that training is at
   * @param most how many it looks at
   * @param changing says which keys this commit sets: they stay
   * @return keys of the rows that go, which the commit must remove
   * @throws dev.wukong.serving.embedding.StoreException if the store fails
   */
  public long[] next(Instant now, int most, LongPredicate changing) {
    long[] keys = store.rowKeys(view, last, most);
    List<byte @Nullable []> lives = store.state(view, StateKind.LIFE, keys);
    LongStream.Builder removed = LongStream.builder();
    for (int i = 0; i < keys.length; i++) {
      byte[] life = lives.get(i);
      if (goes(
          keys[i], life == null ? new RowLife(imported, 0) : RowLife.of(life), now, changing)) {
        removed.add(keys[i]);
        changes.add(new StateChange.Remove(StateKind.LIFE, keys[i]));
        changes.add(new StateChange.Remove(StateKind.OPTIMIZER, keys[i]));
        rows--;
      }
    }
    if (keys.length < most) {
      endPass();
    } else {
      last = keys[keys.length - 1];
    }
    return removed.build().toArray();
  }

  /** Whether a row goes; one that stays is counted by its worth. */
  private boolean goes(long key, RowLife life, Instant now, LongPredicate changing) {
    int table = RowKey.table(key);
    Duration between = Duration.between(life.learned(), now);
    Duration age = between.isNegative() ? Duration.ZERO : between; // Events are not in order.
    meters.age(table, age);
    if (RowKey.id(key) < RowKey.FIRST || changing.test(key)) {
      return false; // The rows of values that are absent or were never seen have no other.
    }
    int rank = RowRanks.rank(life.times(), age);
    Duration limit = tables.get(table).age();
    if (limit != null && age.compareTo(limit) > 0) {
      meters.expired();
      return true;
    }
    if (rows > wantedRows && (rank < least || (rank == least && atLeast > 0))) {
      atLeast -= rank == least ? 1 : 0;
      meters.crowdedOut();
      return true;
    }
    ranks.add(rank);
    return false;
  }

  private void endPass() {
    last = -1;
    long tooMany = hasRoom() ? 0 : rows - wantedRows;
    least = tooMany == 0 ? NONE : ranks.of(tooMany);
    atLeast = tooMany == 0 ? 0 : tooMany - ranks.below(least);
    ranks.clear();
  }
}
