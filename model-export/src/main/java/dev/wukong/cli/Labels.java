package dev.wukong.cli;

import dev.wukong.data.LabelReader;
import dev.wukong.data.RowSource;
import dev.wukong.data.Task;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * The rows of another source, with the labels and weights of rows read kept aside until they are
 * taken: requests carry none, so whoever wants to measure the answers keeps them. A task whose
 * column the source lacks has no labels.
 */
final class Labels implements RowSource {
  /**
   * What a row says of each task.
   *
   * @param labels 0 or 1
   * @param weights 0 where the label is absent
   */
  record Row(float[] labels, float[] weights) {}

  private final RowSource rows;
  private final LabelReader reader;
  private final Queue<Row> kept = new ArrayDeque<>();

  Labels(RowSource rows, List<Task> tasks) {
    this.rows = rows;
    this.reader = LabelReader.ofThosePresent(tasks, rows);
  }

  /** The first row that was read and not taken yet. */
  Row take() {
    return kept.remove();
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
