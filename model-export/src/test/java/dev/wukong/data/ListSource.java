package dev.wukong.data;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Rows held in memory. */
final class ListSource implements RowSource {
  private final List<String> columns;
  private final List<@Nullable Object[]> rows;
  private int row;

  ListSource(List<String> columns, List<@Nullable Object[]> rows) {
    this.columns = columns;
    this.rows = rows;
  }

  /** One row, with these values. */
  static ListSource row(List<String> columns, @Nullable Object... values) {
    return new ListSource(columns, List.<@Nullable Object[]>of(values));
  }

  @Override
  public String name() {
    return "rows";
  }

  @Override
  public List<String> columns() {
    return columns;
  }

  @Override
  public boolean next() {
    if (row == rows.size()) {
      return false;
    }
    row++;
    return true;
  }

  @Override
  public long row() {
    return row;
  }

  @Override
  public @Nullable Object value(int column) {
    return rows.get(row - 1)[column];
  }

  @Override
  public void close() {}
}
