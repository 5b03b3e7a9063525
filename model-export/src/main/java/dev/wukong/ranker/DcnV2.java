package dev.wukong.ranker;

import dev.wukong.graph.Dim;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Op;
import dev.wukong.graph.Tensor;
import java.util.ArrayList;
import java.util.List;

/** DCN-V2: cross layers x' = x + x0 * (W x + b), and an MLP beside or after them. */
final class DcnV2 {
  private DcnV2() {}

  /** Logits [B, tasks]. */
  static Tensor logits(Network net, DcnV2Config config, RankerInputs inputs, int tasks) {
    GraphBuilder g = net.graph();
    Tensor first = Fields.flat(g, new Fields(net, inputs, config).embeddings()); // [B, D]
    Tensor crossed = config.rank() == 0 ? cross(net, config, first) : mixture(net, config, first);
    return switch (config.structure()) {
      case CROSS_ONLY -> Mlp.logits(net, crossed, tasks);
      case STACKED -> Mlp.logits(net, deep(net, config, crossed), tasks);
      case PARALLEL ->
          Mlp.logits(net, g.concat(1, List.of(crossed, deep(net, config, first))), tasks);
    };
  }

  private static Tensor deep(Network net, DcnV2Config config, Tensor x) {
    try (var _ = net.graph().scope("deep")) {
      return Mlp.hidden(net, x, config.deep());
    }
  }

  private static Tensor cross(Network net, DcnV2Config config, Tensor first) {
    GraphBuilder g = net.graph();
    Tensor x = first;
    for (int layer = 0; layer < config.layers(); layer++) {
      try (var _ = g.scope("cross" + layer)) {
        x = g.add(x, g.mul(first, net.linear(x, first.dim(1).size())));
      }
    }
    return x;
  }

  /**
   * Layers of experts U tanh(C tanh(V x)) + b of low rank, weighed by gates that all layers share
   * (section 3.3).
   */
  private static Tensor mixture(Network net, DcnV2Config config, Tensor first) {
    GraphBuilder g = net.graph();
    int experts = config.experts();
    List<Tensor> gates = new ArrayList<>(); // Of each expert: [D, 1].
    for (int e = 0; e < experts; e++) {
      long width = first.dim(1).size();
      gates.add(net.weight("gate" + e, new Init.XavierNormal(width, 1), width, 1));
    }
    Tensor gate = g.concat(1, gates); // [D, experts]
    Tensor x = first;
    for (int layer = 0; layer < config.layers(); layer++) {
      try (var _ = g.scope("cross" + layer)) {
        x = g.add(x, mixed(net, config, first, x, gate));
      }
    }
    return x;
  }

  private static Tensor mixed(
      Network net, DcnV2Config config, Tensor first, Tensor x, Tensor gate) {
    GraphBuilder g = net.graph();
    long width = first.dim(1).size();
    Tensor bias = net.weight("bias", new Init.Constant(0), width);
    List<Tensor> outputs = new ArrayList<>(); // Of each expert: [B, 1, D].
    for (int e = 0; e < config.experts(); e++) {
      try (var _ = g.scope("expert" + e)) {
        // One tensor of all experts in the published code, which its fans are counted of:
        // [E, D, r] for U and V, [E, r, r] for C.
        Init outer =
            new Init.XavierNormal(width * config.rank(), (long) config.experts() * config.rank());
        Init inner =
            new Init.XavierNormal(
                (long) config.rank() * config.rank(), (long) config.experts() * config.rank());
        Tensor low = g.apply(new Op.Tanh(), product(net, "v", x, config.rank(), outer));
        Tensor core = g.apply(new Op.Tanh(), product(net, "c", low, config.rank(), inner));
        Tensor out = g.mul(first, g.add(product(net, "u", core, width, outer), bias));
        outputs.add(g.reshape(out, out.dim(0), Dim.of(1), out.dim(1)));
      }
    }
    Tensor weights = g.apply(new Op.Softmax(1), g.gemm(x, false, gate, false)); // [B, experts]
    Tensor each = g.reshape(weights, weights.dim(0), Dim.of(1), weights.dim(1));
    Tensor sum = g.matMul(each, g.concat(1, outputs)); // [B, 1, D]
    return g.reshape(sum, x.shape());
  }

  private static Tensor product(Network net, String name, Tensor x, long out, Init init) {
    long in = x.dim(1).size();
    Tensor weight = net.weight(name, init, in, out);
    return net.graph().gemm(x, false, weight, false);
  }
}
