package dev.wukong.cli;

import dev.wukong.data.DataException;
import dev.wukong.data.RowSource;
import dev.wukong.data.Task;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rows of another source, with the labels of all rows read so far kept aside: requests carry no
 * labels, so whoever wants to measure the answers keeps them. Weights of examples are not looked
 * at.
 */
final class Labels implements RowSource {
  private final RowSource rows;
  private final List<Task> tasks;
  private final int[] columns;
  private final List<double[]> kept = new ArrayList<>();

  Labels(RowSource rows, List<Task> tasks) {
    this.rows = rows;
    this.tasks = List.copyOf(tasks);
    this.columns = tasks.stream().mapToInt(task -> rows.columns().indexOf(task.column())).toArray();
  }

  /** Whether the source has a column for the label of {@code task}. */
  boolean has(int task) {
    return columns[task] >= 0;
  }

  /** The label of {@code task} in the {@code row}-th row, from 0: 0 or 1, or NaN where absent. */
  double label(int row, int task) {
    return kept.get(row)[task];
  }

  @Override
  public boolean next() {
    if (!rows.next()) {
      return false;
    }
    double[] labels = new double[columns.length];
    for (int t = 0; t < labels.length; t++) {
      labels[t] = columns[t] < 0 ? Double.NaN : label(tasks.get(t), rows.value(columns[t]));
    }
    kept.add(labels);
    return true;
  }

  private double label(Task task, @Nullable Object value) {
    if (value == null || value.toString().isEmpty()) {
      return Double.NaN;
    }
    double number = number(task, value);
    if (task.threshold().isPresent()) {
      return number >= task.threshold().get() ? 1 : 0;
    }
    if (number != 0 && number != 1) {
      throw bad(task, value, "0 or 1 is needed");
    }
    return number;
  }

  private double number(Task task, Object value) {
    if (value instanceof Number number) {
      return number.doubleValue();
    }
    return switch (value.toString()) {
      case "true" -> 1;
      case "false" -> 0;
      case String text -> {
        try {
          yield Double.parseDouble(text);
        } catch (NumberFormatException e) {
          throw bad(task, value, "a number is needed");
        }
      }
    };
  }

  private DataException bad(Task task, Object value, String wanted) {
    return new DataException(
        "%s, row %d: column '%s' is '%s'; %s"
            .formatted(rows.name(), rows.row(), task.column(), value, wanted));
  }

  @Override
  public String name() {
    return rows.name();
  }

  @Override
  public List<String> columns() {
    return rows.columns();
  }

  @Override
  public long row() {
    return rows.row();
  }

  @Override
  public @Nullable Object value(int column) {
    return rows.value(column);
  }

  @Override
  public void close() {
    rows.close();
  }
}
