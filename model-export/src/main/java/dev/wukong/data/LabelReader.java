package dev.wukong.data;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads the labels of a source's current row and their weights: the one place that knows what a
 * label is, for training, for evaluation and for whoever compares a service's answers. Not
 * thread-safe.
 */
public final class LabelReader {
  private record Bound(Task task, Cell label, Optional<Cell> weight) {}

  private final List<@Nullable Bound> tasks = new ArrayList<>();

  private LabelReader() {}

  /**
   * The reader of all of {@code tasks}.
   *
   * @throws DataException if the source lacks the column of a label or of its weights
   */
  public static LabelReader of(List<Task> tasks, RowSource source) {
    LabelReader reader = new LabelReader();
    tasks.forEach(task -> reader.tasks.add(bind(task, source)));
    return reader;
  }

  /**
   * The reader of those of {@code tasks} whose label column the source has; the others' labels are
   * absent.
   *
   * @throws DataException if the source has a label's column, and not that of its weights
   */
  public static LabelReader ofThosePresent(List<Task> tasks, RowSource source) {
    LabelReader reader = new LabelReader();
    for (Task task : tasks) {
      boolean there = source.columns().contains(task.column());
      reader.tasks.add(there ? bind(task, source) : null);
    }
    return reader;
  }

  private static Bound bind(Task task, RowSource source) {
    String what = "task '" + task.name() + "'";
    return new Bound(
        task,
        Cell.of(source, task.column(), what),
        task.weightColumn().map(column -> Cell.of(source, column, what)));
  }

  /** How many labels a row has, absent ones included. */
  public int tasks() {
    return tasks.size();
  }

  /**
   * Reads the current row's labels (0 or 1) and their weights to {@code from} and on; an absent
   * label is 0 with weight 0.
   *
   * @throws DataException if one is wrong
   */
  public void read(float[] labels, float[] weights, int from) {
    for (int t = 0; t < tasks.size(); t++) {
      Bound bound = tasks.get(t);
      Object raw = bound == null ? null : bound.label().value();
      if (bound == null || raw == null || raw.equals("")) {
        labels[from + t] = 0;
        weights[from + t] = 0;
      } else {
        labels[from + t] = label(bound, raw);
        weights[from + t] = bound.weight().map(LabelReader::weight).orElse(1f);
      }
    }
  }

  private static float label(Bound bound, Object raw) {
    double value = bound.label().toNumber(raw);
    Optional<Double> threshold = bound.task().threshold();
    if (threshold.isPresent()) {
      return value >= threshold.get() ? 1 : 0;
    }
    if (value != 0 && value != 1) {
      throw bound
          .label()
          .bad("is '" + raw + "'", "a label of 0 or 1 is needed, or a threshold in the schema");
    }
    return (float) value;
  }

  private static float weight(Cell cell) {
    Object raw = cell.value();
    return raw == null || raw.equals("") ? 1 : cell.toWeight(raw);
  }
}
