package dev.wukong.serving.gating;

import java.util.Map;

/**
 * How three models did on the same examples since the last promotion.
 *
 * @param slice which part of the examples
 * @param by each scorer's own
 * @param worse normalized entropy of the candidate less that of the healthy state
 * @param worseLow where that is for sure to 95 %, and ...
 * @param worseHigh ... its other end
 */
public record Figures(
    String task,
    String slice,
    long examples,
    long positives,
    Map<Scorer, Of> by,
    double worse,
    double worseLow,
    double worseHigh) {
  /**
   * Of one model.
   *
   * @param normalizedEntropy log loss by that of the mean label; NaN: nothing can be said
   * @param low of its interval of 95 %
   * @param high of the same
   * @param calibration mean probability by mean label
   * @param area under the ROC curve
   */
  public record Of(
      double normalizedEntropy, double low, double high, double calibration, double area) {}

  public Figures {
    by = Map.copyOf(by);
  }

  /** Whether they are of all examples, not of some. */
  public boolean ofAll() {
    return slice.equals(Slices.NAME_OF_ALL);
  }
}
