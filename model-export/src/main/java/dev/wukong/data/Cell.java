package dev.wukong.data;

import dev.wukong.text.ShownText;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One column of a source as one feature or task reads it: the current row's value, and its
 * conversions with errors that name the place.
 *
 * @param user who reads it, for messages: {@code feature 'price'}
 * @param weights the column of the weights, or -1
 */
record Cell(RowSource source, int column, int weights, String user) {
  static Cell of(RowSource source, Feature feature) {
    String user = "feature '" + feature.name() + "'";
    int values = find(source, feature.column(), user);
    int weights =
        switch (feature) {
          case IdFeature ids -> ids.weightColumn().map(c -> find(source, c, user)).orElse(-1);
          case NumberFeature _ -> -1;
        };
    return new Cell(source, values, weights, user);
  }

  static Cell of(RowSource source, String column, String user) {
    return new Cell(source, find(source, column, user), -1, user);
  }

  private static int find(RowSource source, String column, String user) {
    int index = source.columns().indexOf(column);
    if (index < 0) {
      List<String> columns = source.columns();
      String shown = String.join(", ", columns.subList(0, Math.min(40, columns.size())));
      throw new DataException(
          "%s has no column '%s' (%s); it has: %s%s"
              .formatted(source.name(), column, user, shown, columns.size() > 40 ? ", ..." : ""));
    }
    return index;
  }

  @Nullable Object value() {
    return source.value(column);
  }

  /** The cell of the weights. */
  Cell ofWeights() {
    return new Cell(source, weights, -1, user);
  }

  long toInt64(Object value) {
    return switch (value) {
      case Long number -> number;
      case Integer number -> number;
      case Short number -> number;
      case Byte number -> number;
      case Boolean flag -> flag ? 1 : 0;
      case Double number when number == Math.rint(number) && Math.abs(number) < 0x1p53 ->
          number.longValue();
      default -> {
        try {
          yield Long.parseLong(value.toString().strip());
        } catch (NumberFormatException e) {
          throw bad("is '" + shown(value) + "'", "an int64 is needed");
        }
      }
    };
  }

  double toNumber(Object value) {
    double number =
        switch (value) {
          case Number n -> n.doubleValue();
          case Boolean flag -> flag ? 1 : 0;
          default -> parse(value.toString());
        };
    if (!Double.isFinite(number)) {
      throw bad("is '" + shown(value) + "'", "a finite number is needed");
    }
    return number;
  }

  float toFloat(Object value) {
    float number = (float) toNumber(value);
    if (!Float.isFinite(number)) {
      throw bad("is '" + shown(value) + "'", "a number within float32 is needed");
    }
    return number;
  }

  float toWeight(Object value) {
    float weight = toFloat(value);
    if (weight < 0 || weight > FeatureEncoder.MAX_WEIGHT) {
      throw bad("is '" + shown(value) + "'", "a weight of 0 to 1e9 is needed");
    }
    return weight;
  }

  String toText(Object value) {
    String text = value.toString();
    // A char is at most three bytes of UTF-8, so most strings need not be measured.
    if (text.length() * 3L > FeatureEncoder.MAX_STRING
        && text.getBytes(StandardCharsets.UTF_8).length > FeatureEncoder.MAX_STRING) {
      throw bad(
          "is '" + shown(text) + "'",
          "strings of up to " + FeatureEncoder.MAX_STRING + " bytes are allowed");
    }
    return text;
  }

  private double parse(String text) {
    String stripped = text.strip();
    if (stripped.equalsIgnoreCase("true")) {
      return 1;
    }
    if (stripped.equalsIgnoreCase("false")) {
      return 0;
    }
    try {
      // Java's own suffixes, "1f" and "1d", are no part of a number.
      char last = stripped.isEmpty() ? 'x' : stripped.charAt(stripped.length() - 1);
      if (!Character.isLetter(last) || stripped.endsWith("NaN") || stripped.endsWith("Infinity")) {
        return Double.parseDouble(stripped);
      }
    } catch (NumberFormatException e) {
      throw bad("is '" + shown(text) + "'", "a number is needed");
    }
    throw bad("is '" + shown(text) + "'", "a number is needed");
  }

  /** {@code value} as messages show it: its beginning where it is long. */
  static String shown(@Nullable Object value) {
    return ShownText.of(String.valueOf(value));
  }

  DataException bad(String what, String allowed) {
    return new DataException(
        "%s, column '%s' (%s) %s; %s"
            .formatted(source.place(), source.columns().get(column), user, what, allowed));
  }
}
