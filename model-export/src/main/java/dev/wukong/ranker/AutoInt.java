package dev.wukong.ranker;

import dev.wukong.graph.Dim;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Op;
import dev.wukong.graph.Tensor;
import java.util.ArrayList;
import java.util.List;

/** AutoInt+: self-attention between fields, an MLP beside it, and a linear model where asked. */
final class AutoInt {
  private AutoInt() {}

  /** Logits [B, tasks]. */
  static Tensor logits(Network net, AutoIntConfig config, RankerInputs inputs, int tasks) {
    GraphBuilder g = net.graph();
    Fields fields = new Fields(net, inputs, config);
    Tensor embeddings = fields.embeddings(); // [B, f, d]
    Tensor x = embeddings;
    for (int layer = 0; layer < config.layers(); layer++) {
      try (var _ = g.scope("attention" + layer)) {
        x = layer(net, config, x);
      }
    }
    Tensor logits;
    try (var _ = g.scope("attention")) {
      logits = Mlp.logits(net, Fields.flat(g, x), tasks);
    }
    if (!config.deep().hidden().isEmpty()) {
      try (var _ = g.scope("deep")) {
        Tensor flat = Fields.flat(g, embeddings);
        logits = g.add(logits, Mlp.logits(net, flat, config.deep(), tasks));
      }
    }
    for (ExtraTables linear : config.extras(tasks)) {
      logits = g.add(logits, fields.sum(linear));
    }
    return logits;
  }

  /** x [B, f, in] to ReLU(norm(heads side by side + residual)) [B, f, attention]. */
  private static Tensor layer(Network net, AutoIntConfig config, Tensor x) {
    GraphBuilder g = net.graph();
    long in = x.dim(2).size();
    long out = config.attention();
    boolean projected = config.residual() && in != out;
    // Queries, keys, values and the residual are one product.
    List<Tensor> weights = new ArrayList<>();
    for (String name : projected ? List.of("q", "k", "v", "r") : List.of("q", "k", "v")) {
      weights.add(net.weight(name, new Init.XavierNormal(in, out), in, out));
    }
    Tensor all = g.matMul(x, g.concat(1, weights)); // [B, f, 3 or 4 of out]
    List<Tensor> parts = g.split(all, 2, weights.stream().map(_ -> out).toList());
    Tensor result = attended(net, config, parts);
    if (config.residual()) {
      result = g.add(result, projected ? parts.getLast() : x);
    }
    return g.apply(new Op.Relu(), config.norm() ? net.layerNorm(result) : result);
  }

  /** Attention of queries, keys and values [B, f, out] each, by head: [B, f, out]. */
  private static Tensor attended(Network net, AutoIntConfig config, List<Tensor> parts) {
    GraphBuilder g = net.graph();
    List<Tensor> heads = new ArrayList<>(); // [B, heads, f, out / heads]
    for (Tensor part : parts.subList(0, 3)) {
      Dim width = Dim.of(config.attention() / config.heads());
      Tensor split = g.reshape(part, part.dim(0), part.dim(1), Dim.of(config.heads()), width);
      heads.add(g.transpose(split, 0, 2, 1, 3));
    }
    Tensor scores = g.matMul(heads.get(0), g.transposeLast(heads.get(1))); // [B, heads, f, f]
    if (config.scaled()) {
      scores = g.mul(scores, 1 / Math.sqrt((double) config.attention() / config.heads()));
    }
    Tensor attention = net.dropout(g.apply(new Op.Softmax(3), scores), config.dropout());
    Tensor joined = g.transpose(g.matMul(attention, heads.get(2)), 0, 2, 1, 3);
    return g.reshape(joined, parts.getFirst().shape());
  }
}
