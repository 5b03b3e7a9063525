package dev.wukong.study;

import dev.wukong.report.Block;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Figures as the cells of reports show them. */
final class Cells {
  private Cells() {}

  /** Columns of one heading each; those that begin with {@code #} hold figures. */
  static List<Block.Column> columns(String... headings) {
    return Stream.of(headings)
        .map(
            h ->
                h.startsWith("#")
                    ? new Block.Column(h.substring(1), true)
                    : new Block.Column(h, false))
        .toList();
  }

  /** A number by a format; empty where it is not defined. */
  static String number(String format, double value) {
    return Double.isFinite(value) ? String.format(Locale.ROOT, format, value) : "";
  }

  /** Mean and deviation; the mean alone where there is no deviation. */
  static String spread(String format, double mean, double deviation) {
    return Double.isFinite(deviation)
        ? number(format, mean) + " ± " + number(format, deviation)
        : number(format, mean);
  }

  static String count(long value) {
    return String.format(Locale.ROOT, "%,d", value);
  }

  static String count(double value) {
    return number("%,.0f", value);
  }

  static String interval(String format, PairedInterval interval) {
    // Of too few blocks there is none.
    if (!Double.isFinite(interval.low())) {
      return "";
    }
    return number(format, interval.mean())
        + " ["
        + number(format, interval.low())
        + ", "
        + number(format, interval.high())
        + "]";
  }
}
