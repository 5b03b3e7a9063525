package dev.wukong.data;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Rows with named columns, read once from first to last. Not thread-safe. */
public interface RowSource extends AutoCloseable {
  /** What it is, for messages: a file's name. */
  String name();

  List<String> columns();

  /**
   * Goes to the next row.
   *
   * @return whether there is one
   * @throws DataException if the source cannot be read on
   */
  boolean next();

  /** Rows read so far; the current row's number, counted from 1. */
  long row();

  /** Where the current row is, for messages. */
  default String place() {
    return "%s, row %d".formatted(name(), row());
  }

  /**
   * The current row's value in {@code column}: null where absent, else a String, Number, Boolean,
   * List of these, or long[], float[] or double[]; anything else is taken as its text.
   */
  @Nullable Object value(int column);

  @Override
  void close();
}
