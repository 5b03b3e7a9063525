package dev.wukong.data;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A DuckDB in this process: its settings, and its errors in this package's words. */
final class DuckDb {
  private static final Pattern LINE = Pattern.compile("Line: (\\d+)");
  private static final Pattern COUNTS =
      Pattern.compile("Expected Number of Columns: (\\d+) Found: (\\d+)");

  private static final Pattern LONGEST =
      Pattern.compile("Maximum line size of (\\d+) bytes exceeded");

  private static final Pattern PATTERNS = Pattern.compile("[\\[*?]");

  private DuckDb() {}

  /** A connection of its own database; results are streamed, or made whole at once. */
  static Connection connect(boolean streaming) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("jdbc_stream_results", Boolean.toString(streaming));
    Connection connection = open(properties);
    try (Statement settings = connection.createStatement()) {
      // Nothing is fetched from a network, and rows keep the file's order.
      settings.execute("SET autoinstall_known_extensions=false");
      settings.execute("SET autoload_known_extensions=false");
      settings.execute("SET preserve_insertion_order=true");
      settings.execute("SET threads=1");
    } catch (SQLException e) {
      closeAfter(e, connection);
      throw e;
    }
    return connection;
  }

  private static Connection open(Properties properties) throws SQLException {
    try {
      return DriverManager.getConnection("jdbc:duckdb:", properties);
    } catch (LinkageError e) {
      Throwable first = e;
      for (Throwable at = e; at != null; at = at.getCause()) {
        first = at;
      }
      throw new DataException(
          "the library that reads files cannot be put into the temporary folder %s (%s); java -Djava.io.tmpdir=FOLDER names another"
              .formatted(System.getProperty("java.io.tmpdir"), first.getMessage()),
          e);
    }
  }

  static void closeAfter(Exception cause, @Nullable AutoCloseable opened) {
    try {
      if (opened != null) {
        opened.close();
      }
    } catch (Exception e) {
      cause.addSuppressed(e);
    }
  }

  static String literal(String text) {
    return "'" + text.replace("'", "''") + "'";
  }

  /** The literal of a file's name, in which DuckDB would take some characters for patterns. */
  static String literal(Path file) {
    return literal(PATTERNS.matcher(file.toString()).replaceAll("[$0]"));
  }

  static DataException unreadable(Path file, SQLException cause) {
    String message = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    Matcher line = LINE.matcher(message);
    if (line.find()) {
      return new DataException(
          "%s, line %s: %s".formatted(file, line.group(1), describe(message)), cause);
    }
    String first = message.lines().findFirst().orElse(message);
    return new DataException("%s cannot be read: %s".formatted(file, first), cause);
  }

  /** What is wrong with a line; DuckDB's own message speaks of its own options. */
  private static String describe(String message) {
    Matcher counts = COUNTS.matcher(message);
    if (counts.find()) {
      return "%s columns; %s are needed".formatted(counts.group(2), counts.group(1));
    }
    if (message.contains("unterminated quote")) {
      return "a double quote is not closed, or text follows the closing one; a quote inside a"
          + " value is written twice";
    }
    if (message.contains("Invalid unicode")) {
      return "it is not text in UTF-8";
    }
    Matcher longest = LONGEST.matcher(message);
    if (longest.find()) {
      return "it is longer than %s bytes, the most that a line may have"
          .formatted(longest.group(1));
    }
    return message
        .lines()
        .filter(l -> !l.contains("Line:") && !l.isBlank())
        .findFirst()
        .orElse("malformed");
  }
}
