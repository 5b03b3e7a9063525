package dev.wukong.ranker;

import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Op;
import dev.wukong.graph.Tensor;
import java.util.ArrayList;
import java.util.List;

/** AFN+: an MLP on products of learnt powers of the fields, and an MLP on other embeddings. */
final class Afn {
  /** What an embedding's absolute value is at least before its logarithm. */
  private static final double SMALLEST = 1e-5;

  private Afn() {}

  /** Logits [B, tasks]: a weighted sum of those of the two parts, where there are two. */
  static Tensor logits(Network net, AfnConfig config, RankerInputs inputs, int tasks) {
    GraphBuilder g = net.graph();
    Fields fields = new Fields(net, inputs, config);
    List<Tensor> parts = new ArrayList<>();
    Tensor products = Fields.flat(g, products(net, config, fields.embeddings()));
    try (var _ = g.scope("afn")) {
      parts.add(Mlp.logits(net, products, config.afn(), tasks));
    }
    for (ExtraTables tables : config.extras(tasks)) {
      try (var _ = g.scope("deep")) {
        Tensor flat = Fields.flat(g, fields.of(tables));
        parts.add(Mlp.logits(net, flat, config.deep(), tasks));
      }
    }
    return parts.size() == 1 ? parts.getFirst() : weighted(net, parts, tasks);
  }

  /** w1 a + w2 n + b, with weights of each task. */
  private static Tensor weighted(Network net, List<Tensor> parts, int tasks) {
    GraphBuilder g = net.graph();
    try (var _ = g.scope("ensemble")) {
      if (tasks == 1) {
        return net.linear(g.concat(1, parts), 1);
      }
      Init init = new Init.XavierNormal(2, 1);
      Tensor sum = net.weight(g.wideType(), "bias", new Init.Constant(0), tasks);
      for (int i = 0; i < parts.size(); i++) {
        Tensor weight = net.weight(g.wideType(), "weight" + i, init, tasks);
        sum = g.add(sum, g.mul(parts.get(i), weight));
      }
      return sum;
    }
  }

  /**
   * The logarithmic layer (section 3.2): exp(W log |E|), batch normalization after both. x [B, f,
   * d] to [B, neurons, d]. Logarithms and powers are wide: half precision cannot hold them.
   */
  private static Tensor products(Network net, AfnConfig config, Tensor x) {
    GraphBuilder g = net.graph();
    try (var _ = g.scope("logarithmic")) {
      Tensor size = g.apply(new Op.Abs(), g.cast(x, g.wideType()));
      Tensor floor = g.constant(SMALLEST, size.type());
      Tensor logs = g.apply(new Op.Log(), g.apply(new Op.Max(), size, floor));
      try (var _ = g.scope("log")) {
        logs = net.batchNorm(logs);
      }
      long n = x.dim(1).size();
      long neurons = config.logNeurons();
      Init init = new Init.XavierNormal(n, neurons);
      Tensor weight = net.weight(logs.type(), "weight", init, neurons, n);
      Tensor powers = g.apply(new Op.Exp(), g.matMul(weight, logs));
      try (var _ = g.scope("exp")) {
        return g.cast(net.batchNorm(powers), g.type());
      }
    }
  }
}
