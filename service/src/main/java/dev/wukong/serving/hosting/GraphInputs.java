package dev.wukong.serving.hosting;

import dev.wukong.bundle.Precision;
import dev.wukong.data.Group;
import dev.wukong.data.InputLayout;
import dev.wukong.data.InputNames;
import dev.wukong.data.Scope;
import dev.wukong.serving.inputs.HostTensor.ElementType;
import java.util.Map;
import java.util.TreeMap;

/** What a predict graph takes and gives, as it follows from a layout. */
final class GraphInputs {
  static final String PROBABILITIES = "probabilities";
  static final String LOGITS = "logits";

  private GraphInputs() {}

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
      types.put(InputNames.rows(group), rows(precision));
      for (Scope scope : Scope.values()) {
        if (layout.slotWidth(scope, g) > 0) {
          types.put(InputNames.slots(scope, group), ElementType.INT32);
        }
        if (layout.weighted(scope, g)) {
          types.put(InputNames.weights(scope, group), ElementType.FLOAT32);
        }
      }
    }
    for (Scope scope : Scope.values()) {
      if (layout.denseWidth(scope) > 0) {
        types.put(InputNames.dense(scope), ElementType.FLOAT32);
      }
    }
    if (layout.schema().hasContext()) {
      types.put(InputNames.CONTEXT_OF, ElementType.INT32);
    }
    return types;
  }
}
