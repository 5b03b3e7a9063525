package dev.wukong.data;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The single values of a cell, absent ones left out, with their weights. Used again from cell to
 * cell; not thread-safe.
 */
final class CellValues {
  private @Nullable Object[] values = new @Nullable Object[16];
  private float[] weights = new float[16];
  private int size;

  /** Reads the values of {@code feature} and returns how many there are. */
  int read(IdFeature feature, Cell cell) {
    split(cell.value(), feature.multiValued(), feature.separator());
    if (feature.weighted()) {
      readWeights(feature, cell);
    }
    return dropAbsent();
  }

  /**
   * Reads the numbers of {@code feature} and returns how many there are: all, or none where the
   * cell is empty.
   *
   * @throws DataException if it is a vector of another width, or has gaps: to leave one out would
   *     move the numbers behind it
   */
  int read(NumberFeature feature, Cell cell) {
    split(cell.value(), feature.width() > 1, feature.separator());
    if (size == 0 || (size == 1 && values[0] == null)) {
      size = 0;
      return 0;
    }
    if (size != feature.width()) {
      throw malformed(feature, cell, ", %d %s".formatted(size, size == 1 ? "value" : "values"));
    }
    for (int i = 0; i < size; i++) {
      if (values[i] == null) {
        throw malformed(feature, cell, ", whose value %d is empty".formatted(i + 1));
      }
    }
    return size;
  }

  private static DataException malformed(NumberFeature feature, Cell cell, String how) {
    Object vector = cell.value();
    String separated =
        vector instanceof String && feature.width() > 1
            ? ", separated by '" + feature.separator() + "'"
            : "";
    return cell.bad(
        "is '" + Cell.shown(vector) + "'" + how, feature.width() + " are needed" + separated);
  }

  Object value(int index) {
    Object value = values[index];
    if (value == null || index >= size) {
      throw new IndexOutOfBoundsException(index);
    }
    return value;
  }

  float weight(int index) {
    return weights[index];
  }

  private void readWeights(IdFeature feature, Cell cell) {
    int ids = size;
    @Nullable Object[] kept = Arrays.copyOf(values, ids);
    Cell weightCell = cell.ofWeights();
    split(weightCell.value(), feature.multiValued(), feature.separator());
    // A single absent value needs no weight.
    if (size != ids && !(ids == 0 || (ids == 1 && kept[0] == null))) {
      throw weightCell.bad("has " + size + " weights", ids + " are needed, one a value");
    }
    if (weights.length < ids) {
      weights = new float[Math.max(ids, 2 * weights.length)];
    }
    for (int i = 0; i < ids; i++) {
      Object weight = i < size ? values[i] : null;
      if (kept[i] != null) {
        if (weight == null) {
          throw weightCell.bad("has an empty weight", "one a value is needed");
        }
        weights[i] = weightCell.toWeight(weight);
      }
    }
    System.arraycopy(kept, 0, values, 0, ids);
    size = ids;
  }

  private int dropAbsent() {
    int kept = 0;
    for (int i = 0; i < size; i++) {
      Object value = values[i];
      if (value != null && !value.equals("")) {
        values[kept] = value;
        weights[kept] = i < weights.length ? weights[i] : 1;
        kept++;
      }
    }
    size = kept;
    return kept;
  }

  private void split(@Nullable Object cell, boolean many, String separator) {
    size = 0;
    switch (cell) {
      case null -> {}
      case String text when many -> splitText(text, separator);
      case List<?> list -> list.forEach(this::add);
      case long[] numbers -> Arrays.stream(numbers).forEach(this::add);
      case double[] numbers -> Arrays.stream(numbers).forEach(this::add);
      case float[] numbers -> {
        for (float number : numbers) {
          add(number);
        }
      }
      default -> add(cell);
    }
  }

  private void splitText(String text, String separator) {
    if (text.isEmpty()) {
      return;
    }
    int from = 0;
    for (int to = text.indexOf(separator); to >= 0; to = text.indexOf(separator, from)) {
      add(text.substring(from, to));
      from = to + separator.length();
    }
    add(text.substring(from));
  }

  private void add(@Nullable Object value) {
    if (size == values.length) {
      values = Arrays.copyOf(values, 2 * size);
      weights = Arrays.copyOf(weights, Math.max(weights.length, 2 * size));
    }
    values[size++] = "".equals(value) ? null : value;
  }
}
