package dev.wukong.bench;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a figure should be.
 *
 * @param text {@code >=X}, {@code <=X}, {@code >X}, {@code <X}, {@code X} (exactly), or {@code -}:
 *     no target
 */
public record Target(String text) {
  /** Nothing to reach: the figure is for information. */
  public static final Target NONE = new Target("-");

  private static final Pattern FORM = Pattern.compile("(>=|<=|>|<|)(-?[0-9.]+(?:[eE]-?[0-9]+)?)");

  public Target {
    if (!text.equals("-") && !FORM.matcher(text).matches()) {
      throw new IllegalArgumentException(
          "target '" + text + "' must be '-' or a number behind >=, <=, >, < or nothing");
    }
  }

  /** Whether {@code value} reaches this; empty where there is nothing to reach. */
  public Optional<Boolean> met(double value) {
    var parts = FORM.matcher(text);
    if (!parts.matches()) {
      return Optional.empty();
    }
    double bound = Double.parseDouble(parts.group(2));
    return Optional.of(
        switch (parts.group(1)) {
          case ">=" -> value >= bound;
          case "<=" -> value <= bound;
          case ">" -> value > bound;
          case "<" -> value < bound;
          default -> value == bound;
        });
  }
}
