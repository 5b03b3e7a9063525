package dev.wukong.ranker;

import dev.wukong.graph.Dim;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Op;
import dev.wukong.graph.Tensor;
import java.util.ArrayList;
import java.util.List;

/** FinalMLP: two MLP streams on gated fields, joined by a bilinear product. */
final class FinalMlp {
  private FinalMlp() {}

  /** Logits [B, tasks]. */
  static Tensor logits(Network net, FinalMlpConfig config, RankerInputs inputs, int tasks) {
    GraphBuilder g = net.graph();
    Fields fields = new Fields(net, inputs, config);
    Tensor flat = Fields.flat(g, fields.embeddings()); // [B, D]
    Tensor first = stream(net, config, fields, flat, "first", config.first());
    Tensor second = stream(net, config, fields, flat, "second", config.second());
    Tensor logits;
    try (var _ = g.scope("first")) {
      logits = Mlp.logits(net, first, tasks);
    }
    try (var _ = g.scope("second")) {
      logits = g.add(logits, Mlp.logits(net, second, tasks));
    }
    try (var _ = g.scope("fusion")) {
      List<Tensor> products = new ArrayList<>();
      for (int task = 0; task < tasks; task++) {
        products.add(bilinear(net, first, second, config.heads()));
      }
      return g.add(logits, g.concat(1, products));
    }
  }

  private static Tensor stream(
      Network net, FinalMlpConfig config, Fields fields, Tensor flat, String name, MlpConfig mlp) {
    GraphBuilder g = net.graph();
    try (var _ = g.scope(name)) {
      Tensor x =
          config
              .selection()
              .map(selection -> g.mul(flat, gates(net, config, selection, fields, flat, name)))
              .orElse(flat);
      return Mlp.hidden(net, x, mlp);
    }
  }

  /**
   * Gates 0 to 2 for each value of {@code flat} [B, D], or [1, D] where no feature is the context.
   */
  private static Tensor gates(
      Network net,
      FinalMlpConfig config,
      FinalMlpConfig.Selection selection,
      Fields fields,
      Tensor flat,
      String name) {
    GraphBuilder g = net.graph();
    try (var _ = g.scope("selection")) {
      Tensor context =
          config.extras(1).stream()
              .filter(tables -> tables.name().equals("selection." + name))
              .findFirst()
              .map(tables -> Fields.flat(g, fields.of(tables)))
              .orElseGet(
                  () -> net.weight("context", new Init.Constant(0), 1, config.embedding().width()));
      Tensor made = Mlp.of(net, context, selection.mlp(), flat.dim(1).size());
      return g.mul(g.apply(new Op.Sigmoid(), made), 2);
    }
  }

  /** The sum over heads of aᵀ W b, a and b being the head's parts of x and y: [B, 1]. */
  private static Tensor bilinear(Network net, Tensor x, Tensor y, int heads) {
    GraphBuilder g = net.graph();
    long m = x.dim(1).size() / heads;
    long n = y.dim(1).size() / heads;
    // The published code holds all heads' weights in one column; that is where the deviation is of.
    Init init = new Init.XavierNormal(heads * m * n, 1);
    Tensor weight = net.weight("weight", init, heads, m, n);
    Tensor left = byHead(g, x, heads, m); // [heads, B, m]
    Tensor right = byHead(g, y, heads, n);
    Tensor products = g.mul(g.matMul(left, weight), right); // [heads, B, n]
    Tensor sum = g.reduceSum(g.cast(products, g.wideType()), false, 0, 2); // [B]
    return g.reshape(sum, sum.dim(0), Dim.of(1));
  }

  private static Tensor byHead(GraphBuilder g, Tensor x, int heads, long width) {
    return g.transpose(g.reshape(x, x.dim(0), Dim.of(heads), Dim.of(width)), 1, 0, 2);
  }
}
