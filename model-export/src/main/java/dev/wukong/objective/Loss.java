package dev.wukong.objective;

import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Op;
import dev.wukong.graph.Tensor;

/** Losses, as graph functions. */
final class Loss {
  private Loss() {}

  /**
   * Binary cross-entropy from logits, summed over examples and tasks, each by its share. Stable for
   * any logit: softplus(z) - y z.
   *
   * @param logits [B, tasks]
   * @param labels [B, tasks], 0 to 1
   * @param shares [B, tasks], an example's part of the whole: {@link #shares} makes the loss each
   *     task's weighted mean, summed over the tasks
   */
  static Tensor binaryCrossEntropy(GraphBuilder g, Tensor logits, Tensor labels, Tensor shares) {
    Tensor each = g.sub(g.apply(new Op.Softplus(), logits), g.mul(labels, logits));
    return g.reduceSum(g.mul(each, shares), false);
  }

  /**
   * Weights [B, tasks], 0 where the label is absent, as shares of each task's sum over the batch. A
   * task without any example in the batch has none.
   */
  static Tensor shares(GraphBuilder g, Tensor weights) {
    Tensor totals = g.reduceSum(weights, false, 0); // [tasks]
    Tensor divisors =
        g.where(g.apply(new Op.Equal(), totals, g.constant(0)), g.constant(1), totals);
    return g.div(weights, divisors);
  }
}
