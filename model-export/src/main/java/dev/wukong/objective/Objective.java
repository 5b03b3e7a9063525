package dev.wukong.objective;

import dev.wukong.data.InputLayout;
import dev.wukong.graph.DataType;
import dev.wukong.graph.Dim;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Op;
import dev.wukong.graph.Tensor;
import dev.wukong.ranker.Mode;
import dev.wukong.ranker.Network;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.ranker.RankerInputs;

/**
 * Forward and loss in a graph under construction, with the input {@code labels} [B, tasks] beside
 * the model's.
 *
 * @param loss a scalar
 * @param probabilities [B, tasks]
 */
record Objective(Network net, RankerInputs inputs, Tensor loss, Tensor probabilities) {
  /** Of some rows of a minibatch; takes {@code label_shares} [B, tasks]. */
  static Objective ofPart(GraphBuilder g, RankerConfig config, InputLayout layout) {
    return of(g, config, layout, "label_shares", false);
  }

  /** Of a whole minibatch; takes {@code label_weights} [B, tasks]. */
  static Objective ofMinibatch(GraphBuilder g, RankerConfig config, InputLayout layout) {
    return of(g, config, layout, "label_weights", true);
  }

  private static Objective of(
      GraphBuilder g, RankerConfig config, InputLayout layout, String weighting, boolean whole) {
    Network net = new Network(g, Mode.TRAIN);
    RankerInputs inputs = new RankerInputs(net, layout);
    int tasks = layout.schema().tasks().size();
    Tensor logits = config.logits(net, inputs, tasks);
    Tensor labels = g.input("labels", DataType.FLOAT, Dim.of("B"), Dim.of(tasks));
    Tensor given = g.input(weighting, DataType.FLOAT, Dim.of("B"), Dim.of(tasks));
    Tensor shares = whole ? Loss.shares(g, given) : given;
    Tensor loss = Loss.binaryCrossEntropy(g, logits, labels, shares);
    return new Objective(net, inputs, loss, g.apply(new Op.Sigmoid(), logits));
  }
}
