package dev.wukong.bench;

import java.util.Arrays;
import java.util.Locale;

/**
 * One measured number.
 *
 * @param name lower-case letters, digits and underscores; a figure keeps its name for ever
 * @param value finite
 * @param unit {@code 1} for ratios and counts
 * @param note how it was measured: pairs, spread, how often a loss was looked for; may be empty
 */
public record Figure(String name, double value, String unit, Target target, String note) {
  public Figure {
    if (!name.matches("[a-z][a-z0-9_]*")) {
      throw new IllegalArgumentException(
          "figure '" + name + "': a name is lower-case letters, digits and underscores");
    }
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException("figure '" + name + "' is " + value + ", not a number");
    }
  }

  /** A figure with nothing to reach and nothing to add. */
  public static Figure of(String name, double value, String unit) {
    return new Figure(name, value, unit, Target.NONE, "");
  }

  /** A figure with a target as {@link Target} writes it. */
  public static Figure of(String name, double value, String unit, String target, String note) {
    return new Figure(name, value, unit, new Target(target), note);
  }

  /**
   * The median over pairs of {@code ours[i] / theirs[i]}, with its spread in the note. The two
   * sides of a pair are measured one after the other, so that both see the same noise.
   *
   * @param ours one measurement a pair; more than none
   * @param theirs as many, none of them 0
   */
  public static Figure ratio(String name, double[] ours, double[] theirs, String target) {
    if (ours.length == 0 || ours.length != theirs.length) {
      throw new IllegalArgumentException(
          "figure '" + name + "': " + ours.length + " and " + theirs.length + " make no pairs");
    }
    double[] ratios = new double[ours.length];
    for (int i = 0; i < ratios.length; i++) {
      ratios[i] = ours[i] / theirs[i];
    }
    Arrays.sort(ratios);
    String note =
        String.format(
            Locale.ROOT,
            "median of %d pairs, %.3f to %.3f; medians %.6g and %.6g",
            ratios.length,
            ratios[0],
            ratios[ratios.length - 1],
            median(ours),
            median(theirs));
    return of(name, median(ratios), "1", target, note);
  }

  /**
   * The middle of {@code values}, or the mean of the two in the middle; {@code values} stay as they
   * are.
   */
  public static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
