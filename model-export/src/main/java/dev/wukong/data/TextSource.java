package dev.wukong.data;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.duckdb.DuckDBChunkedResult;
import org.duckdb.DuckDBPreparedStatement;
import org.duckdb.DuckDBReadableVector;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a delimited text file in file order, every value as text. DuckDB parses it chunk by
 * chunk.
 */
final class TextSource implements RowSource {
  private final Path file;
  private final boolean quoted;
  private final @Nullable GzipCheck check;
  private final List<String> columns;
  private final Connection connection;
  private final DuckDBPreparedStatement statement;
  private final DuckDBChunkedResult chunks;
  private final DuckDBReadableVector[] vectors;
  private long inChunk;
  private long ofChunk;
  private long row;

  TextSource(Path file, FileFormat.Text format) {
    this.file = file;
    this.quoted = format.quoted();
    boolean header = format.columns().isEmpty();
    this.columns =
        header ? TextFiles.header(file, format.delimiter(), format.quoted()) : format.columns();
    this.vectors = new DuckDBReadableVector[columns.size()];
    this.check = TextFiles.packed(file) ? GzipCheck.start(file) : null;
    Connection opened = null;
    try {
      opened = DuckDb.connect(true);
      this.connection = opened;
      this.statement =
          opened.prepareStatement(query(header, format)).unwrap(DuckDBPreparedStatement.class);
      this.chunks = statement.query();
    } catch (SQLException e) {
      DuckDb.closeAfter(e, opened);
      DataException explained = explain(file, quoted, check, e);
      DuckDb.closeAfter(e, check);
      throw explained;
    }
  }

  private String query(boolean header, FileFormat.Text format) {
    String quote = format.quoted() ? "'\"'" : "''";
    return "SELECT * FROM read_csv(%s, auto_detect=false, header=%s, delim=%s, quote=%s, escape=%s, nullstr='', columns=%s, compression='%s', hive_partitioning=false)"
        .formatted(
            DuckDb.literal(file),
            header,
            DuckDb.literal(Character.toString(format.delimiter())),
            quote,
            quote,
            // Names of our own: DuckDB does not tell names apart by case.
            IntStream.range(0, columns.size())
                .mapToObj(i -> "'c" + i + "': 'VARCHAR'")
                .collect(Collectors.joining(", ", "{", "}")),
            TextFiles.packed(file) ? "gzip" : "none");
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
    inChunk++;
    while (inChunk >= ofChunk) {
      if (!nextChunk()) {
        if (check != null) {
          check.finish();
        }
        if (row == 0) {
          throw new DataException(file + " has no rows");
        }
        return false;
      }
    }
    row++;
    return true;
  }

  private boolean nextChunk() {
    try {
      if (!chunks.nextChunk()) {
        return false;
      }
    } catch (RuntimeException e) {
      // The driver wraps what DuckDB reports.
      throw explain(
          file,
          quoted,
          check,
          e.getCause() instanceof SQLException cause ? cause : new SQLException(e.getMessage(), e));
    }
    inChunk = 0;
    ofChunk = chunks.chunk().rowCount();
    for (int i = 0; i < vectors.length; i++) {
      vectors[i] = chunks.chunk().vector(i);
    }
    return true;
  }

  private static DataException explain(
      Path file, boolean quoted, @Nullable GzipCheck check, SQLException cause) {
    if (check != null) {
      try {
        check.finish(); // Damage comes first: what DuckDB says of it may be anything.
      } catch (DataException damage) {
        return damage;
      }
    }
    if (String.valueOf(cause.getMessage()).contains("state machine")) {
      String what =
          LineEnds.mixed(file, quoted)
              .orElse("its double quotes or its line ends are not those of a CSV file");
      return new DataException("%s: %s".formatted(file, what), cause);
    }
    return DuckDb.unreadable(file, cause);
  }

  @Override
  public long row() {
    return row;
  }

  @Override
  public @Nullable Object value(int column) {
    return vectors[column].isNull(inChunk) ? null : vectors[column].getString(inChunk);
  }

  @Override
  public void close() {
    try (connection;
        statement;
        check) {
      chunks.close();
    } catch (SQLException e) {
      throw new IllegalStateException("closing " + file, e);
    }
  }
}
