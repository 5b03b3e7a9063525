package dev.wukong.serving.retraining;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.RowKey;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.lifecycle.RowAdmission;
import dev.wukong.serving.lifecycle.RowExpiry;
import dev.wukong.training.RowOrigin;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Rows as training left them at the last commit, else as the bundle has them; ids that were seen
 * often enough get one, which starts as their table's default row. The training thread's.
 */
final class StoredRows implements RowOrigin {
  private final StateStore store;
  private final RowsView view;
  private final Bundle bundle;
  private final IntUnaryOperator stateWidth;
  private final RowAdmission admission;
  private final RowExpiry expiry;
  private final LongPredicate held;
  private final List<float[]> defaults;

  /** Rows that were made since the last commit. */
  private int fresh;

  /**
   * Those of {@code bundle}, which stays open.
   *
   * @param stateWidth floats that the optimizer keeps of a row, by its width
   * @param held says which keys get no row now
   */
  StoredRows(
      StateStore store,
      RowsView view,
      Bundle bundle,
      IntUnaryOperator stateWidth,
      RowAdmission admission,
      RowExpiry expiry,
      LongPredicate held) {
    this.store = store;
    this.view = view;
    this.bundle = bundle;
    this.stateWidth = stateWidth;
    this.admission = admission;
    this.expiry = expiry;
    this.held = held;
    this.defaults = bundle.layout().tables().stream().map(bundle.manifest()::defaultRow).toList();
  }

  @Override
  public void load(int width, long[] keys, int[] times, boolean create, Receiver rows) {
    List<byte @Nullable []> trained = store.state(view, StateKind.OPTIMIZER, keys);
    BundleRow room = new BundleRow(bundle, width, stateWidth.applyAsInt(width));
    for (int i = 0; i < keys.length; i++) {
      if (room.read(keys[i], trained.get(i))) {
        rows.row(i, room.row(), room.state());
      } else if (create && admitted(keys[i], times[i])) {
        Arrays.fill(room.state(), 0);
        rows.row(i, defaultRow(RowKey.table(keys[i])), room.state());
      }
    }
  }

  /** Whether there is a row by the last commit. */
  boolean has(long key) {
    int width = bundle.layout().tables().get(RowKey.table(key)).width();
    byte[] trained = store.state(view, StateKind.OPTIMIZER, new long[] {key}).getFirst();
    return new BundleRow(bundle, width, stateWidth.applyAsInt(width)).read(key, trained);
  }

  private boolean admitted(long key, int times) {
    if (held.test(key)) {
      return false;
    }
    for (int i = 0; i < times; i++) {
      if (admission.see(key) == RowAdmission.Verdict.ADMITTED) {
        expiry.admitted();
        fresh++;
        return true;
      }
    }
    return false;
  }

  /** How many rows were made since this was last asked. */
  int takeFresh() {
    int taken = fresh;
    fresh = 0;
    return taken;
  }

  @Override
  public float[] defaultRow(int table) {
    return defaults.get(table);
  }
}
