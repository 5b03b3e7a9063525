package dev.wukong.ranker;

import dev.wukong.graph.Dim;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Tensor;
import java.util.ArrayList;
import java.util.List;

/** xDeepFM: a compressed interaction network, an MLP and a linear model, added. */
final class XDeepFm {
  private XDeepFm() {}

  /** Logits [B, tasks]. */
  static Tensor logits(Network net, XDeepFmConfig config, RankerInputs inputs, int tasks) {
    GraphBuilder g = net.graph();
    Fields fields = new Fields(net, inputs, config);
    Tensor x = fields.embeddings(); // [B, f, d]
    Tensor logits = interactions(net, config, x, tasks);
    if (!config.deep().hidden().isEmpty()) {
      try (var _ = g.scope("deep")) {
        logits = g.add(logits, Mlp.logits(net, Fields.flat(g, x), config.deep(), tasks));
      }
    }
    for (ExtraTables linear : config.extras(tasks)) {
      logits = g.add(logits, fields.sum(linear));
    }
    return logits;
  }

  /** The compressed interaction network (section 3.2), without activation, and its output layer. */
  private static Tensor interactions(Network net, XDeepFmConfig config, Tensor x, int tasks) {
    GraphBuilder g = net.graph();
    List<Tensor> pooled = new ArrayList<>();
    Tensor map = x; // [B, h, d]
    for (int layer = 0; layer < config.cin().size(); layer++) {
      try (var _ = g.scope("cin" + layer)) {
        map = compressed(net, x, map, config.cin().get(layer));
        pooled.add(g.reduceSum(map, false, 2)); // [B, h]
      }
    }
    try (var _ = g.scope("cin")) {
      return Mlp.logits(net, g.concat(1, pooled), tasks);
    }
  }

  /**
   * Maps [B, out, d]: weighted sums over the pairs of a field of x and a map of the layer before.
   */
  private static Tensor compressed(Network net, Tensor x, Tensor map, long out) {
    GraphBuilder g = net.graph();
    Dim one = Dim.of(1);
    Tensor fields = g.reshape(x, x.dim(0), x.dim(1), one, x.dim(2)); // [B, f, 1, d]
    Tensor maps = g.reshape(map, x.dim(0), one, map.dim(1), x.dim(2)); // [B, 1, h, d]
    long pairs = x.dim(1).size() * map.dim(1).size();
    Tensor products = g.reshape(g.mul(fields, maps), x.dim(0), Dim.of(pairs), x.dim(2));
    // As the published runs started it.
    Init init = new Init.Uniform(1 / Math.sqrt((double) pairs));
    Tensor weight = net.weight("weight", init, out, pairs);
    Tensor bias = net.weight("bias", init, out, 1);
    return g.add(g.matMul(weight, products), bias);
  }
}
