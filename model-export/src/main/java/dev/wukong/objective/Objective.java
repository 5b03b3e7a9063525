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
 * Forward and loss of one minibatch in a graph under construction, with the inputs {@code labels}
 * and {@code label_weights} [B, tasks] beside the model's.
 *
 * @param loss a scalar
 * @param probabilities [B, tasks]
 */
record Objective(Network net, RankerInputs inputs, Tensor loss, Tensor probabilities) {
  static Objective of(GraphBuilder g, RankerConfig config, InputLayout layout) {
    Network net = new Network(g, Mode.TRAIN);
    RankerInputs inputs = new RankerInputs(net, layout);
    int tasks = layout.schema().tasks().size();
    Tensor logits = config.logits(net, inputs, tasks);
    Tensor labels = g.input("labels", DataType.FLOAT, Dim.of("B"), Dim.of(tasks));
    Tensor weights = g.input("label_weights", DataType.FLOAT, Dim.of("B"), Dim.of(tasks));
    Tensor loss = Loss.binaryCrossEntropy(g, logits, labels, weights);
    return new Objective(net, inputs, loss, g.apply(new Op.Sigmoid(), logits));
  }
}
