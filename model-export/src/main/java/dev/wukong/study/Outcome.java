package dev.wukong.study;

import dev.wukong.metrics.Measure;
import dev.wukong.metrics.Metrics;
import dev.wukong.metrics.Watch;
import java.util.List;
import java.util.Map;

/**
 * A finished run: everything that a report needs.
 *
 * @param task the one that reports look at first
 * @param curve every epoch
 * @param losses within epochs
 * @param selectedEpoch whose state the validation data chose
 * @param metrics by split and task
 * @param test more on the test split, by task
 * @param bundle the exported bundle's folder below the study's; empty where none was written
 */
public record Outcome(
    Identity identity,
    String task,
    Size size,
    List<CurvePoint> curve,
    List<LossPoint> losses,
    int selectedEpoch,
    Map<String, Map<String, Metrics>> metrics,
    Map<String, TaskDetail> test,
    Effort effort,
    String bundle)
    implements Result {

  /**
   * How large the model is.
   *
   * @param embeddingRows of all tables
   * @param parameters all trained numbers
   * @param forwardFlops of products for one example, two for each multiply-add
   * @param trainingFlops three times as many, the count of the paper
   */
  public record Size(
      long denseWeights,
      long embeddingRows,
      long embeddingWeights,
      long parameters,
      long forwardFlops,
      long trainingFlops) {}

  /**
   * More on one task of the test split.
   *
   * @param excessEntropy the mean KL(true || predicted) in nats; NaN where the truth is not known
   */
  public record TaskDetail(
      List<CalibrationBin> calibration, List<Slice> slices, Blocks blocks, double excessEntropy) {}

  /**
   * What it took.
   *
   * @param examples trained on, each as often as it was met
   * @param seconds of training, validation not counted
   * @param machine in words
   * @param version of the program; empty where it is not known, as is the commit
   */
  public record Effort(
      long examples,
      double seconds,
      double examplesPerSecond,
      int threads,
      String machine,
      String version,
      String commit) {}

  /** The metrics of the first task on {@code split}. */
  Metrics of(String split) {
    Metrics found = metrics.getOrDefault(split, Map.of()).get(task);
    if (found == null) {
      throw new IllegalStateException(identity.label() + " has no metrics of " + split);
    }
    return found;
  }

  /**
   * The validation AUC of the task that {@code training.plateau.watch} names, or the mean of all
   * that have one; NaN where none has. Runs are chosen among by it, whatever measure chose their
   * epochs.
   */
  double validAuc() {
    return watch().of(metrics.getOrDefault("valid", Map.of()), Measure.AUC);
  }

  /** Whose validation metrics chose the epoch. */
  Watch watch() {
    return new Watch(
        identity
            .configuration()
            .path("training")
            .path("plateau")
            .path("watch")
            .asString(Watch.MEAN));
  }

  /** More on the first task. */
  TaskDetail detail() {
    TaskDetail detail = test.get(task);
    if (detail == null) {
      throw new IllegalStateException(identity.label() + " has no test figures of " + task);
    }
    return detail;
  }

  /** Training FLOPs of all examples, in petaFLOP/s-days. */
  double petaflopDays() {
    return (double) size.trainingFlops() * effort.examples() / 8.64e19;
  }
}
