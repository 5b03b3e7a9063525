package dev.wukong.ranker;

import dev.wukong.graph.Dim;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Op;
import dev.wukong.graph.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

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
   * (section 3.3). A single expert needs no gate: its weight would always be 1.
   */
  private static Tensor mixture(Network net, DcnV2Config config, Tensor first) {
    GraphBuilder g = net.graph();
    Optional<Tensor> gate =
        config.experts() == 1 ? Optional.empty() : Optional.of(gate(net, config, first));
    Tensor x = first;
    for (int layer = 0; layer < config.layers(); layer++) {
      try (var _ = g.scope("cross" + layer)) {
        List<Tensor> outputs = outputs(net, config, first, x);
        Tensor mixed = gate.isPresent() ? mixed(g, x, gate.get(), outputs) : outputs.getFirst();
        x = g.add(x, mixed);
      }
    }
    return x;
  }

  /** All gates' weights: [D, experts]. */
  private static Tensor gate(Network net, DcnV2Config config, Tensor first) {
    long width = first.dim(1).size();
    List<Tensor> gates = new ArrayList<>(); // Of each expert: [D, 1].
    for (int e = 0; e < config.experts(); e++) {
      gates.add(net.weight("gate" + e, new Init.XavierNormal(width, 1), width, 1));
    }
    return net.graph().concat(1, gates);
  }

  /** What each expert of a layer gives: [B, D]. */
  private static List<Tensor> outputs(Network net, DcnV2Config config, Tensor first, Tensor x) {
    GraphBuilder g = net.graph();
    long width = first.dim(1).size();
    Tensor bias = net.weight("bias", new Init.Constant(0), width);
    List<Tensor> outputs = new ArrayList<>();
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
        outputs.add(g.mul(first, g.add(product(net, "u", core, width, outer), bias)));
      }
    }
    return outputs;
  }

  /** The experts' outputs weighed by the softmax of their gates: [B, D]. */
  private static Tensor mixed(GraphBuilder g, Tensor x, Tensor gate, List<Tensor> outputs) {
    List<Tensor> rows =
        outputs.stream().map(o -> g.reshape(o, o.dim(0), Dim.of(1), o.dim(1))).toList();
    Tensor weights = g.apply(new Op.Softmax(1), g.gemm(x, false, gate, false)); // [B, experts]
    Tensor each = g.reshape(weights, weights.dim(0), Dim.of(1), weights.dim(1));
    Tensor sum = g.matMul(each, g.concat(1, rows)); // [B, 1, D]
    return g.reshape(sum, x.shape());
  }

  private static Tensor product(Network net, String name, Tensor x, long out, Init init) {
    long in = x.dim(1).size();
    Tensor weight = net.weight(name, init, in, out);
    return net.graph().gemm(x, false, weight, false);
  }
}
