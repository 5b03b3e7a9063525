package dev.wukong.bundle;

import java.util.Map;

/**
 * A predict graph of lower precision, and what was found when it was compared with {@code
 * predict.onnx}.
 *
 * @param tolerance the largest allowed absolute difference of a golden row's probability: wider
 *     than what was found, since devices round in different places
 * @param goldenDifference the largest found on the golden rows
 * @param measured the loss on data
 */
public record ReducedGraph(double tolerance, double goldenDifference, Measured measured) {
  /** No tolerance may be wider: beyond it a graph is not the same model. */
  public static final double WIDEST = 0.1;

  /**
   * Both graphs on the same rows.
   *
   * @param split the data's name, such as {@code valid}
   * @param rows how many
   * @param largestDifference of a probability
   * @param full metrics of {@code predict.onnx} by task, then metric
   * @param reduced those of this graph
   */
  public record Measured(
      String split,
      long rows,
      double largestDifference,
      Map<String, Map<String, Double>> full,
      Map<String, Map<String, Double>> reduced) {
    public Measured {
      full = Map.copyOf(full);
      reduced = Map.copyOf(reduced);
    }
  }
}
