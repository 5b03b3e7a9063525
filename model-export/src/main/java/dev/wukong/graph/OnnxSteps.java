package dev.wukong.graph;

import static dev.wukong.graph.OnnxAttributes.attribute;

import dev.wukong.onnx.NodeProto;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * The operators that are written as several of ONNX's, or differently for each {@link Lowering}.
 */
final class OnnxSteps {
  private final OnnxNodes to;
  private final Set<Tensor> read;
  private final Lowering lowering;

  /**
   * @param to where the nodes go
   * @param read the tensors that some node reads, or that are outputs
   */
  OnnxSteps(OnnxNodes to, Set<Tensor> read, Lowering lowering) {
    this.to = to;
    this.read = read;
    this.lowering = lowering;
  }

  /** A product of half precision that is computed in single; its attributes are the caller's. */
  NodeProto.Builder inFloat(Node node, String type) {
    List<String> in = new ArrayList<>();
    for (Tensor tensor : node.inputs()) {
      in.add(to.fresh());
      cast(to.name(tensor), in.getLast(), DataType.FLOAT);
    }
    String product = to.fresh();
    NodeProto.Builder made = to.emit(type, in, List.of(product));
    cast(product, to.name(node.out()), DataType.FLOAT16);
    return made;
  }

  private void cast(String from, String into, DataType type) {
    to.emit("Cast", List.of(from), List.of(into)).addAttribute(attribute("to", type.onnx()));
  }

  void layerNormalization(Node node, float epsilon) {
    boolean statistics = read.contains(node.out(1)) || read.contains(node.out(2));
    boolean rows =
        node.in(0).rank() == 2 && node.in(0).dim(1).fixed() && node.in(0).type() == DataType.FLOAT;
    if (lowering == Lowering.CPU && (statistics || rows)) {
      layerNormalizationInSteps(node, epsilon, !statistics);
    } else {
      layerNormalizationWhole(node, epsilon, statistics);
    }
  }

  /**
   * On the CPU: the provider's own operator takes twice the time of its steps in training. It adds
   * number by number, so that for prediction, where means may be products with a column, it takes
   * five times as long.
   *
   * @param products whether x is a matrix whose means are such products
   */
  private void layerNormalizationInSteps(Node node, float epsilon, boolean products) {
    String x = to.name(node.in(0));
    String type = products ? "MatMul" : "ReduceMean";
    String over = products ? averages(node.in(0)) : to.longs(List.of(-1L));
    to.emit(type, List.of(x, over), List.of(to.name(node.out(1))));
    String centred = to.helper("Sub", List.of(x, to.name(node.out(1))));
    String square = to.helper("Mul", List.of(centred, centred));
    String variance = to.helper(type, List.of(square, over));
    String shifted = to.helper("Add", List.of(variance, to.number(node.out().type(), epsilon)));
    String deviation = to.helper("Sqrt", List.of(shifted));
    to.emit("Reciprocal", List.of(deviation), List.of(to.name(node.out(2))));
    boolean scaled = !node.in(1).filledWith(1);
    boolean shiftedOut = !node.in(2).filledWith(0);
    String normal = scaled || shiftedOut ? to.fresh() : to.name(node.out());
    to.emit("Mul", List.of(centred, to.name(node.out(2))), List.of(normal));
    if (scaled) {
      String product = shiftedOut ? to.fresh() : to.name(node.out());
      to.emit("Mul", List.of(normal, to.name(node.in(1))), List.of(product));
      normal = product;
    }
    if (shiftedOut) {
      to.emit("Add", List.of(normal, to.name(node.in(2))), List.of(to.name(node.out())));
    }
  }

  /** The column with which x [B, n] gives the means of its rows. */
  private String averages(Tensor x) {
    double[] values = new double[Math.toIntExact(x.dim(1).size())];
    Arrays.fill(values, 1.0 / values.length);
    return to.constant(new TensorData.Numbers(x.type(), Shape.of(values.length, 1), values));
  }

