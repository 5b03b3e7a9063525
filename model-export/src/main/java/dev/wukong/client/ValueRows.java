package dev.wukong.client;

import dev.wukong.data.RowSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Rows given as values by column name; a column that a row does not name is absent there. */
final class ValueRows implements RowSource {
  private final String name;
  private final boolean listed;
  private final List<String> columns;
  private final List<? extends Map<String, ?>> rows;
  private int current = -1;

  /**
   * @param listed whether there may be several rows, which messages then number from 0
   * @param columns that the schema may ask for, whether or not a row names them
   */
  ValueRows(
      String name,
      boolean listed,
      Collection<String> columns,
      List<? extends Map<String, ?>> rows) {
    this.name = name;
    this.listed = listed;
    Set<String> all = new LinkedHashSet<>(columns);
    rows.forEach(row -> all.addAll(row.keySet()));
    this.columns = new ArrayList<>(all);
    this.rows = rows;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public List<String> columns() {
    return columns;
  }

  @Override
  public boolean next() {
    current++;
    return current < rows.size();
  }

  @Override
  public long row() {
    return current + 1L;
  }

  @Override
  public String place() {
    return listed ? "%s[%d]".formatted(name, current) : name;
  }

  @Override
  public @Nullable Object value(int column) {
    return rows.get(current).get(columns.get(column));
  }

  @Override
  public void close() {}
}
