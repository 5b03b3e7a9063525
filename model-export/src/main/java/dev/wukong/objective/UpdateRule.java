package dev.wukong.objective;

import dev.wukong.graph.DataType;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Op;
import dev.wukong.graph.Shape;
import dev.wukong.graph.Tensor;
import dev.wukong.graph.TensorData;
import java.util.List;

/**
 * How a step changes a model, beside its learning rates.
 *
 * @param dense of the dense weights
 * @param rows of the embedding rows
 * @param l2 the factor of half the squared norm of all rows given, as a term of what is minimized
 *     (not of the loss that is reported); sensible only where all rows of the tables are given
 * @param clipNorm the largest norm of all gradients together, 0 for no limit
 */
public record UpdateRule(Optimizer dense, Optimizer rows, double l2, double clipNorm) {
  /** What PyTorch's clip_grad_norm_ adds to the norm; the published configurations use that. */
  private static final double NORM_EPSILON = 1e-6;

  /**
   * The gradient of {@code rows} [U, d] with the regularization's part; that of row 0, the padding,
   * is zero.
   */
  Tensor rowGradient(GraphBuilder g, Tensor rows, Tensor gradient) {
    Tensor whole = l2 == 0 ? gradient : g.add(gradient, g.mul(rows, l2));
    return g.mul(whole, allButFirst(g, rows));
  }

  /** [U, 1]: 0 for row 0, 1 for the others. */
  private static Tensor allButFirst(GraphBuilder g, Tensor rows) {
    Tensor like = g.reduceSum(rows, true, 1);
    Tensor index =
        g.constant(new TensorData.Numbers(DataType.INT64, Shape.of(1), new double[] {0}));
    Tensor one = g.constant(new TensorData.Numbers(g.type(), Shape.of(1, 1), new double[] {1}));
    return g.sub(g.constant(1), g.apply(new Op.ScatterAdd(), like, index, one));
  }

  /** {@code gradients} all multiplied so that their norm together is at most the limit. */
  List<Tensor> clipped(GraphBuilder g, List<Tensor> gradients) {
    if (clipNorm == 0) {
      return gradients;
    }
    Tensor squares =
        gradients.stream()
            .map(gradient -> g.reduceSum(g.mul(gradient, gradient), false))
            .reduce(g::add)
            .orElseThrow();
    Tensor norm = g.add(g.apply(new Op.Sqrt(), squares), g.constant(NORM_EPSILON));
    Tensor scale = g.apply(new Op.Min(), g.constant(1), g.div(g.constant(clipNorm), norm));
    return gradients.stream().map(gradient -> g.mul(gradient, scale)).toList();
  }
}
