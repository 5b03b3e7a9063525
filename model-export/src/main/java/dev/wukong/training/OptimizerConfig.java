package dev.wukong.training;

import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import dev.wukong.objective.Optimizer;
import java.util.List;

/** How weights follow their gradients. */
public sealed interface OptimizerConfig {
  double learningRate();

  /** Plain gradient descent. */
  record Sgd(double learningRate) implements OptimizerConfig {}

  /** Adam with bias correction (arXiv 1412.6980, algorithm 1). */
  record Adam(double learningRate, double beta1, double beta2, double epsilon)
      implements OptimizerConfig {}

  /**
   * AdaGrad with one accumulator a row: the mean of the squared gradients over the row's floats.
   */
  record RowWiseAdaGrad(double learningRate, double epsilon) implements OptimizerConfig {}

  /** Floats of state beside a row of {@code width} floats. */
  default int rowState(int width) {
    return switch (this) {
      case Sgd _ -> 0;
      case Adam _ -> 2 * width;
      case RowWiseAdaGrad _ -> 1;
    };
  }

  /** The same as a function of the graph, but for its learning rate. */
  default Optimizer inGraph() {
    return switch (this) {
      case Sgd _ -> new Optimizer.Sgd();
      case Adam(var _, var beta1, var beta2, var epsilon) ->
          new Optimizer.Adam(beta1, beta2, epsilon);
      case RowWiseAdaGrad(var _, var epsilon) -> new Optimizer.RowWiseAdaGrad(epsilon);
    };
  }

  /**
   * Reads the optimizer of {@code section}.
   *
   * @param allowed names of those that suit, the default first
   */
  static OptimizerConfig read(Section section, List<String> allowed) {
    String name = section.text("optimizer", allowed.getFirst());
    if (!allowed.contains(name)) {
      throw new ConfigException(
          "%s.optimizer is '%s', want one of %s"
              .formatted(section.path(), name, String.join(", ", allowed)));
    }
    return switch (name) {
      case "sgd" -> new Sgd(rate(section, 0.1));
      case "adam" ->
          new Adam(
              rate(section, 1e-3),
              section.number("beta1", 0.9, 0, 0.999999),
              section.number("beta2", 0.999, 0, 0.999999),
              epsilon(section));
      default -> new RowWiseAdaGrad(rate(section, 0.02), epsilon(section));
    };
  }

  /** Not 0: a weight without a gradient so far would become 0 / 0. */
  private static double epsilon(Section section) {
    return section.number("epsilon", 1e-8, 1e-30, 1);
  }

  private static double rate(Section section, double otherwise) {
    return section.number("learning_rate", otherwise, 0, 1000);
  }
}
