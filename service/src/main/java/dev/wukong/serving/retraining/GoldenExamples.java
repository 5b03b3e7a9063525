package dev.wukong.serving.retraining;

import dev.wukong.bundle.GoldenRows;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import dev.wukong.data.UniqueRows;
import java.nio.IntBuffer;
import java.util.stream.LongStream;

/** A bundle's golden rows as training takes examples: each with a context of its own. */
final class GoldenExamples {
  private GoldenExamples() {}

  static EncodedExamples of(GoldenRows golden, FeatureEncoder encoder) {
    EncodedRows candidates = golden.candidate();
    return OwnContexts.of(
        encoder, golden.context(), candidates, golden.contextOf(), candidates.rows());
  }

  /** The keys of all rows that {@code examples} read, ascending. */
  static long[] keys(InputLayout layout, EncodedExamples examples) {
    UniqueRows rows = new UniqueRows(layout);
    LongStream.Builder keys = LongStream.builder();
    for (int group = 0; group < layout.groups().size(); group++) {
      collect(layout, rows, Scope.CONTEXT, group, examples.context());
      collect(layout, rows, Scope.CANDIDATE, group, examples.candidate());
      for (int slot = 1; slot <= rows.size(group); slot++) {
        keys.add(rows.key(group, slot));
      }
    }
    return keys.build().sorted().toArray();
  }

  private static void collect(
      InputLayout layout, UniqueRows rows, Scope scope, int group, EncodedRows of) {
    int slots = Math.multiplyExact(of.rows(), layout.slotWidth(scope, group));
    rows.slots(scope, group, of, IntBuffer.allocate(slots));
  }
}
