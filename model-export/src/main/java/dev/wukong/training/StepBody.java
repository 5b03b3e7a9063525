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
