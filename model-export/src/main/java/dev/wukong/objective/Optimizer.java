package dev.wukong.objective;

import dev.wukong.graph.DataType;
import dev.wukong.graph.Dim;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Op;
import dev.wukong.graph.Shape;
import dev.wukong.graph.Tensor;
import java.util.List;

/**
 * How weights follow their gradients, as a function of the graph: from a weight, its gradient and
 * its state to the weight and the state after a step. Nothing is kept.
 */
public sealed interface Optimizer {
  /** A weight and its state after a step. */
  record Updated(Tensor weight, List<Tensor> state) {
    public Updated {
      state = List.copyOf(state);
    }
  }

  /** One step, with what all weights share computed already. */
  @FunctionalInterface
  interface Step {
    /**
     * Adds the step of one weight.
     *
     * @param state as {@link #state} says
     */
    Updated update(Tensor weight, Tensor gradient, List<Tensor> state);
  }

  /** The shapes of the state that a weight of shape {@code weight} has; it starts as zeros. */
  List<Shape> state(Shape weight);

  /**
   * The step with a learning rate.
   *
   * @param learningRate a scalar of the builder's type
   * @param step int64, a scalar, counted from 1
   */
  Step at(GraphBuilder g, Tensor learningRate, Tensor step);

  /** w - rate g. */
  record Sgd() implements Optimizer {
    @Override
    public List<Shape> state(Shape weight) {
      return List.of();
    }

    @Override
    public Step at(GraphBuilder g, Tensor learningRate, Tensor step) {
      return (weight, gradient, _) ->
          new Updated(g.sub(weight, g.mul(gradient, learningRate)), List.of());
    }
  }

  /** Adam with bias correction (arXiv 1412.6980, algorithm 1). State: m, v, like the weight. */
  record Adam(double beta1, double beta2, double epsilon) implements Optimizer {
    @Override
    public List<Shape> state(Shape weight) {
      return List.of(weight, weight);
    }

    @Override
    public Step at(GraphBuilder g, Tensor learningRate, Tensor step) {
      // In double: 1 - beta^step of the first steps would lose half of a float's digits.
      Tensor rate = g.cast(learningRate, DataType.DOUBLE);
      Tensor size = g.cast(g.div(rate, correction(g, beta1, step)), g.type());
      Tensor root = g.apply(new Op.Sqrt(), correction(g, beta2, step));
      Tensor stretch = g.cast(g.apply(new Op.Reciprocal(), root), g.type());
      double b1 = rounded(g, beta1);
      double b2 = rounded(g, beta2);
      return (weight, gradient, state) -> {
        Tensor m = g.add(g.mul(state.get(0), b1), g.mul(gradient, 1 - b1));
        Tensor square = g.mul(g.mul(gradient, 1 - b2), gradient);
        Tensor v = g.add(g.mul(state.get(1), b2), square);
        Tensor deviation = g.mul(g.apply(new Op.Sqrt(), v), stretch);
        Tensor change = g.div(g.mul(m, size), shifted(g, deviation, epsilon));
        return new Updated(g.sub(weight, change), List.of(m, v));
      };
    }

    /** 1 - beta^step. */
    private static Tensor correction(GraphBuilder g, double beta, Tensor step) {
      Tensor exponent = g.mul(g.cast(step, DataType.DOUBLE), Math.log(beta));
      Tensor power = g.apply(new Op.Exp(), exponent);
      return g.sub(g.constant(1, DataType.DOUBLE), power);
    }

    /** {@code x} as the graph holds it, so that both factors of a mean come from one number. */
    private static double rounded(GraphBuilder g, double x) {
      return g.type() == DataType.DOUBLE ? x : (float) x;
    }
  }

  /**
   * AdaGrad over rows [U, d] with one accumulator a row: the mean of its squared gradients. State:
   * the accumulators [U, 1]. A row without gradient stays as it is.
   */
  record RowWiseAdaGrad(double epsilon) implements Optimizer {
    @Override
    public List<Shape> state(Shape weight) {
      return List.of(weight.with(-1, Dim.of(1)));
    }

    @Override
    public Step at(GraphBuilder g, Tensor learningRate, Tensor step) {
      return (rows, gradient, state) -> {
        Tensor square = g.reduceMean(g.mul(gradient, gradient), true, -1); // [U, 1]
        Tensor sum = g.add(state.getFirst(), square);
        Tensor divisor = shifted(g, g.apply(new Op.Sqrt(), sum), epsilon);
        Tensor factor = g.div(learningRate, divisor); // [U, 1]
        return new Updated(g.sub(rows, g.mul(gradient, factor)), List.of(sum));
      };
    }
  }

  /**
   * x + epsilon. Without an epsilon a weight that never had a gradient, the padding row's for one,
   * would become 0 / 0; no root of a float's square but 0 lies below the bound.
   */
  private static Tensor shifted(GraphBuilder g, Tensor x, double epsilon) {
    double bound = 1e-30;
    return epsilon < bound
        ? g.apply(new Op.Max(), x, g.constant(bound))
        : g.add(x, g.constant(epsilon));
  }
}
