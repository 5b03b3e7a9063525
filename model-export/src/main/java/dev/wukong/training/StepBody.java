package dev.wukong.training;

import dev.wukong.graph.Graph;
import dev.wukong.graph.OnnxReader;
import dev.wukong.graph.Op;
import dev.wukong.graph.Tensor;
import dev.wukong.objective.StepGraph;
import java.util.ArrayList;
import java.util.List;

/**
 * The graph of one training step.
 *
 * @param inputs what {@link StepGraph} calls the graph's inputs, in their order
 * @param outputs the same of its outputs
 */
record StepBody(Graph graph, List<String> inputs, List<String> outputs) {
  /**
   * An input.
   *
   * @param name what {@link StepGraph} calls it
   * @throws IllegalArgumentException if there is none
   */
  Tensor input(String name) {
    return graph.inputs().get(place(inputs, name, "input"));
  }

  /**
   * An output.
   *
   * @param name what {@link StepGraph} calls it
   * @throws IllegalArgumentException if there is none
   */
  Tensor output(String name) {
    return List.copyOf(graph.outputs().values()).get(place(outputs, name, "output"));
  }

  private static int place(List<String> names, String name, String what) {
    int place = names.indexOf(name);
    if (place < 0) {
      throw new IllegalArgumentException(
          "the graph of a training step has no %s '%s'".formatted(what, name));
    }
    return place;
  }

  /** The step of a graph that was made here, whose names are those. */
  static StepBody of(StepGraph graph) {
    Graph step = graph.minibatch();
    return new StepBody(
        step,
        step.inputs().stream().map(Tensor::name).toList(),
        List.copyOf(step.outputs().keySet()));
  }

  /**
   * The step that a bundle's {@code train.onnx} repeats.
   *
   * @throws IllegalArgumentException where it is no Scan over the file's inputs
   */
  static StepBody of(byte[] file) {
    Graph block = OnnxReader.read(file).graph();
    List<Tensor> outputs = new ArrayList<>(block.outputs().values());
    Tensor first = outputs.getFirst();
    if (first.producer() == null
        || !(first.producer().op() instanceof Op.Scan(Graph body, int _))
        || !first.producer().inputs().equals(block.inputs())
        || !first.producer().outputs().equals(outputs)) {
      throw new IllegalArgumentException("the graph of training steps is no Scan over its inputs");
    }
    return new StepBody(
        body,
        block.inputs().stream().map(Tensor::name).toList(),
        List.copyOf(block.outputs().keySet()));
  }
}
