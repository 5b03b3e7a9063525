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
    GraphBuilder g = new GraphBuilder("predict", DataType.FLOAT);
    Network net = new Network(g, Mode.PREDICT);
    Tensor logits =
        config.logits(net, new RankerInputs(net, layout), layout.schema().tasks().size());
    g.output("probabilities", g.apply(new Op.Sigmoid(), logits));
    g.output("logits", logits);
    return g.build();
  }
}
