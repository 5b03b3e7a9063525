package dev.wukong.bundle;

import dev.wukong.bundle.GraphInput.Axis;
import dev.wukong.data.Group;
import dev.wukong.data.InputLayout;
import dev.wukong.data.InputNames;
import dev.wukong.data.Scope;
import dev.wukong.runtime.device.Element;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;

/** What a predict graph takes and gives, as it follows from a layout. */
public final class GraphInputs {
  public static final String PROBABILITIES = "probabilities";
  public static final String LOGITS = "logits";

  /** All outputs. */
  public static final List<String> OUTPUTS = List.of(PROBABILITIES, LOGITS);

  private GraphInputs() {}

  /**
   * What the values of an input of {@code inputs} that names rows or contexts lie below; for others
   * it means nothing.
   *
   * @param length of an input's first dimension
   */
  public static int named(
      GraphInput input, List<GraphInput> inputs, int contexts, ToIntFunction<GraphInput> length) {
    for (GraphInput rows : inputs) {
      if (rows.name().equals(input.pointsInto())) {
        return length.applyAsInt(rows);
      }
    }
    return Math.max(1, contexts);
  }

  /** The type of the rows of a graph of {@code precision}. */
  public static Element rows(Precision precision) {
    return switch (precision) {
      case FP32 -> Element.FLOAT32;
      case FP16 -> Element.FLOAT16;
    };
  }

  /** All inputs that a graph of {@code layout} has. */
  public static List<GraphInput> of(InputLayout layout, Precision precision) {
    List<GraphInput> inputs = new ArrayList<>();
    for (int g = 0; g < layout.groups().size(); g++) {
      Group group = layout.groups().get(g);
      inputs.add(
          new GraphInput(
              InputNames.rows(group),
              rows(precision),
              Axis.ROWS,
              group.width(),
              "",
              layout.slotWidth(Scope.CANDIDATE, g),
              layout.slotWidth(Scope.CONTEXT, g)));
      for (Scope scope : Scope.values()) {
        int width = layout.slotWidth(scope, g);
        if (width > 0) {
          inputs.add(
              each(
                  InputNames.slots(scope, group),
                  Element.INT32,
                  scope,
                  width,
                  InputNames.rows(group)));
        }
        if (layout.weighted(scope, g)) {
          inputs.add(each(InputNames.weights(scope, group), Element.FLOAT32, scope, width, ""));
        }
      }
    }
    for (Scope scope : Scope.values()) {
      int width = layout.denseWidth(scope);
      if (width > 0) {
        inputs.add(each(InputNames.dense(scope), Element.FLOAT32, scope, width, ""));
      }
    }
    if (layout.schema().hasContext()) {
      inputs.add(each(InputNames.CONTEXT_OF, Element.INT32, Scope.CANDIDATE, 0, ""));
    }
    return inputs;
  }

  private static GraphInput each(
      String name, Element type, Scope scope, int columns, String pointsInto) {
    Axis axis =
        switch (scope) {
          case CONTEXT -> Axis.CONTEXTS;
          case CANDIDATE -> Axis.CANDIDATES;
        };
    return new GraphInput(name, type, axis, columns, pointsInto, 0, 0);
  }
}
