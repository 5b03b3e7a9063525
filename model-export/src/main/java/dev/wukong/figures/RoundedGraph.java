package dev.wukong.figures;

import dev.wukong.graph.DataType;
import dev.wukong.graph.Dim;
import dev.wukong.graph.Graph;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Node;
import dev.wukong.graph.Op;
import dev.wukong.graph.Tensor;
import dev.wukong.graph.TensorData;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A graph in half precision as one in single precision in which every number that was a half is
 * rounded to a significand of some bits: what a device computes that multiplies rounded numbers,
 * sums in single precision and rounds the sum. With 8 bits that is bfloat16, which processors do
 * not compute in; with 11 it is a half.
 */
final class RoundedGraph {
  static final int BFLOAT16 = 8;
  static final int HALF = 11;

  private static final int SINGLE = 24;

  private final GraphBuilder g;
  private final double splitter;
  private final Map<Tensor, Tensor> made = new HashMap<>();

  private RoundedGraph(String name, int bits) {
    this.g = new GraphBuilder(name, DataType.FLOAT);
    this.splitter = Math.pow(2, SINGLE - bits) + 1;
  }

  /**
   * The graph.
   *
   * @param half without parameters
   * @param bits of a significand, the leading one included
   */
  static Graph of(Graph half, int bits) {
    RoundedGraph rounded = new RoundedGraph(half.name(), bits);
    for (Tensor input : half.inputs()) {
      Dim[] dims = input.shape().dims().toArray(Dim[]::new);
      Tensor end = rounded.g.input(input.name(), wide(input.type()), dims);
      rounded.made.put(input, rounded.as(input.type(), end));
    }
    half.nodes().forEach(rounded::add);
    half.outputs().forEach((name, tensor) -> rounded.g.output(name, rounded.of(tensor)));
    return rounded.g.build();
  }

  private Tensor of(Tensor before) {
    return Objects.requireNonNull(made.get(before), before.name());
  }

  private static DataType wide(DataType type) {
    return type == DataType.FLOAT16 ? DataType.FLOAT : type;
  }

  private void add(Node node) {
    List<Tensor> in = new ArrayList<>();
    node.inputs().forEach(tensor -> in.add(of(tensor)));
    List<Tensor> out =
        switch (node.op()) {
          case Op.Constant(var value) when value.type() == DataType.FLOAT16 -> List.of(wide(value));
          case Op.Cast(var to) when in.getFirst().type() == wide(to) -> in;
          case Op.Cast(var to) -> List.of(g.cast(in.getFirst(), wide(to)));
          default -> g.applyAll(node.op(), in.toArray(Tensor[]::new));
        };
    for (int i = 0; i < out.size(); i++) {
      made.put(node.out(i), as(node.out(i).type(), out.get(i)));
    }
  }

  private Tensor wide(TensorData value) {
    float[] floats = new float[value.length()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) value.at(i);
    }
    return g.constant(new TensorData.Floats(value.shape(), floats));
  }

  /** Rounded, where it was a half (T. J. Dekker's splitting: exact but for numbers near 2^112). */
  private Tensor as(DataType before, Tensor x) {
    if (before != DataType.FLOAT16) {
      return x;
    }
    Tensor large = g.mul(x, splitter);
    return g.sub(large, g.sub(large, x));
  }
}
