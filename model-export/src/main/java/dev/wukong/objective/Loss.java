package dev.wukong.objective;

import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Op;
import dev.wukong.graph.Tensor;

/** Losses, as graph functions. */
final class Loss {
  private Loss() {}

  /**
   * Binary cross-entropy from logits: for each task the weighted mean over its examples, summed
   * over the tasks. Stable for any logit: softplus(z) - y z.
   *
   * @param logits [B, tasks]
   * @param labels [B, tasks], 0 to 1
   * @param weights [B, tasks], 0 where the label is absent
   */
  static Tensor binaryCrossEntropy(GraphBuilder g, Tensor logits, Tensor labels, Tensor weights) {
    Tensor each = g.sub(g.apply(new Op.Softplus(), logits), g.mul(labels, logits));
    Tensor sums = g.reduceSum(g.mul(each, weights), false, 0); // [tasks]
    Tensor totals = g.reduceSum(weights, false, 0);
    // A task without any example in the batch has a sum of 0 and adds nothing.
    Tensor divisors =
        g.where(g.apply(new Op.Equal(), totals, g.constant(0)), g.constant(1), totals);
    return g.reduceSum(g.div(sums, divisors), false, 0);
  }
}
