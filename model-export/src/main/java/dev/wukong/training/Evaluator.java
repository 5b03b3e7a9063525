package dev.wukong.training;

import dev.wukong.data.EncodedDataset;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.Progress;
import dev.wukong.data.RawNumber;
import dev.wukong.data.Task;
import dev.wukong.metrics.Metrics;
import dev.wukong.metrics.MetricsCollector;
import java.util.ArrayList;
import java.util.LinkedHashMap;
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
    List<Task> tasks = data.encoder().schema().tasks();
    List<MetricsCollector> collectors = new ArrayList<>();
    tasks.forEach(task -> collectors.add(new MetricsCollector()));
    score(
        scorer,
        data,
        batch,
        progress,
        (examples, probabilities) -> {
          for (int i = 0; i < examples.rows(); i++) {
            for (int t = 0; t < tasks.size(); t++) {
              int at = i * tasks.size() + t;
              if (examples.labelWeights()[at] > 0) {
                collectors
                    .get(t)
                    .add(probabilities[at], examples.labels()[at], examples.labelWeights()[at]);
              }
            }
          }
        });
    Map<String, Metrics> result = new LinkedHashMap<>();
    for (int t = 0; t < tasks.size(); t++) {
      result.put(tasks.get(t).name(), collectors.get(t).metrics());
    }
    return result;
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
