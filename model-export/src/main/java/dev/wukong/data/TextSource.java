package dev.wukong.data;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.Collectors;
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
    boolean header = format.columns().isEmpty();
    this.columns =
        header ? TextFiles.header(file, format.delimiter(), format.quoted()) : format.columns();
    this.vectors = new DuckDBReadableVector[columns.size()];
    Connection opened = null;
    try {
      opened = DuckDb.connect(true);
      this.connection = opened;
      this.statement =
          opened.prepareStatement(query(header, format)).unwrap(DuckDBPreparedStatement.class);
      this.chunks = statement.query();
    } catch (SQLException e) {
      DuckDb.closeAfter(e, opened);
      throw DuckDb.unreadable(file, e);
    }
  }

  private String query(boolean header, FileFormat.Text format) {
    String quote = format.quoted() ? "'\"'" : "''";
    return "SELECT * FROM read_csv(%s, auto_detect=false, header=%s, delim=%s, quote=%s, escape=%s, nullstr='', columns=%s, compression='%s')"
        .formatted(
            DuckDb.literal(file.toString()),
            header,
            DuckDb.literal(Character.toString(format.delimiter())),
            quote,
            quote,
            columns.stream()
                .map(c -> DuckDb.literal(c) + ": 'VARCHAR'")
                .collect(Collectors.joining(", ", "{", "}")),
            file.toString().endsWith(".gz") ? "gzip" : "none");
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
      throw e.getCause() instanceof SQLException cause
          ? DuckDb.unreadable(file, cause)
          : DuckDb.unreadable(file, new SQLException(e.getMessage(), e));
    }
    inChunk = 0;
    ofChunk = chunks.chunk().rowCount();
    for (int i = 0; i < vectors.length; i++) {
      vectors[i] = chunks.chunk().vector(i);
    }
    return true;
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
        statement) {
      chunks.close();
    } catch (SQLException e) {
      throw new IllegalStateException("closing " + file, e);
    }
  }
}
