package dev.wukong.training;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import java.util.Arrays;

/** Cuts examples into ranges. */
final class Minibatches {
  private Minibatches() {}

  /** Examples {@code from} to {@code from + count}: copied, but for those at the start. */
  static EncodedExamples range(InputLayout layout, EncodedExamples all, int from, int count) {
    if (from == 0) {
      return all.first(count);
    }
    int tasks = layout.schema().tasks().size();
    return new EncodedExamples(
        range(layout, Scope.CONTEXT, all.context(), from, count),
        range(layout, Scope.CANDIDATE, all.candidate(), from, count),
        Arrays.copyOfRange(all.labels(), from * tasks, (from + count) * tasks),
        Arrays.copyOfRange(all.labelWeights(), from * tasks, (from + count) * tasks));
  }

  private static EncodedRows range(
      InputLayout layout, Scope scope, EncodedRows all, int from, int count) {
    int positions = layout.positions(scope);
    int dense = layout.denseWidth(scope);
    return new EncodedRows(
        count,
        Arrays.copyOfRange(all.ids(), from * positions, (from + count) * positions),
        all.weights().length == 0
            ? all.weights()
            : Arrays.copyOfRange(all.weights(), from * positions, (from + count) * positions),
        Arrays.copyOfRange(all.dense(), from * dense, (from + count) * dense));
  }
}
