package dev.wukong.serving.retraining;

import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * Up to where a model has learned from the log, written with each commit.
 *
 * @param next the first position that is not in what was learned
 * @param bundle that learns
 */
record LogPlace(long next, long bundle) {
  private static final long KEY = 0;

  /** The change that remembers it. */
  StateChange put() {
    byte[] bytes = ByteBuffer.allocate(2 * Long.BYTES).putLong(next).putLong(bundle).array();
    return new StateChange.Put(StateKind.LOG, KEY, bytes);
  }

  /** That of the model's last commit; empty where there was none. */
  static Optional<LogPlace> read(StateStore store, String model) {
    RowsView any = new RowsView(model, 0, 0);
    byte[] value = store.state(any, StateKind.LOG, new long[] {KEY}).getFirst();
    if (value == null) {
      return Optional.empty();
    }
    ByteBuffer bytes = ByteBuffer.wrap(value);
    return Optional.of(new LogPlace(bytes.getLong(), bytes.getLong()));
  }
}
