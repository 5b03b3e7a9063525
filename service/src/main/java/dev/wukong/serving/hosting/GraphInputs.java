package dev.wukong.serving.hosting;

import dev.wukong.bundle.Precision;
import dev.wukong.data.Group;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import dev.wukong.serving.hosting.HostTensor.ElementType;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

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

  /** The type of the rows of a graph of {@code precision}. */
  static ElementType rows(Precision precision) {
    return switch (precision) {
      case FP32 -> ElementType.FLOAT32;
      case FP16 -> ElementType.FLOAT16;
    };
  }

  /** All inputs that a graph of {@code layout} has, and their types. */
  static Map<String, ElementType> types(InputLayout layout, Precision precision) {
    Map<String, ElementType> types = new TreeMap<>();
    for (int g = 0; g < layout.groups().size(); g++) {
      Group group = layout.groups().get(g);
      types.put(rows(group), rows(precision));
      for (Scope scope : Scope.values()) {
        if (layout.slotWidth(scope, g) > 0) {
          types.put(slots(scope, group), ElementType.INT32);
        }
        if (layout.weighted(scope, g)) {
          types.put(weights(scope, group), ElementType.FLOAT32);
        }
      }
    }
    for (Scope scope : Scope.values()) {
      if (layout.denseWidth(scope) > 0) {
        types.put(dense(scope), ElementType.FLOAT32);
      }
    }
    if (layout.schema().hasContext()) {
      types.put(CONTEXT_OF, ElementType.INT32);
    }
    return types;
  }

  private static String name(Scope scope) {
    return scope.name().toLowerCase(Locale.ROOT);
  }
}
