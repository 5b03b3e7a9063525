package dev.wukong.serving.joining;

/**
 * Weights by which examples with labels that come late are learned from as if all labels came at
 * once: each is how much likelier such an example is in the end than among what is trained on.
 *
 * <p>The model's own probability stands for the true one, so it is no part of what is learned.
 */
public final class ImportanceWeights {
  /** No weight is more. */
  public static final double MOST = 10;

  /** With so many labels in time there is nothing to make up for. */
  private static final double NEARLY_ALL = 0.99;

  private ImportanceWeights() {}

  /** The weight of {@code example}, without its own, where the model gives it {@code p}. */
  public static double of(Example example, double p) {
    return of(example.weighting(), example.kind(), example.within(), p);
  }

  /**
   * The weight of an example.
   *
   * @param within the share of positive labels that come within the window
   * @param p the probability of a positive, 0 to 1, by the model as it is
   */
  static double of(Weighting weighting, Example.Kind kind, double within, double p) {
    boolean negative = kind == Example.Kind.NEGATIVE;
    double weight =
        switch (weighting) {
          case PLAIN, EXPLICIT -> 1;
          case FAKE_NEGATIVE -> negative ? 1 - p * p : 1 + p;
          case CONSTANT_WAIT -> within >= NEARLY_ALL ? 1 : waited(negative, within, p);
        };
    return Math.clamp(weight, 0, MOST);
  }

  private static double waited(boolean negative, double within, double p) {
    double late = p * (1 - within); // A positive whose label has not come.
    double trulyNegative = (1 - p) / (1 - p * within);
    return (1 + late) * (negative ? trulyNegative : 1);
  }
}
