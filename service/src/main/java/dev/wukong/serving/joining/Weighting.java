package dev.wukong.serving.joining;

/**
 * How a task makes up for labels that come late; what that does to weights is said in {@link
 * ImportanceWeights}.
 */
public enum Weighting {
  /** Waits for labels, and takes those that come later for few. */
  PLAIN,

  /** Does not wait: every candidate is a negative when it is shown, and a positive later, too. */
  FAKE_NEGATIVE,

  /** Waits for labels, and makes up for those that come later. */
  CONSTANT_WAIT,

  /** Negatives have labels, too, as ratings do: what has none is no example. */
  EXPLICIT;

  /** Whether the model's probability takes part in the weight of an example. */
  public boolean byProbability() {
    return switch (this) {
      case PLAIN, EXPLICIT -> false;
      case FAKE_NEGATIVE, CONSTANT_WAIT -> true;
    };
  }
}
