package dev.wukong.data;

import java.nio.file.Path;
import java.sql.Array;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The rows of a text or Parquet file in file order, streamed by a DuckDB in this process. Text columns come as text. */
final class DuckDbSource implements RowSource {
  private static final Pattern LINE = Pattern.compile("Line: (\\d+)");
  private static final Pattern COUNTS =
      Pattern.compile("Expected Number of Columns: (\\d+) Found: (\\d+)");

  private final Path file;
  private final String table;
  private final Connection connection;
  private final Statement statement;
  private final ResultSet rows;
  private final List<String> columns;
  private final boolean[] text;
  private long row;

  static DuckDbSource text(Path file, FileFormat.Text format) {
    boolean header = format.columns().isEmpty();
    List<String> columns =
        header
            ? TextFiles.header(file, format.delimiter(), format.quoted())
            : format.columns();
    String quote = format.quoted() ? "'\"'" : "''";
    String types =
        columns.stream()
            .map(c -> literal(c) + ": 'VARCHAR'")
            .collect(Collectors.joining(", ", "{", "}"));
    String table =
        "read_csv(%s, auto_detect=false, header=%s, delim=%s, quote=%s, escape=%s, nullstr='', columns=%s, compression='%s')"
            .formatted(
                literal(file.toString()),
                header,
                literal(Character.toString(format.delimiter())),
                quote,
                quote,
                types,
                file.toString().endsWith(".gz") ? "gzip" : "none");
    return new DuckDbSource(file, table);
  }

  static DuckDbSource parquet(Path file) {
    return new DuckDbSource(file, "read_parquet(%s)".formatted(literal(file.toString())));
  }

  private DuckDbSource(Path file, String table) {
    this.file = file;
    this.table = table;
    Connection opened = null;
    try {
      opened = connect(true);
      this.connection = opened;
      this.statement = opened.createStatement();
      this.rows = query();
      ResultSetMetaData types = rows.getMetaData();
      List<String> names = new ArrayList<>();
      this.text = new boolean[types.getColumnCount()];
      for (int i = 0; i < text.length; i++) {
        names.add(types.getColumnName(i + 1));
        text[i] = types.getColumnType(i + 1) == Types.VARCHAR;
      }
      this.columns = List.copyOf(names);
    } catch (SQLException e) {
      closeQuietly(opened, e);
      throw TextFiles.unreadable(file, e);
    } catch (DataException e) {
      closeQuietly(opened, e);
      throw e;
    }
  }

  private ResultSet query() throws SQLException {
    try {
      return statement.executeQuery("SELECT * FROM " + table);
    } catch (SQLException e) {
      throw explain(e);
    }
  }

  private static void closeQuietly(@Nullable Connection connection, Exception cause) {
    if (connection != null) {
      try {
        connection.close();
      } catch (SQLException e) {
        cause.addSuppressed(e);
      }
    }
  }

  private static Connection connect(boolean streaming) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("jdbc_stream_results", Boolean.toString(streaming));
    Connection connection = DriverManager.getConnection("jdbc:duckdb:", properties);
    try (Statement settings = connection.createStatement()) {
      // Nothing is fetched from a network, and rows keep the file's order.
      settings.execute("SET autoinstall_known_extensions=false");
      settings.execute("SET autoload_known_extensions=false");
      settings.execute("SET preserve_insertion_order=true");
      settings.execute("SET threads=1");
    }
    return connection;
  }

  private static String literal(String text) {
    return "'" + text.replace("'", "''") + "'";
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
      if (text[column]) {
        return rows.getString(column + 1);
      }
      Object value = rows.getObject(column + 1);
      return value instanceof Array array ? Arrays.asList((Object[]) array.getArray()) : value;
    } catch (SQLException e) {
      throw explain(e);
    }
  }

  /** A streamed query loses its error's message, so the file is read once more to find it. */
  private DataException explain(SQLException streamed) {
    SQLException cause = streamed;
    try (Connection again = connect(false);
        Statement all = again.createStatement()) {
      all.execute("SELECT max(hash(COLUMNS(*))) FROM " + table);
    } catch (SQLException e) {
      cause = e;
    }
    String message = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    Matcher line = LINE.matcher(message);
    if (line.find()) {
      Matcher counts = COUNTS.matcher(message);
      String what =
          counts.find()
              ? "%s columns; %s are needed".formatted(counts.group(2), counts.group(1))
              : message.lines().skip(1).findFirst().orElse("is malformed");
      return new DataException("%s, line %s: %s".formatted(file, line.group(1), what), cause);
    }
    String first = message.lines().findFirst().orElse(message);
    return new DataException("%s cannot be read: %s".formatted(file, first), cause);
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
