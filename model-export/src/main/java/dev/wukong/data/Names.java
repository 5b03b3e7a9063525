package dev.wukong.data;

import java.util.regex.Pattern;

/**
 * Which names features, id spaces and tasks may have. They become parts of file names and of graph
 * inputs.
 */
final class Names {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}");

  private Names() {}

  static void check(String what, String name) {
    if (!NAME.matcher(name).matches()) {
      throw new DataException(
          "name of %s is '%s'; 1 to 128 letters, digits, '_', '-' and '.' are allowed"
              .formatted(what, name));
    }
  }

  static void checkColumn(String feature, String column) {
    if (column.isEmpty()) {
      throw new DataException("feature '%s': the column's name is empty".formatted(feature));
    }
  }
}
