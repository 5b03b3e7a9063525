package dev.wukong.serving.retraining;

import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.joining.Example;
import dev.wukong.serving.joining.ExampleBytes;
import java.util.List;

/**
 * Examples that have come out of the join and wait for a minibatch to be full, as they are at rest.
 * They are there as a whole, for the log may have forgotten their predictions, and the join, too;
 * and they are the model's, as the join's place is, so that another version of the bundle goes on
 * with them.
 */
final class CarriedExamples {
  private static final long KEY = 0;

  private CarriedExamples() {}

  /** The change that remembers them instead of those before. */
  static StateChange put(List<Example> examples) {
    return new StateChange.Put(StateKind.CURSOR, KEY, ExampleBytes.of(examples));
  }

  /**
   * Those of the last commit.
   *
   * @throws IllegalStateException if they are damaged
   */
  static List<Example> read(StateStore store, RowsView view) {
    byte[] value = store.state(view, StateKind.CURSOR, new long[] {KEY}).getFirst();
    return value == null ? List.of() : ExampleBytes.read(value);
  }
}
