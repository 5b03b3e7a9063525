package dev.wukong.data;

import java.util.Locale;

/**
 * What the inputs of a graph are called: those of a bundle's predict graph and of training steps,
 * and, where it stands alone, those of its ids.
 */
public final class InputNames {
  /** The context of each candidate. */
  public static final String CONTEXT_OF = "context_of";

  private InputNames() {}

  /** The rows of a group. */
  public static String rows(Group group) {
    return "rows." + group.name();
  }

  /** The row of each id position. */
  public static String slots(Scope scope, Group group) {
    return "slots." + suffix(scope) + "." + group.name();
  }

  /** The weight of each id position. */
  public static String weights(Scope scope, Group group) {
    return "weights." + suffix(scope) + "." + group.name();
  }

  /** Numbers. */
  public static String dense(Scope scope) {
    return "dense." + suffix(scope);
  }

  /** The positions of a feature's ids, where the tables are in the graph. */
  public static String ids(IdFeature feature) {
    return "ids." + suffix(feature.scope()) + "." + feature.name();
  }

  /** The weights of a feature's ids, where the tables are in the graph. */
  public static String weights(IdFeature feature) {
    return "weights." + suffix(feature.scope()) + "." + feature.name();
  }

  private static String suffix(Scope scope) {
    return scope.name().toLowerCase(Locale.ROOT);
  }
}
