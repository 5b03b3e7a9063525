package dev.wukong.ranker;

import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Op;
import dev.wukong.graph.Tensor;

/** A multilayer perceptron. */
final class Mlp {
  private Mlp() {}

  /** The hidden layers on x [B, in]: [B, last hidden width]. */
  static Tensor hidden(Network net, Tensor x, MlpConfig config) {
    GraphBuilder g = net.graph();
    Tensor h = x;
    for (int i = 0; i < config.hidden().size(); i++) {
      try (var _ = g.scope("hidden" + i)) {
        h = net.linear(h, config.hidden().get(i));
        if (config.batchNorm()) {
          h = net.batchNorm(h);
        }
        h = net.dropout(g.apply(new Op.Relu(), h), config.dropout());
      }
    }
    return h;
  }

  /** The hidden layers and a linear output without activation on x [B, in]: [B, out]. */
  static Tensor of(Network net, Tensor x, MlpConfig config, long out) {
    return out(net, hidden(net, x, config), out);
  }

  /** The hidden layers and an output for each task: logits [B, tasks], in the graph's wide type. */
  static Tensor logits(Network net, Tensor x, MlpConfig config, int tasks) {
    return logits(net, hidden(net, x, config), tasks);
  }

  /** A linear output for each task on h [B, in]: logits [B, tasks], in the graph's wide type. */
  static Tensor logits(Network net, Tensor h, int tasks) {
    return out(net, net.graph().cast(h, net.graph().wideType()), tasks);
  }

  /** The output after the hidden layers. */
  private static Tensor out(Network net, Tensor hidden, long out) {
    try (var _ = net.graph().scope("out")) {
      return net.linear(hidden, out);
    }
  }
}
