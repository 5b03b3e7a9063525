package dev.wukong.data;

import java.util.Locale;

/**
 * What the inputs of a graph are called: those of a bundle's predict graph and of training steps,
 * and, where it stands alone, those of its ids.
 */
public final class InputNames {
  /** The context of each candidate. */
  public static final String CONTEXT_OF = "context_of";

  private static final String ROWS = "rows.";
  private static final String SLOTS = "slots.";
  private static final String WEIGHTS = "weights.";
  private static final String DENSE = "dense.";

  private InputNames() {}

  /** Whether {@code input} has numbers. */
  public static boolean isDense(String input) {
    return input.startsWith(DENSE);
  }

  /** Whether {@code input} has rows, or says which of them are taken and with what weights. */
  public static boolean isLookup(String input) {
    return input.startsWith(ROWS) || input.startsWith(SLOTS) || input.startsWith(WEIGHTS);
  }

  /** The rows of a group. */
  public static String rows(Group group) {
    return ROWS + group.name();
  }

  /** The row of each id position. */
  public static String slots(Scope scope, Group group) {
    return SLOTS + suffix(scope) + "." + group.name();
  }

  /** The weight of each id position. */
  public static String weights(Scope scope, Group group) {
    return WEIGHTS + suffix(scope) + "." + group.name();
  }

  /** Numbers. */
  public static String dense(Scope scope) {
    return DENSE + suffix(scope);
  }

  /** The positions of a feature's ids, where the tables are in the graph. */
  public static String ids(IdFeature feature) {
    return "ids." + suffix(feature.scope()) + "." + feature.name();
  }

  /** The weights of a feature's ids, where the tables are in the graph. */
  public static String weights(IdFeature feature) {
    return WEIGHTS + suffix(feature.scope()) + "." + feature.name();
  }

  private static String suffix(Scope scope) {
    return scope.name().toLowerCase(Locale.ROOT);
  }
}
