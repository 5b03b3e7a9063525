package dev.wukong.graph;

import java.util.List;
import java.util.Map;

/**
 * A finished graph.
 *
 * @param inputs given at each run
 * @param parameters weights: written into the file where values are given, else further inputs
 * @param outputs by name, in order
 * @param nodes in topological order, only those that some output needs
 */
public record Graph(
    String name,
    List<Tensor> inputs,
    List<Tensor> parameters,
    Map<String, Tensor> outputs,
    List<Node> nodes) {
  public Graph {
    inputs = List.copyOf(inputs);
    parameters = List.copyOf(parameters);
    outputs = java.util.Collections.unmodifiableMap(new java.util.LinkedHashMap<>(outputs));
    nodes = List.copyOf(nodes);
  }
}
