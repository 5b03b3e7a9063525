package dev.wukong.graph;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

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

  /**
   * The part of this graph that {@code wanted}, tensors of it by name, are computed from, with the
   * inputs that it reads.
   */
  public Graph of(Map<String, Tensor> wanted) {
    Set<Node> needed = GraphBuilder.ancestors(wanted.values());
    Set<Tensor> read = new HashSet<>(wanted.values());
    needed.forEach(node -> read.addAll(node.inputs()));
    return new Graph(
        name,
        inputs.stream().filter(read::contains).toList(),
        parameters.stream().filter(read::contains).toList(),
        wanted,
        nodes.stream().filter(needed::contains).toList());
  }
}
