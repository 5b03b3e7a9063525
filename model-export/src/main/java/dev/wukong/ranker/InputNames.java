package dev.wukong.ranker;

import dev.wukong.data.Group;
import dev.wukong.data.Scope;
import java.util.Locale;

/** What the inputs that every graph shares are called. */
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

  private static String suffix(Scope scope) {
    return scope.name().toLowerCase(Locale.ROOT);
  }
}
