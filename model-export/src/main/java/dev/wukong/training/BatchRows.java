package dev.wukong.training;

import dev.wukong.data.EncodedRows;
import dev.wukong.data.Scope;
import java.nio.FloatBuffer;

/**
 * The embedding rows that one batch sees. Slots are asked for first, then the rows they point to.
 */
interface BatchRows {
  /** The slots [rows, W] of {@code rows} in {@code out}. */
  void slots(Scope scope, int group, EncodedRows rows, int[] out);

  /** Rows in {@link #rows}, the padding row included. */
  int size(int group);

  /** The batch's rows [size, d], in direct memory; the first is the padding row, zero. */
  FloatBuffer rows(int group);
}
