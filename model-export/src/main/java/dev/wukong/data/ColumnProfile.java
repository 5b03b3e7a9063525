package dev.wukong.data;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What a column's values look like. Not thread-safe. */
final class ColumnProfile {
  /** More distinct values than this are hashed rather than listed. */
  private static final int MANY = 50_000;

  /** The most ids that are guessed for a list, however long the longest is. */
  private static final int LIST_LIMIT = 64;

  /** Names of columns whose integers are amounts. */
  private static final Pattern COUNTS =
      Pattern.compile("(?i)(^|_)(count|price|amount|seconds|age|year|num|I\\d+)(_|$)");

  private final String column;
  private final Set<String> distinct = new HashSet<>();
  private long values;
  private long missing;
  private boolean integers = true;
  private boolean decimals;
  private boolean numeric = true;
  private boolean lists;
  private int longest = 1;
  private int shortest = Integer.MAX_VALUE;
  private double min = Double.POSITIVE_INFINITY;
  private double max = Double.NEGATIVE_INFINITY;

  ColumnProfile(String column) {
    this.column = column;
  }

  String column() {
    return column;
  }

  void add(@Nullable Object value) {
    switch (value) {
      case null -> missing++;
      case String text when text.isEmpty() -> missing++;
      case String text when text.indexOf('|') >= 0 -> addAll(List.of(text.split("\\|", -1)));
      case List<?> list -> addAll(list);
      case long[] list -> {
        list(list.length);
        for (long element : list) {
          addOne(Long.toString(element));
        }
      }
      case Boolean flag -> addSingle(flag ? "1" : "0");
      default -> addSingle(value.toString());
    }
  }

  private void addAll(List<?> list) {
    list(list.size());
    for (Object element : list) {
      if (element != null && !element.equals("")) {
        addOne(element.toString());
      } else {
        shortest = 0;
      }
    }
  }

  private void addSingle(String text) {
    shortest = Math.min(shortest, 1);
    addOne(text);
  }

  private void list(int length) {
    lists = true;
    longest = Math.max(longest, length);
    shortest = Math.min(shortest, length);
  }

  private void addOne(String text) {
    values++;
    if (distinct.size() <= MANY) {
      distinct.add(text);
    }
    if (!numeric) {
      return;
    }
    try {
      double number = Double.parseDouble(text);
      min = Math.min(min, number);
      max = Math.max(max, number);
      boolean whole = text.chars().allMatch(c -> (c >= '0' && c <= '9') || c == '-');
      integers = integers && whole && fits(text);
      decimals |= !whole;
    } catch (NumberFormatException e) {
      numeric = false;
      integers = false;
    }
  }

  /** Whether a whole number is an int64, as ids of that type must be. */
  private static boolean fits(String text) {
    try {
      Long.parseLong(text);
      return true;
    } catch (NumberFormatException e) {
      return false;
    }
  }

  long missing() {
    return missing;
  }

  boolean numeric() {
    return numeric && values > 0;
  }

  boolean integers() {
    return integers && values > 0;
  }

  boolean manyValues() {
    return distinct.size() > MANY;
  }

  int maxIds() {
    return lists ? Math.clamp(longest, 2, LIST_LIMIT) : 1;
  }

  /**
   * Whether its values are amounts rather than names: decimals, or counts that are sometimes absent
   * or negative.
   */
  boolean number() {
    return numeric() && !lists && (decimals || looksLikeCounts());
  }

  /** Whether its values are vectors of equally many numbers: lists of decimals. */
  boolean vectors() {
    return decimalLists() && shortest == longest;
  }

  /** Whether its values are lists of decimals, which are no ids. */
  boolean decimalLists() {
    return numeric() && lists && decimals;
  }

  /** The most values of a row. */
  int width() {
    return longest;
  }

  private boolean looksLikeCounts() {
    return integers && (min < 0 || COUNTS.matcher(column).find());
  }

  Transform transform() {
    return max > 100 ? Transform.LOG1P : Transform.NONE;
  }

  /** Where the label is 1: none needed for 0 and 1. */
  Optional<Double> threshold() {
    if (min >= 0 && max <= 1 && integers) {
      return Optional.empty();
    }
    return Optional.of(min < 0 ? 0.5 : Math.ceil((min + max) / 2));
  }

  String describe() {
    StringBuilder text = new StringBuilder();
    text.append(manyValues() ? "more than " + MANY : distinct.size()).append(" distinct");
    if (numeric()) {
      text.append(integers ? " integers" : " numbers")
          .append(" from ")
          .append(shown(min))
          .append(" to ")
          .append(shown(max));
    } else if (values > 0) {
      text.append(" texts");
    }
    if (lists) {
      text.append(", lists of up to ").append(longest);
    }
    if (missing > 0) {
      text.append(", ").append(missing).append(" missing");
    }
    return text.toString();
  }

  private static String shown(double number) {
    return number == Math.rint(number) && Math.abs(number) < 1e15
        ? Long.toString((long) number)
        : Double.toString(number);
  }
}
