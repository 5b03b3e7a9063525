package dev.wukong.serving.hosting;

import dev.wukong.data.Group;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/** The names of a predict graph's inputs and outputs, as they follow from a layout. */
final class GraphInputs {
  static final String PROBABILITIES = "probabilities";
  static final String LOGITS = "logits";
  static final String CONTEXT_OF = "context_of";

  private GraphInputs() {}

  static String rows(Group group) {
    return "rows." + group.name();
  }

  static String slots(Scope scope, Group group) {
    return "slots." + name(scope) + "." + group.name();
  }

  static String weights(Scope scope, Group group) {
    return "weights." + name(scope) + "." + group.name();
  }

  static String dense(Scope scope) {
    return "dense." + name(scope);
  }

  /** Whether the schema has context features, so that candidates belong to contexts. */
  static boolean hasContext(InputLayout layout) {
    return layout.schema().features().stream().anyMatch(f -> f.scope() == Scope.CONTEXT);
  }

  /** All inputs a graph of {@code layout} has. */
  static Set<String> names(InputLayout layout) {
    List<String> names = new ArrayList<>();
    for (int g = 0; g < layout.groups().size(); g++) {
      Group group = layout.groups().get(g);
      names.add(rows(group));
      for (Scope scope : Scope.values()) {
        if (layout.slotWidth(scope, g) > 0) {
          names.add(slots(scope, group));
        }
        if (layout.weighted(scope, g)) {
          names.add(weights(scope, group));
        }
      }
    }
    for (Scope scope : Scope.values()) {
      if (layout.denseWidth(scope) > 0) {
        names.add(dense(scope));
      }
    }
    if (hasContext(layout)) {
      names.add(CONTEXT_OF);
    }
    return new TreeSet<>(names);
  }

  private static String name(Scope scope) {
    return scope.name().toLowerCase(Locale.ROOT);
  }
}
