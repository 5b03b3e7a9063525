package dev.wukong.training;

import dev.wukong.data.EncodedDataset;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.Progress;
import dev.wukong.data.RawNumber;
import dev.wukong.data.Task;
import dev.wukong.metrics.Metrics;
import dev.wukong.metrics.TaskMetrics;
import java.util.List;
import java.util.Map;

/** Scores a whole data set in its order. */
public final class Evaluator {
  private Evaluator() {}

  /** Gives the probabilities [rows, tasks] of a batch. */
  @FunctionalInterface
  public interface Scorer {
    float[] score(EncodedExamples batch);
  }

  /** Sees the probabilities of one batch after the other. */
  @FunctionalInterface
  public interface BatchVisitor {
    void batch(EncodedExamples batch, float[] probabilities);
  }

  /** Metrics by task name, in the schema's order. */
  public static Map<String, Metrics> evaluate(
      Scorer scorer, EncodedDataset data, int batch, Progress progress) {
    TaskMetrics metrics =
        new TaskMetrics(data.encoder().schema().tasks().stream().map(Task::name).toList());
    score(
        scorer,
        data,
        batch,
        progress,
        (examples, probabilities) ->
            metrics.add(
                probabilities, examples.labels(), examples.labelWeights(), examples.rows()));
    return metrics.metrics();
  }

  /**
   * Hands every batch of {@code data} and its probabilities to {@code visitor}.
   *
   * @throws NotFiniteException where a probability is none; the message names the row, from 1
   */
  public static void score(
      Scorer scorer, EncodedDataset data, int batch, Progress progress, BatchVisitor visitor) {
    EncodedExamples room = data.allocate(batch);
    for (long first = 0; first < data.rows(); first += batch) {
      int count = (int) Math.min(batch, data.rows() - first);
      EncodedExamples examples = data.range(first, count, room);
      float[] probabilities = scorer.score(examples);
      check(data, first, examples, probabilities);
      visitor.batch(examples, probabilities);
      progress.rows(first + count);
    }
  }

  private static void check(
      EncodedDataset data, long first, EncodedExamples examples, float[] probabilities) {
    List<Task> tasks = data.encoder().schema().tasks();
    for (int i = 0; i < probabilities.length; i++) {
      if (!Float.isFinite(probabilities[i])) {
        int at = i / tasks.size();
        long row = first + at + 1;
        throw NotFiniteException.of(
            "row %d: the probability of task '%s' is %s"
                .formatted(row, tasks.get(i % tasks.size()).name(), probabilities[i]),
            RawNumber.largest(data.encoder(), examples, at, row));
      }
    }
  }
}
