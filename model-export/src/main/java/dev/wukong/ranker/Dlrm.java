package dev.wukong.ranker;

import dev.wukong.graph.DataType;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Shape;
import dev.wukong.graph.Tensor;
import dev.wukong.graph.TensorData;
import java.util.ArrayList;
import java.util.List;

/** DLRM: the top MLP on the fields' interaction and, with dot products, on the bottom MLP's. */
final class Dlrm {
  private Dlrm() {}

  /** Logits [B, tasks]. */
  static Tensor logits(Network net, DlrmConfig config, RankerInputs inputs, int tasks) {
    GraphBuilder g = net.graph();
    Tensor x = new Fields(net, inputs, config).embeddings(); // [B, n, d]
    Tensor met =
        switch (config.interaction()) {
          case CAT -> Fields.flat(g, x);
          case DOT -> g.concat(1, dots(g, config, inputs, x));
        };
    try (var _ = g.scope("top")) {
      return Mlp.logits(net, met, config.top(), tasks);
    }
  }

  /** The dot product of each pair of fields [B, n (n - 1) / 2], and the bottom MLP's output. */
  private static List<Tensor> dots(
      GraphBuilder g, DlrmConfig config, RankerInputs inputs, Tensor x) {
    int n = Math.toIntExact(x.dim(1).size());
    List<Tensor> parts = new ArrayList<>();
    if (n > 1) {
      Tensor products = Fields.flat(g, g.matMul(x, g.transposeLast(x))); // [B, n n]
      // Taken by position along the first axis, where a lookup has a gradient.
      Tensor pairs = g.gather(g.transpose(products, 1, 0), upperTriangle(g, n));
      parts.add(g.transpose(pairs, 1, 0));
    }
    boolean numbers = !inputs.numbers().isEmpty();
    if (numbers && config.embedding().numbers() != EmbeddingConfig.Numbers.EACH) {
      long made = config.embedding().denseEmbeddings(); // The last ones.
      parts.add(Fields.flat(g, g.split(x, 1, List.of(n - made, made)).getLast()));
    }
    if (parts.isEmpty()) {
      parts.add(Fields.flat(g, x)); // A single field meets nothing.
    }
    return parts;
  }

  /** Where the pairs i < j lie in n x n values, row-major. */
  private static Tensor upperTriangle(GraphBuilder g, int n) {
    double[] places = new double[n * (n - 1) / 2];
    int at = 0;
    for (int i = 0; i < n; i++) {
      for (int j = i + 1; j < n; j++) {
        places[at++] = i * n + j;
      }
    }
    return g.constant(new TensorData.Numbers(DataType.INT32, Shape.of(places.length), places));
  }
}