  /** ONNX has the statistics in float whatever the type of the rest. */
  private void layerNormalizationWhole(Node node, float epsilon, boolean statistics) {
    List<String> out = new ArrayList<>(List.of(to.name(node.out())));
    List<List<String>> casts = new ArrayList<>();
    for (int i = 1; i < 3 && statistics; i++) {
      String statistic = to.name(node.out(i));
      if (node.out(i).type() != DataType.FLOAT) {
        String inFloat = to.fresh();
        casts.add(List.of(inFloat, statistic));
        statistic = inFloat;
      }
      out.add(statistic);
    }
    to.emit("LayerNormalization", to.names(node.inputs()), out)
        .addAttribute(attribute("axis", -1))
        .addAttribute(attribute("epsilon", epsilon));
    casts.forEach(pair -> cast(pair.getFirst(), pair.getLast(), node.out().type()));
  }

  void count(Node node, List<Integer> axes) {
    String sizes =
        to.helper(
            "Gather",
            List.of(
                to.shapeOf(to.name(node.in(0))),
                to.longs(axes.stream().map(Integer::longValue).toList())));
    String product = to.fresh();
    to.emit("ReduceProd", List.of(sizes), List.of(product)).addAttribute(attribute("keepdims", 0));
    cast(product, to.name(node.out()), node.out().type());
  }

  void scatterAdd(Node node) {
    Tensor like = node.in(0);
    Tensor indices = node.in(1);
    String index = to.name(indices);
    if (indices.type() != DataType.INT64) {
      index = to.fresh();
      cast(to.name(indices), index, DataType.INT64);
    }
    String zeros = to.fresh();
    TensorData zero = new TensorData.Numbers(node.out().type(), Shape.of(1), new double[1]);
    to.emit("ConstantOfShape", List.of(to.shapeOf(to.name(like))), List.of(zeros))
        .addAttribute(attribute("value", OnnxTensors.write("", zero, zero.type())));
    int tail = like.rank() - 1;
    switch (lowering) {
      case CUDA -> {
        String column = to.helper("Unsqueeze", List.of(index, to.longs(List.of(-1L))));
        to.emit("ScatterND", List.of(zeros, column, to.name(node.in(2))), to.outputs(node))
            .addAttribute(attribute("reduction", "add"));
      }
      case CPU -> {
        // ScatterElements wants one index an element, and as many axes as the data has.
        List<Long> axes =
            java.util.stream.LongStream.range(indices.rank(), indices.rank() + (long) tail)
                .boxed()
                .toList();
        String wide = tail == 0 ? index : to.helper("Unsqueeze", List.of(index, to.longs(axes)));
        String expanded = to.helper("Expand", List.of(wide, to.shapeOf(to.name(node.in(2)))));
        String flatIndex = expanded;
        String flatUpdates = to.name(node.in(2));
        if (indices.rank() != 1) {
          String flat = rowsOf(like);
          flatIndex = to.helper("Reshape", List.of(flatIndex, flat));
          flatUpdates = to.helper("Reshape", List.of(flatUpdates, flat));
        }
        to.emit("ScatterElements", List.of(zeros, flatIndex, flatUpdates), to.outputs(node))
            .addAttribute(attribute("axis", 0))
            .addAttribute(attribute("reduction", "add"));
      }
    }
  }

  /** The target shape of any number of rows like those of {@code like}. */
  private String rowsOf(Tensor like) {
    Shape tail = like.shape().slice(1, like.rank());
    if (tail.dims().stream().allMatch(Dim::fixed)) {
      List<Long> sizes = new ArrayList<>(List.of(-1L));
      tail.dims().forEach(d -> sizes.add(d.size()));
      return to.longs(sizes);
    }
    String sizes = to.fresh();
    to.emit("Shape", List.of(to.name(like)), List.of(sizes)).addAttribute(attribute("start", 1));
    String target = to.fresh();
    to.emit("Concat", List.of(to.longs(List.of(-1L)), sizes), List.of(target))
        .addAttribute(attribute("axis", 0));
    return target;
  }
}
