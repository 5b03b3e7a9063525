package dev.wukong.serving.retraining;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.RowKey;
import dev.wukong.data.Table;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Room for a row with its optimizer's state, from what is kept of it or else from the bundle. */
@SuppressWarnings("ArrayRecordComponent") // Room, never compared.
record BundleRow(Bundle bundle, float[] row, float[] state) {
  /** Room for rows of {@code width}. */
  BundleRow(Bundle bundle, int width, int stateWidth) {
    this(bundle, new float[width], new float[stateWidth]);
  }

  /**
   * Reads the row of {@code key}; whether there is one.
   *
   * @param kept of it at rest, as {@link MasterRow} does; null: nothing
   */
  boolean read(long key, byte @Nullable [] kept) {
    if (kept != null) {
      if (kept.length == 0) {
        return false;
      }
      MasterRow.read(kept, row, state);
      return true;
    }
    Table table = bundle.layout().tables().get(RowKey.table(key));
    if (!bundle.findRow(table, RowKey.id(key), row)) {
      return false;
    }
    if (!bundle.findState(table, RowKey.id(key), state)) {
      Arrays.fill(state, 0);
    }
    return true;
  }
}
