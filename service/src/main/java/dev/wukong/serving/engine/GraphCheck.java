package dev.wukong.serving.engine;

import dev.wukong.bundle.GraphInput;
import dev.wukong.bundle.GraphInputs;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Whether a graph takes and gives what its schema says. */
final class GraphCheck {
  private static final Set<String> OUTPUTS = Set.copyOf(GraphInputs.OUTPUTS);

  private GraphCheck() {}

  /**
   * Refuses another graph.
   *
   * @param inputs the graph's, with their types' names
   * @throws EngineException naming what differs
   */
  static void require(Map<String, String> inputs, Set<String> outputs, List<GraphInput> expected) {
    names(
        "inputs",
        inputs.keySet(),
        expected.stream().map(GraphInput::name).collect(Collectors.toSet()));
    List<GraphInput> inOrder =
        expected.stream().sorted(Comparator.comparing(GraphInput::name)).toList();
    for (GraphInput input : inOrder) {
      String type = inputs.get(input.name());
      if (!input.type().name().equals(type)) {
        throw new EngineException(
            "the graph's input '%s' is %s, expected a tensor of %s"
                .formatted(input.name(), type, input.type()));
      }
    }
    names("outputs", outputs, OUTPUTS);
  }

  private static void names(String what, Set<String> actual, Set<String> expected) {
    if (!actual.equals(expected)) {
      throw new EngineException(
          "the graph has the %s %s, its schema needs %s"
              .formatted(what, new TreeSet<>(actual), new TreeSet<>(expected)));
    }
  }
}
