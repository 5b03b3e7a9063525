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
   * What lies in memory between is written and read several times a step, so that the order of the
   * sums is the one that leaves less of it.
   */
  private static Tensor compressed(Network net, Tensor x, Tensor map, long out) {
    GraphBuilder g = net.graph();
    long fields = x.dim(1).size();
    long pairs = fields * map.dim(1).size();
    // As the published runs started it.
    Init init = new Init.Uniform(1 / Math.sqrt((double) pairs));
    Tensor weight = net.weight("weight", init, out, pairs); // [out, f h]
    Tensor bias = net.weight("bias", init, out, 1);
    Tensor sums = out < fields ? fieldsFirst(g, x, map, weight) : pairsFirst(g, x, map, weight);
    return g.add(sums, bias);
  }

  /** The products of all pairs [B, f h, d], then their sums. */
  private static Tensor pairsFirst(GraphBuilder g, Tensor x, Tensor map, Tensor weight) {
    Dim one = Dim.of(1);
    Tensor fields = g.reshape(x, x.dim(0), x.dim(1), one, x.dim(2)); // [B, f, 1, d]
    Tensor maps = g.reshape(map, x.dim(0), one, map.dim(1), x.dim(2)); // [B, 1, h, d]
    Dim pairs = weight.dim(1);
    return g.matMul(weight, g.reshape(g.mul(fields, maps), x.dim(0), pairs, x.dim(2)));
  }

  /** What each map of the layer before is multiplied by, summed over fields, [B, out h, d]. */
  private static Tensor fieldsFirst(GraphBuilder g, Tensor x, Tensor map, Tensor weight) {
    Dim out = weight.dim(0);
    Dim before = map.dim(1);
    Tensor byMap = g.transposeLast(g.reshape(weight, out, x.dim(1), before)); // [out, h, f]
    Tensor factors = g.matMul(g.reshape(byMap, out.times(before), x.dim(1)), x);
    Tensor products =
        g.mul(
            g.reshape(factors, x.dim(0), out, before, x.dim(2)),
            g.reshape(map, x.dim(0), Dim.of(1), before, x.dim(2)));
    return g.reduceSum(products, false, 2);
  }
}
