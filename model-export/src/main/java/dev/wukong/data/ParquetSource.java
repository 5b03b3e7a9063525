package dev.wukong.data;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Array;
import java.sql.Blob;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The rows of a Parquet file in file order, streamed by DuckDB. */
final class ParquetSource implements RowSource {
  private final Path file;
  private final String query;
  private final Connection connection;
  private final Statement statement;
  private final ResultSet rows;
  private final List<String> columns;
  private long row;

  ParquetSource(Path file) {
    this.file = file;
    // A folder named "day=7" would otherwise replace the column of that name.
    this.query = "FROM read_parquet(%s, hive_partitioning=false)".formatted(DuckDb.literal(file));
    Connection opened = null;
    try {
      opened = DuckDb.connect(true);
      this.connection = opened;
      this.statement = opened.createStatement();
      this.rows = statement.executeQuery("SELECT * " + query);
      ResultSetMetaData types = rows.getMetaData();
      List<String> names = new ArrayList<>();
      for (int i = 1; i <= types.getColumnCount(); i++) {
        names.add(types.getColumnName(i));
      }
      this.columns = List.copyOf(names);
    } catch (SQLException e) {
      DuckDb.closeAfter(e, opened);
      throw explain(e);
    }
  }

  @Override
  public String name() {
    return file.toString();
  }

  @Override
  public List<String> columns() {
    return columns;
  }

  @Override
  public boolean next() {
    try {
      if (!rows.next()) {
        if (row == 0) {
          throw new DataException(file + " has no rows");
        }
        return false;
      }
      row++;
      return true;
    } catch (SQLException e) {
      throw explain(e);
    }
  }

  @Override
  public long row() {
    return row;
  }

  @Override
  public @Nullable Object value(int column) {
    try {
      return switch (rows.getObject(column + 1)) {
        case null -> null;
        case Blob bytes -> text(bytes, column);
        case Array array -> list(array, column);
        case Object value -> value;
      };
    } catch (SQLException e) {
      throw explain(e);
    }
  }

  private List<@Nullable Object> list(Array array, int column) throws SQLException {
    List<@Nullable Object> list = new ArrayList<>();
    for (@Nullable Object element : (@Nullable Object[]) array.getArray()) {
      list.add(element instanceof Blob bytes ? text(bytes, column) : element);
    }
    return list;
  }

  /** Older writers do not say that a column of bytes is text. */
  private String text(Blob bytes, int column) throws SQLException {
    byte[] utf8 = bytes.getBytes(1, Math.toIntExact(bytes.length()));
    if (Utf8.malformed(MemorySegment.ofArray(utf8), 0, utf8.length) >= 0) {
      throw new DataException(
          "%s, row %d, column '%s' holds bytes that are not text in UTF-8; text or numbers are needed"
              .formatted(file, row, columns.get(column)));
    }
    return new String(utf8, StandardCharsets.UTF_8);
  }

  /** A streamed result loses its error's message, so the file is read once more to find it. */
  private DataException explain(SQLException streamed) {
    try (Connection again = DuckDb.connect(false);
        Statement all = again.createStatement()) {
      all.execute("SELECT max(hash(COLUMNS(*))) " + query);
    } catch (SQLException e) {
      return DuckDb.unreadable(file, e);
    }
    return DuckDb.unreadable(file, streamed);
  }

  @Override
  public void close() {
    try (connection;
        statement) {
      rows.close();
    } catch (SQLException e) {
      throw new IllegalStateException("closing " + file, e);
    }
  }
}
