package dev.wukong.training;

import ai.onnxruntime.OnnxJavaType;
import dev.wukong.graph.Dim;
import dev.wukong.graph.Tensor;
import dev.wukong.runtime.device.Element;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What goes into a step and comes out of it, by name.
 *
 * @param changing what it changes, which goes in and comes out
 * @param rest what it takes and gives besides
 * @param shapes says which border it is
 */
record StepBorder(Map<String, Tensors> changing, Map<String, Tensors> rest, String shapes) {
  static final StepBorder NONE = new StepBorder(Map.of(), Map.of(), "");

  StepBorder {
    changing = Map.copyOf(changing);
    rest = Map.copyOf(rest);
  }

  /** What a tensor of the border is. */
  @SuppressWarnings("ArrayRecordComponent") // Made to bind a graph, never compared.
  record Tensors(Element element, long[] shape) {}

  /**
   * That of steps of {@code batch} examples.
   *
   * @param changing what a step changes
   * @param examples what it takes besides, of some minibatches
   */
  static StepBorder of(
      int batch, Map<String, Tensors> changing, List<RowBlock> examples, int tasks) {
    Map<String, Tensors> others = new LinkedHashMap<>();
    for (RowBlock input : examples) {
      long[] dims = new long[input.tail().length + 1];
      dims[0] = batch;
      System.arraycopy(input.tail(), 0, dims, 1, input.tail().length);
      others.put(input.name(), new Tensors(element(input.type()), dims));
    }
    Tensors scalar = new Tensors(Element.FLOAT32, new long[0]);
    others.put("learning_rate", scalar);
    others.put("learning_rate.rows", scalar);
    others.put("loss", scalar);
    others.put("probabilities", new Tensors(Element.FLOAT32, new long[] {batch, tasks}));
    StringBuilder described = new StringBuilder();
    changing.forEach((name, t) -> described.append(name).append(Arrays.toString(t.shape())));
    others.forEach((name, t) -> described.append(name).append(Arrays.toString(t.shape())));
    return new StepBorder(changing, others, described.toString());
  }

  /** Whether it is the same: then there is room for its steps, and they are bound. */
  boolean sameAs(StepBorder other) {
    return shapes.equals(other.shapes);
  }

  /** How large the dimensions are that the graph of a step leaves open. */
  Map<String, Long> sizes(StepBody body) {
    Map<String, Long> sizes = new HashMap<>();
    List<Tensor> ins = body.graph().inputs();
    for (int i = 0; i < ins.size(); i++) {
      String name = body.inputs().get(i);
      Tensors tensor = changing.getOrDefault(name, rest.get(name));
      List<Dim> dims = ins.get(i).shape().dims();
      for (int d = 0; d < dims.size() && tensor != null; d++) {
        if (dims.get(d).equals(Dim.of(dims.get(d).symbol()))) {
          sizes.put(dims.get(d).symbol(), tensor.shape()[d]);
        }
      }
    }
    return sizes;
  }

  private static Element element(OnnxJavaType type) {
    return switch (type) {
      case FLOAT -> Element.FLOAT32;
      case INT32 -> Element.INT32;
      case BOOL -> Element.BOOL;
      case INT64 -> Element.INT64;
      case DOUBLE, INT8, INT16, UINT8, STRING, FLOAT16, BFLOAT16, UNKNOWN ->
          throw new IllegalArgumentException("no input of training is " + type);
    };
  }
}
