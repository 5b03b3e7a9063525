package dev.wukong.serving.retraining;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.Scope;
import dev.wukong.serving.joining.Example;
import dev.wukong.serving.joining.ImportanceWeights;
import dev.wukong.serving.joining.Weighting;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Examples on their way to a step, each with the label of one task. The training thread's. */
final class Minibatch {
  private final FeatureEncoder encoder;
  private final EncodedExamples rows;
  private final int most;
  private final int tasks;
  private final List<Example> examples = new ArrayList<>();

  /** Room for {@code most} examples of what {@code encoder} encodes. */
  Minibatch(FeatureEncoder encoder, int most) {
    this.encoder = encoder;
    this.rows = EncodedExamples.allocate(encoder, most);
    this.most = most;
    this.tasks = encoder.schema().tasks().size();
  }

  /** Takes an example while it is not {@link #full}. */
  void add(Example example) {
    int row = examples.size();
    EncodedRows context = example.shown().context(); // No row where there are no such features.
    encoder.copy(Scope.CONTEXT, context, 0, context.rows(), rows.context(), row);
    encoder.copy(Scope.CANDIDATE, example.shown().candidate(), 0, 1, rows.candidate(), row);
    Arrays.fill(rows.labels(), row * tasks, (row + 1) * tasks, 0);
    Arrays.fill(rows.labelWeights(), row * tasks, (row + 1) * tasks, 0);
    int at = row * tasks + example.task();
    rows.labels()[at] = example.label();
    rows.labelWeights()[at] = example.weight();
    examples.add(example);
  }

  boolean full() {
    return examples.size() == most;
  }

  boolean empty() {
    return examples.isEmpty();
  }

  /** Those that were added, in their order. */
  List<Example> examples() {
    return examples;
  }

  /** The same as a step takes them. */
  EncodedExamples rows() {
    return rows.first(examples.size());
  }

  /** Whether some example's weight depends on what the model gives it. */
  boolean wantsProbabilities() {
    return examples.stream().anyMatch(example -> example.weighting() != Weighting.PLAIN);
  }

  /** Weighs every example by what the model gives it, [rows, tasks]. */
  void weigh(float[] probabilities) {
    for (int row = 0; row < examples.size(); row++) {
      Example example = examples.get(row);
      int at = row * tasks + example.task();
      double importance = ImportanceWeights.of(example, probabilities[at]);
      rows.labelWeights()[at] = (float) (example.weight() * importance);
    }
  }

  void clear() {
    examples.clear();
  }
}
