package dev.wukong.ranker;

import dev.wukong.graph.Dim;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The stack of interaction layers and the final MLP. A layer (paper, equation 2): X' =
 * LayerNorm(concat(FMB(X), LCB(X)) + X), the residual projected linearly where the counts of
 * embeddings differ.
 */
final class Wukong {
  private Wukong() {}

  /** Logits [B, tasks]. */
  static Tensor logits(Network net, WukongConfig config, RankerInputs inputs, int tasks) {
    GraphBuilder g = net.graph();
    Tensor x = inputs.embeddings(net, config.embedding()); // [B, n, d]
    for (int layer = 0; layer < config.layers(); layer++) {
      try (var _ = g.scope("layer" + layer)) {
        x = layer(net, config, x);
      }
    }
    Dim flat = x.dim(1).times(x.dim(2));
    try (var _ = g.scope("head")) {
      Tensor h = Mlp.hidden(net, g.reshape(x, x.dim(0), flat), config.head());
      return Mlp.out(net, g.cast(h, g.wideType()), tasks);
    }
  }

  /** x [B, n, d] to [B, nF + nL, d]. */
  private static Tensor layer(Network net, WukongConfig config, Tensor x) {
    GraphBuilder g = net.graph();
    List<Tensor> parts = new ArrayList<>();
    if (config.fmEmbeddings() > 0) {
      try (var _ = g.scope("fm")) {
        parts.add(FactorizationMachineBlock.of(net, config, x)); // [B, nF, d]
      }
    }
    if (config.linearEmbeddings() > 0) {
      try (var _ = g.scope("linear")) {
        parts.add(linear(net, x, config.linearEmbeddings())); // [B, nL, d]
      }
    }
    Tensor joined = g.concat(1, parts);
    if (config.residual()) {
      joined = g.add(joined, residual(net, x, joined.dim(1).size()));
    }
    return net.layerNorm(joined);
  }

  private static Tensor residual(Network net, Tensor x, long count) {
    if (x.dim(1).size() == count) {
      return x;
    }
    try (var _ = net.graph().scope("residual")) {
      return linear(net, x, count);
    }
  }

  /**
   * Linear compression: W X with W [count, n] on the left, so that no transpose is needed. [B, n,
   * d] to [B, count, d].
   */
  static Tensor linear(Network net, Tensor x, long count) {
    long n = x.dim(1).size();
    Tensor weight = net.weight("weight", new Init.XavierNormal(n, count), count, n);
    return net.graph().matMul(weight, x);
  }
}
