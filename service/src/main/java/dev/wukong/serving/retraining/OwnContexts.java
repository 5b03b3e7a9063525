package dev.wukong.serving.retraining;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.Scope;

/** Candidates that share contexts as training takes examples: each with a context of its own. */
final class OwnContexts {
  private OwnContexts() {}

  /**
   * The first {@code count} candidates.
   *
   * @param contextOf [candidates]: below {@code context.rows()}; empty where there is no context
   */
  static EncodedExamples of(
      FeatureEncoder encoder,
      EncodedRows context,
      EncodedRows candidates,
      int[] contextOf,
      int count) {
    EncodedExamples examples = EncodedExamples.allocate(encoder, count);
    encoder.copy(Scope.CANDIDATE, candidates, 0, count, examples.candidate(), 0);
    for (int row = 0; row < count && contextOf.length > 0; row++) {
      encoder.copy(Scope.CONTEXT, context, contextOf[row], 1, examples.context(), row);
    }
    return examples;
  }
}
