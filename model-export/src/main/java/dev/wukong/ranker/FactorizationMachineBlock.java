package dev.wukong.ranker;

import dev.wukong.graph.Dim;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Tensor;

/** FMB (paper, section 3.3): reshape(MLP(LayerNorm(flatten(FM(X))))). */
final class FactorizationMachineBlock {
  private FactorizationMachineBlock() {}

  /** x [B, n, d] to [B, nF, d]. */
  static Tensor of(Network net, WukongConfig config, Tensor x) {
    GraphBuilder g = net.graph();
    Tensor interactions = interactions(net, config, x); // [B, n, k] or [B, n, n]
    Dim flat = interactions.dim(1).times(interactions.dim(2));
    Tensor normal = net.layerNorm(g.reshape(interactions, x.dim(0), flat));
    long out = config.fmEmbeddings() * x.dim(2).size();
    return g.reshape(
        Mlp.of(net, normal, config.fmMlp(), out),
        x.dim(0),
        Dim.of(config.fmEmbeddings()),
        x.dim(2));
  }

  private static Tensor interactions(Network net, WukongConfig config, Tensor x) {
    GraphBuilder g = net.graph();
    return switch (config.fm()) {
      case PLAIN -> g.matMul(x, g.transposeLast(x));
      case LOW_RANK -> {
        long n = x.dim(1).size();
        // Yᵀ [k, n], so that (Xᵀ Y)ᵀ is a product from the left. Variance 1: of the scale the
        // paper's code bases use.
        Tensor y = net.weight("y", new Init.Normal(1), config.rank(), n);
        yield g.matMul(x, g.transposeLast(g.matMul(y, x)));
      }
      case ATTENTIVE -> g.matMul(x, g.transposeLast(g.matMul(attentive(net, config, x), x)));
    };
  }

  /** Yᵀ [B, k, n] made from the input: linearly compressed, then through an MLP. */
  private static Tensor attentive(Network net, WukongConfig config, Tensor x) {
    GraphBuilder g = net.graph();
    try (var _ = g.scope("attention")) {
      Tensor compressed;
      try (var _ = g.scope("compress")) {
        compressed = Wukong.linear(net, x, config.attention().compressed()); // [B, c, d]
      }
      Tensor flat = g.reshape(compressed, x.dim(0), compressed.dim(1).times(compressed.dim(2)));
      long n = x.dim(1).size();
      Tensor y = Mlp.of(net, flat, config.attention().mlp(), config.rank() * n);
      return g.reshape(y, x.dim(0), Dim.of(config.rank()), x.dim(1));
    }
  }
}
