package dev.wukong.serving.retraining;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.RowKey;
import dev.wukong.data.Table;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.embedding.StateStore.Remembered;
import dev.wukong.training.LearnedExport;
import dev.wukong.training.RowOrigin;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A bundle's rows as the last commit left them, in their order or by key: those that were trained
 * here from the store, others from the bundle. One thread, while nobody commits.
 */
final class LearnedRows implements LearnedExport.Rows {
  /** Trained rows that are read together. */
  private static final int PAGE = 4096;

  private final StateStore store;
  private final RowsView view;
  private final Bundle bundle;
  private final IntUnaryOperator stateWidth;

  /**
   * The rows of {@code bundle}, which stays open.
   *
   * @param stateWidth floats that the optimizer keeps of a row, by its width
   */
  LearnedRows(StateStore store, RowsView view, Bundle bundle, IntUnaryOperator stateWidth) {
    this.store = store;
    this.view = view;
    this.bundle = bundle;
    this.stateWidth = stateWidth;
  }

  @Override
  public void forEach(LearnedExport.Receiver receiver) {
    Trained trained = new Trained(receiver);
    // Keys are the table's ordinal and the id, so that both sides come in the same order.
    for (Table table : bundle.layout().tables()) {
      float[] row = new float[table.width()];
      float[] state = new float[stateWidth.applyAsInt(table.width())];
      bundle.forEachRow(
          table,
          (id, values) -> {
            trained.giveBelow(RowKey.of(table.ordinal(), id));
            if (!trained.giveOrPass(RowKey.of(table.ordinal(), id))) {
              values.get(row);
              readState(table, id, state);
              receiver.row(table.ordinal(), id, row, state);
            }
          });
      trained.giveBelow(RowKey.of(table.ordinal() + 1, 0));
    }
  }

  private void readState(Table table, long id, float[] state) {
    if (!bundle.findState(table, id, state)) {
      Arrays.fill(state, 0);
    }
  }

  /** What was trained here, by ascending key. */
  private final class Trained {
    private final LearnedExport.Receiver receiver;
    private List<Remembered> page = List.of();
    private int at;
    private long last = -1;
    private boolean ended;

    Trained(LearnedExport.Receiver receiver) {
      this.receiver = receiver;
    }

    private @Nullable Remembered peek() {
      if (at == page.size() && !ended) {
        page = store.states(view, StateKind.OPTIMIZER, last, PAGE);
        at = 0;
        ended = page.size() < PAGE;
      }
      return at < page.size() ? page.get(at) : null;
    }

    /** Gives those below {@code key} that the bundle does not have. */
    void giveBelow(long key) {
      for (Remembered next = peek(); next != null && next.key() < key; next = peek()) {
        give(next);
      }
    }

    /** Gives that of {@code key}, unless it is removed; false where nothing was trained. */
    boolean giveOrPass(long key) {
      Remembered next = peek();
      if (next == null || next.key() != key) {
        return false;
      }
      give(next);
      return true;
    }

    private void give(Remembered trained) {
      at++;
      last = trained.key();
      if (trained.value().length > 0) {
        Table table = bundle.layout().tables().get(RowKey.table(trained.key()));
        float[] row = new float[table.width()];
        float[] state = new float[stateWidth.applyAsInt(table.width())];
        MasterRow.read(trained.value(), row, state);
        receiver.row(table.ordinal(), RowKey.id(trained.key()), row, state);
      }
    }
  }

  /** The same rows by key; none is made. */
  RowOrigin byKey(List<float[]> defaults) {
    return new RowOrigin() {
      @Override
      public void load(int width, long[] keys, int[] times, boolean create, Receiver rows) {
        LearnedRows.this.load(width, keys, rows);
      }

      @Override
      public float[] defaultRow(int table) {
        return defaults.get(table);
      }
    };
  }

  private void load(int width, long[] keys, RowOrigin.Receiver rows) {
    List<byte @Nullable []> trained = store.state(view, StateKind.OPTIMIZER, keys);
    BundleRow room = new BundleRow(bundle, width, stateWidth.applyAsInt(width));
    for (int i = 0; i < keys.length; i++) {
      if (room.read(keys[i], trained.get(i))) {
        rows.row(i, room.row(), room.state());
      }
    }
  }
}
