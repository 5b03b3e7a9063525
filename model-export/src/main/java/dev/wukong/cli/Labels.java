package dev.wukong.cli;

import dev.wukong.data.LabelReader;
import dev.wukong.data.RowSource;
import dev.wukong.data.Task;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rows of another source, with the labels and weights of all rows read so far kept aside:
 * requests carry none, so whoever wants to measure the answers keeps them. A task whose column the
 * source lacks has no labels.
 */
final class Labels implements RowSource {
  private record Row(float[] labels, float[] weights) {}

  private final RowSource rows;
  private final LabelReader reader;
  private final List<Row> kept = new ArrayList<>();

  Labels(RowSource rows, List<Task> tasks) {
    this.rows = rows;
    this.reader = LabelReader.ofThosePresent(tasks, rows);
  }

  /** The label of {@code task} in the {@code row}-th row, from 0: 0 or 1. */
  float label(int row, int task) {
    return kept.get(row).labels()[task];
  }

  /** The label's weight; 0 where it is absent. */
  float weight(int row, int task) {
    return kept.get(row).weights()[task];
  }

  @Override
  public boolean next() {
    if (!rows.next()) {
      return false;
    }
    Row row = new Row(new float[reader.tasks()], new float[reader.tasks()]);
    reader.read(row.labels(), row.weights(), 0);
    kept.add(row);
    return true;
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
