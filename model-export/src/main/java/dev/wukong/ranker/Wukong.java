package dev.wukong.ranker;

import dev.wukong.graph.DataType;
import dev.wukong.graph.Dim;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Shape;
import dev.wukong.graph.Tensor;
import dev.wukong.graph.TensorData;
import java.util.ArrayList;
import java.util.List;

/**
 * The stack of interaction layers and the final MLP. A layer (paper, equation 2): X' =
 * LayerNorm(concat(FMB(X), LCB(X)) + X), the residual projected linearly where the counts of
 * embeddings differ.
 */
final class Wukong {
  private Wukong() {}

  /** From embeddings [B, n, d] to logits [B, tasks]. */
  static Tensor logits(Network net, WukongConfig config, Tensor embeddings, int tasks) {
    GraphBuilder g = net.graph();
    Tensor x = embeddings;
    for (int layer = 0; layer < config.layers(); layer++) {
      try (var _ = g.scope("layer" + layer)) {
        x = layer(net, config, x);
      }
    }
    Dim flat = x.dim(1).times(x.dim(2));
    try (var _ = g.scope("head")) {
      return Mlp.logits(net, g.reshape(x, x.dim(0), flat), config.head(), tasks);
    }
  }

  /** x [B, n, d] to [B, nF + nL, d]. */
  private static Tensor layer(Network net, WukongConfig config, Tensor x) {
    GraphBuilder g = net.graph();
    long count = (long) config.fmEmbeddings() + config.linearEmbeddings();
    boolean projected = config.residual() && x.dim(1).size() != count;
    List<Tensor> parts = new ArrayList<>();
    if (config.fmEmbeddings() > 0) {
      try (var _ = g.scope("fm")) {
        parts.add(
            config.fmBlock()
                ? FactorizationMachineBlock.of(net, config, x)
                : zeros(g, x, config.fmEmbeddings())); // [B, nF, d]
      }
    }
    if (net.mode() == Mode.PREDICT && projected && joinable(config)) {
      return net.layerNorm(joint(net, config, x, parts.getFirst()));
    }
    if (config.linearEmbeddings() > 0) {
      try (var _ = g.scope("linear")) {
        parts.add(
            config.linearBlock()
                ? linear(net, x, config.linearEmbeddings())
                : zeros(g, x, config.linearEmbeddings())); // [B, nL, d]
      }
    }
    Tensor joined = g.concat(1, parts);
    if (config.residual()) {
      joined = g.add(joined, projected ? projection(net, x, count) : x);
    }
    return net.layerNorm(joined);
  }

  /** Whether there are both blocks, so that the linear one is a part of what is projected. */
  private static boolean joinable(WukongConfig config) {
    return config.fmEmbeddings() > 0 && config.linearEmbeddings() > 0 && config.linearBlock();
  }

  /**
   * The linear block and the residual as the one linear map that they are, beside fm [B, nF, d]:
   * for prediction, where no gradient asks for either. Their weights are added before they are
   * rounded to half precision.
   */
  private static Tensor joint(Network net, WukongConfig config, Tensor x, Tensor fm) {
    GraphBuilder g = net.graph();
    long n = x.dim(1).size();
    long above = fm.dim(1).size();
    Tensor linear;
    try (var _ = g.scope("linear")) {
      linear = wideWeight(net, config.linearEmbeddings(), n);
    }
    Tensor residual;
    try (var _ = g.scope("residual")) {
      residual = wideWeight(net, above + config.linearEmbeddings(), n);
    }
    List<Tensor> parts = g.split(residual, 0, List.of(above, (long) config.linearEmbeddings()));
    Tensor beside = g.cast(parts.getFirst(), g.type());
    Tensor joined = g.cast(g.add(linear, parts.getLast()), g.type());
    return g.concat(1, List.of(g.add(fm, g.matMul(beside, x)), g.matMul(joined, x)));
  }

  /** What a block that is switched off gives: [B, count, d]. */
  private static Tensor zeros(GraphBuilder g, Tensor x, int count) {
    Shape shape = Shape.of(Dim.of(count), x.dim(2));
    int size = Math.toIntExact(shape.elements().size());
    Tensor zeros = g.constant(new TensorData.Numbers(x.type(), shape, new double[size]));
    // Of the batch's size, and 0 whatever x is.
    return g.add(zeros, g.mul(g.reduceSum(x, true, 1, 2), 0));
  }

  private static Tensor projection(Network net, Tensor x, long count) {
    try (var _ = net.graph().scope("residual")) {
      return linear(net, x, count);
    }
  }

  /**
   * Linear compression: W X with W [count, n] on the left, so that no transpose is needed. [B, n,
   * d] to [B, count, d].
   */
  static Tensor linear(Network net, Tensor x, long count) {
    return net.graph().matMul(linearWeight(net, count, x.dim(1).size()), x);
  }

  private static Tensor wideWeight(Network net, long count, long n) {
    DataType wide = net.graph().wideType();
    return net.weight(wide, "weight", new Init.XavierNormal(n, count), count, n);
  }

  private static Tensor linearWeight(Network net, long count, long n) {
    return net.weight("weight", new Init.XavierNormal(n, count), count, n);
  }
}
