package dev.wukong.serving.retraining;

import dev.wukong.bundle.Bundle;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.training.RowOrigin;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/** Rows as they were in the last healthy state; none is made. The training thread's. */
final class HealthyRows implements RowOrigin {
  private final StateStore store;
  private final RowsView view;
  private final Bundle bundle;
  private final Generations generations;
  private final IntUnaryOperator stateWidth;

  /**
   * Those of {@code bundle}, which stays open.
   *
   * @param stateWidth floats that the optimizer keeps of a row, by its width
   */
  HealthyRows(
      StateStore store,
      RowsView view,
      Bundle bundle,
      Generations generations,
      IntUnaryOperator stateWidth) {
    this.store = store;
    this.view = view;
    this.bundle = bundle;
    this.generations = generations;
    this.stateWidth = stateWidth;
  }

  @Override
  public void load(int width, long[] keys, int[] times, boolean create, Receiver rows) {
    List<byte @Nullable []> now = store.state(view, StateKind.OPTIMIZER, keys);
    List<byte @Nullable []> undo = store.state(view, StateKind.UNDO, keys);
    BundleRow room = new BundleRow(bundle, width, stateWidth.applyAsInt(width));
    for (int i = 0; i < keys.length; i++) {
      Memories.Memory before = Memories.of(undo.get(i)).since(generations.newest());
      if (room.read(keys[i], before == null ? now.get(i) : before.row())) {
        rows.row(i, room.row(), room.state());
      }
    }
  }

  @Override
  public float[] defaultRow(int table) {
    return bundle.manifest().defaultRow(bundle.layout().tables().get(table));
  }
}
