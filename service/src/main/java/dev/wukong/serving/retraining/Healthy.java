package dev.wukong.serving.retraining;

import dev.wukong.data.EncodedExamples;
import dev.wukong.metrics.Metrics;
import dev.wukong.serving.gating.Gate;
import dev.wukong.serving.gating.Gate.Change;
import dev.wukong.serving.gating.Judged;
import dev.wukong.serving.joining.Example;
import dev.wukong.training.ChangedRows;
import dev.wukong.training.OnlineSession;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The model as it was in the last healthy state, beside the one that learns: both score every
 * example, and the gate adds up what became of it. The training thread's.
 */
final class Healthy implements AutoCloseable {
  /** Rows that are kept in memory. */
  private static final int MOST_ROWS = 1 << 20;

  private final OnlineSession session;
  private final Gate gate;

  /**
   * The model.
   *
   * @param session that is never trained; closed with this
   * @param dense weights of the healthy state
   */
  Healthy(OnlineSession session, Map<String, float[]> dense, Gate gate) {
    this.session = session;
    this.gate = gate;
    session.restore(dense);
  }

  /** Probabilities [rows, tasks]. */
  float[] score(EncodedExamples rows) {
    if (session.heldRows() > MOST_ROWS) {
      session.forgetRows();
    }
    return session.score(rows);
  }

  /**
   * Examples were scored before they are learned from.
   *
   * @param healthy probabilities [examples, tasks] by this
   * @param candidate the same by the model that learns
   * @param served number of the dense weights by which all answer but a canary
   */
  void add(List<Example> examples, float[] healthy, float[] candidate, long served) {
    for (int i = 0; i < examples.size(); i++) {
      Example example = examples.get(i);
      if (!example.timely()) {
        continue; // Many of one kind come at once: labels would look strange.
      }
      int tasks = example.shown().probabilities().length;
      int at = i * tasks + example.task();
      if (!Float.isFinite(healthy[at]) || !Float.isFinite(candidate[at])) {
        continue; // Of features that are no numbers; sums would be none any more.
      }
      gate.add(
          new Judged(
              example.task(),
              example.label(),
              example.weight(),
              healthy[at],
              candidate[at],
              example.shown().probabilities()[example.task()],
              gate.slices()
                  .of(
                      example.shown().position(),
                      example.shown().context(),
                      example.shown().candidate(),
                      example.shown().version().dense() > served)));
    }
  }

  /** All is another healthy state now, in which these rows may be others. */
  void become(Map<String, float[]> dense, long[] rows) {
    session.restore(dense);
    forget(rows);
  }

  /** These rows may be others. */
  void forget(long[] rows) {
    for (long key : rows) {
      session.forgetRow(key);
    }
  }

  /**
   * What a commit changes.
   *
   * @param steps that it has
   * @param before probabilities of golden rows
   * @param after the same by now
   * @param dense all that is trained but rows
   */
  static Change change(
      long steps,
      float[] before,
      float[] after,
      Map<String, float[]> dense,
      List<ChangedRows> rows) {
    double sum = 0;
    double most = 0;
    for (int i = 0; i < after.length; i++) {
      double moved = Math.abs(Metrics.logit((double) after[i]) - Metrics.logit((double) before[i]));
      sum += moved;
      most = Math.max(most, moved);
    }
    return new Change(
        steps, after.length == 0 ? 0 : sum / after.length, most, norm(rows), unfit(after, dense));
  }

  /** The greatest length of a row; NaN where a number is none. */
  private static double norm(List<ChangedRows> changed) {
    double most = 0;
    for (ChangedRows of : changed) {
      for (int i = 0; i < of.keys().length; i++) {
        double squares = 0;
        for (int j = i * of.width(); j < (i + 1) * of.width(); j++) {
          squares += (double) of.rows()[j] * of.rows()[j];
        }
        most = Math.max(most, squares); // NaN stays.
      }
    }
    return Math.sqrt(most);
  }

  private static Optional<String> unfit(float[] golden, Map<String, float[]> dense) {
    for (float probability : golden) {
      if (!Float.isFinite(probability)) {
        return Optional.of("the probability of a golden row is " + probability);
      }
    }
    for (Map.Entry<String, float[]> tensor : dense.entrySet()) {
      for (float value : tensor.getValue()) {
        if (!Float.isFinite(value)) {
          return Optional.of("a number of tensor '%s' is %s".formatted(tensor.getKey(), value));
        }
      }
    }
    return Optional.empty();
  }

  @Override
  public void close() {
    session.close();
  }
}
