package dev.wukong.serving.retraining;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.Scope;
import dev.wukong.serving.joining.Example;
import dev.wukong.serving.joining.ImportanceWeights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Examples on their way to a step, each with the label of one task. The training thread's.
 *
 * <p>The loss of a task is a mean over the weights of the minibatch. So that an example weighs the
 * same whatever comes with it, the weights of each task are made up to what they are in a full
 * minibatch of that task alone, by labels that are what the model says already: these teach
 * nothing.
 */
final class Minibatch {
  private final FeatureEncoder encoder;
  private final EncodedExamples rows;
  private final int most;
  private final int tasks;

  /** What the weights of a task come to in a full minibatch. */
  private final double whole;

  private final List<Example> examples = new ArrayList<>();

  /**
   * Room for {@code most} examples of what {@code encoder} encodes.
   *
   * @param negatives the share of negative examples that there are, each with so much more weight
   */
  Minibatch(FeatureEncoder encoder, int most, double negatives) {
    this.encoder = encoder;
    this.rows = EncodedExamples.allocate(encoder, most);
    this.most = most;
    this.whole = most / negatives;
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

  /** For how long its first example has been there; -1: it has none. */
  long waitsSince(long nowMs) {
    return examples.isEmpty() ? -1 : nowMs - examples.getFirst().atMs();
  }

  /** How much of a full one it is. */
  double share() {
    return (double) examples.size() / most;
  }

  /** Those that were added, in their order. */
  List<Example> examples() {
    return examples;
  }

  /** The same as a step takes them. */
  EncodedExamples rows() {
    return rows.first(examples.size());
  }

  /** Whether weights depend on what the model gives the examples. */
  boolean wantsProbabilities() {
    return !full()
        || tasks > 1
        || examples.stream().anyMatch(example -> example.weighting().byProbability());
  }

  /** Weighs every example, and makes weights up, by what the model gives it, [rows, tasks]. */
  void weigh(float[] probabilities) {
    for (int row = 0; row < examples.size(); row++) {
      Example example = examples.get(row);
      int at = row * tasks + example.task();
      double importance = ImportanceWeights.of(example, probabilities[at]);
      rows.labelWeights()[at] = (float) (example.weight() * importance);
    }
    for (int task = 0; task < tasks; task++) {
      makeUp(task, probabilities);
    }
  }

  private void makeUp(int task, float[] probabilities) {
    int end = examples.size() * tasks;
    double sum = 0;
    for (int at = task; at < end; at += tasks) {
      sum += (double) rows.labelWeights()[at];
    }
    double missing = Math.max(0, whole - sum) / examples.size();
    for (int at = task; at < end; at += tasks) {
      double weight = (double) rows.labelWeights()[at];
      double label = (double) rows.labels()[at];
      double p = (double) probabilities[at];
      if (weight + missing > 0) {
        rows.labels()[at] = (float) ((weight * label + missing * p) / (weight + missing));
        rows.labelWeights()[at] = (float) (weight + missing);
      }
    }
  }

  void clear() {
    examples.clear();
  }
}
