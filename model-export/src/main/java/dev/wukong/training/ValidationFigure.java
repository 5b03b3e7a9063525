package dev.wukong.training;

import dev.wukong.data.DataException;
import dev.wukong.data.EncodedDataset;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.Task;
import dev.wukong.metrics.Measure;
import dev.wukong.metrics.Metrics;
import dev.wukong.metrics.Watch;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The figure that tells a better epoch from a worse one: the watched task's AUC or log loss, or the
 * mean of all tasks that have one. The validation data defines it.
 */
record ValidationFigure(Watch watch, Measure measure) {
  private static final int BATCH = 4096;

  /**
   * The figure that {@code plateau} names, on {@code valid}. Reads its rows until every AUC is
   * known to be defined.
   *
   * @throws DataException where no watched task has examples of both labels: neither measure says
   *     anything then
   */
  static ValidationFigure of(TrainingConfig.PlateauConfig plateau, EncodedDataset valid) {
    List<Task> tasks = valid.encoder().schema().tasks();
    boolean[][] seen = new boolean[tasks.size()][2];
    EncodedExamples room = valid.allocate(BATCH);
    for (long first = 0; first < valid.rows() && !both(seen); first += BATCH) {
      int count = (int) Math.min(BATCH, valid.rows() - first);
      EncodedExamples examples = valid.range(first, count, room);
      for (int i = 0; i < count * tasks.size(); i++) {
        if (examples.labelWeights()[i] > 0) {
          seen[i % tasks.size()][examples.labels()[i] > 0 ? 1 : 0] = true;
        }
      }
    }
    Watch watched = new Watch(plateau.watch());
    boolean defined =
        IntStream.range(0, tasks.size())
            .filter(task -> watched.counts(tasks.get(task).name()))
            .anyMatch(task -> seen[task][0] && seen[task][1]);
    if (!defined) {
      throw new DataException(
          "the validation data has no AUC of "
              + (watched.isMean()
                  ? "any task"
                  : "task '" + watched.task() + "', which training.plateau.watch names")
              + ": examples of both labels are needed, but "
              + IntStream.range(0, tasks.size())
                  .filter(task -> watched.counts(tasks.get(task).name()))
                  .mapToObj(
                      task -> "'%s' has %s".formatted(tasks.get(task).name(), found(seen[task])))
                  .collect(Collectors.joining(", ")));
    }
    return new ValidationFigure(watched, plateau.measure());
  }

  /** Of a task without both labels. */
  private static String found(boolean[] seen) {
    return seen[0] ? "0 alone" : seen[1] ? "1 alone" : "none";
  }

  private static boolean both(boolean[][] seen) {
    for (boolean[] task : seen) {
      if (!task[0] || !task[1]) {
        return false;
      }
    }
    return true;
  }

  /** Higher is better. */
  double of(Map<String, Metrics> validation) {
    return watch.of(validation, measure);
  }
}
