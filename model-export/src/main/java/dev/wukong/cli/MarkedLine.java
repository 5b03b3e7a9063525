package dev.wukong.cli;

import java.util.Arrays;

/** A scale of text on which figures are marked with a letter each. */
record MarkedLine(double low, double high, int width) {
  /**
   * The scale with the marks; of two at one place the first is seen. Those beyond are at the end.
   */
  String of(String letters, double... figures) {
    char[] line = new char[width];
    Arrays.fill(line, '.');
    for (int i = figures.length - 1; i >= 0; i--) {
      if (Double.isFinite(figures[i])) {
        double at = (figures[i] - low) / (high - low) * (width - 1);
        line[(int) Math.round(Math.clamp(at, 0, width - 1))] = letters.charAt(i);
      }
    }
    return "|" + new String(line) + "|";
  }

  /** What stands above it: where it begins and ends. */
  String header() {
    String begin = "%.2f".formatted(low);
    String end = "%.2f".formatted(high);
    return begin + " ".repeat(Math.max(1, width + 2 - begin.length() - end.length())) + end;
  }
}
