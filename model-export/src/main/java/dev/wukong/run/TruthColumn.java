package dev.wukong.run;

import dev.wukong.data.DataException;
import dev.wukong.data.RowSource;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A source that keeps the true probabilities of the rows that pass. Not thread-safe. */
final class TruthColumn implements RowSource {
  private final RowSource source;
  private final String column;
  private final int place;
  private double[] values = new double[1024];
  private int size;

  /**
   * @throws DataException where the source has no such column
   */
  TruthColumn(RowSource source, String column) {
    this.source = source;
    this.column = column;
    this.place = source.columns().indexOf(column);
    if (place < 0) {
      throw new DataException(
          "%s has no column '%s', which data.truth names; it has %s"
              .formatted(source.name(), column, String.join(", ", source.columns())));
    }
  }

  @Override
  public boolean next() {
    if (!source.next()) {
      return false;
    }
    if (size == values.length) {
      values = Arrays.copyOf(values, Math.multiplyExact(2, size));
    }
    values[size++] = probability(source.value(place));
    return true;
  }

  private double probability(@Nullable Object value) {
    double number = Double.NaN;
    try {
      number = value == null ? Double.NaN : Double.parseDouble(value.toString());
    } catch (NumberFormatException e) {
      // Refused below, as every other value that is no probability.
    }
    if (!(number >= 0 && number <= 1)) {
      throw new DataException(
          "%s, row %d: column '%s' is '%s', want a probability, 0 to 1"
              .formatted(source.name(), source.row(), column, value));
    }
    return number;
  }

  /** The true probabilities of all rows so far. */
  double[] values() {
    return Arrays.copyOf(values, size);
  }

  @Override
  public String name() {
    return source.name();
  }

  @Override
  public List<String> columns() {
    return source.columns();
  }

  @Override
  public long row() {
    return source.row();
  }

  @Override
  public @Nullable Object value(int at) {
    return source.value(at);
  }

  @Override
  public void close() {
    source.close();
  }
}
