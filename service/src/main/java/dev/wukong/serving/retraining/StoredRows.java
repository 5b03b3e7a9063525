package dev.wukong.serving.retraining;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.RowKey;
import dev.wukong.data.Table;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.lifecycle.RowAdmission;
import dev.wukong.serving.lifecycle.RowExpiry;
import dev.wukong.training.RowOrigin;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;
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
  private final List<float[]> defaults;

  /**
   * Those of {@code bundle}, which stays open.
   *
   * @param stateWidth floats that the optimizer keeps of a row, by its width
   */
  StoredRows(
      StateStore store,
      RowsView view,
      Bundle bundle,
      IntUnaryOperator stateWidth,
      RowAdmission admission,
      RowExpiry expiry) {
    this.store = store;
    this.view = view;
    this.bundle = bundle;
    this.stateWidth = stateWidth;
    this.admission = admission;
    this.expiry = expiry;
    this.defaults = bundle.layout().tables().stream().map(bundle.manifest()::defaultRow).toList();
  }

  @Override
  public void load(int width, long[] keys, int[] times, boolean create, Receiver rows) {
    List<byte @Nullable []> trained = store.state(view, StateKind.OPTIMIZER, keys);
    float[] row = new float[width];
    float[] state = new float[stateWidth.applyAsInt(width)];
    for (int i = 0; i < keys.length; i++) {
      byte[] bytes = trained.get(i);
      if (bytes != null && bytes.length > 0) {
        MasterRow.read(bytes, row, state);
        rows.row(i, row, state);
      } else if (bytes == null && inBundle(keys[i], row, state)) {
        rows.row(i, row, state);
      } else if (create && admitted(keys[i], times[i])) {
        Arrays.fill(state, 0);
        rows.row(i, defaultRow(RowKey.table(keys[i])), state);
      }
    }
  }

  private boolean inBundle(long key, float[] row, float[] state) {
    Table table = bundle.layout().tables().get(RowKey.table(key));
    if (!bundle.findRow(table, RowKey.id(key), row)) {
      return false;
    }
    if (!bundle.findState(table, RowKey.id(key), state)) {
      Arrays.fill(state, 0);
    }
    return true;
  }

  private boolean admitted(long key, int times) {
    for (int i = 0; i < times; i++) {
      if (admission.see(key) == RowAdmission.Verdict.ADMITTED) {
        expiry.admitted();
        return true;
      }
    }
    return false;
  }

  @Override
  public float[] defaultRow(int table) {
    return defaults.get(table);
  }
}
