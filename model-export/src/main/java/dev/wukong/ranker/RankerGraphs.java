package dev.wukong.ranker;

import dev.wukong.data.InputLayout;
import dev.wukong.graph.DataType;
import dev.wukong.graph.Graph;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Op;
import dev.wukong.graph.Tensor;

/** Whole graphs made of a ranker. */
public final class RankerGraphs {
  private RankerGraphs() {}

  /**
   * The predict graph: outputs {@code probabilities} and {@code logits}, both [B, tasks]. Its
   * parameters are the weights and running statistics that training keeps under the same names.
   */
  public static Graph predict(RankerConfig config, InputLayout layout) {
    return predict(config, layout, DataType.FLOAT);
  }

  /**
   * The predict graph, whose context is computed once a request, with its rows, its weights and the
   * products between them in {@code type}. Numbers and what is made of them up to their embeddings,
   * weighted sums, statistics, and the logits are in float even where that is FLOAT16.
   */
  public static Graph predict(RankerConfig config, InputLayout layout, DataType type) {
    return ContextOnce.of(straight(config, layout, type), type);
  }

  /**
   * The predict graph as the ranker's equations stand: what depends on a context alone is computed
   * once a candidate. For where each candidate has a context of its own.
   */
  public static Graph straight(RankerConfig config, InputLayout layout) {
    return straight(config, layout, DataType.FLOAT);
  }

  static Graph straight(RankerConfig config, InputLayout layout, DataType type) {
    GraphBuilder g = new GraphBuilder("predict", type);
    Network net = new Network(g, Mode.PREDICT);
    Tensor logits =
        config.logits(net, new RankerInputs(net, layout), layout.schema().tasks().size());
    g.output("probabilities", g.apply(new Op.Sigmoid(), logits));
    g.output("logits", logits);
    return g.build();
  }
}
