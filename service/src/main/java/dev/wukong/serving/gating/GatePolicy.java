package dev.wukong.serving.gating;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What is asked of what was learned. Normalized entropies are compared example by example, so that
 * chance takes little part: a candidate that has not changed much needs few examples. Where it is
 * as good as the healthy state, as in a world that stands still, chance takes all of it: to be sure
 * of {@code worse} would take hours, and so it is enough that a candidate looks no worse and is for
 * sure not by {@code harm}.
 *
 * @param mode when it becomes visible
 * @param every time between promotions at least, by the log's clock
 * @param patience after so long without a verdict there is one all the same: what is hardly worse
 *     is promoted, and where more than chance says that it is, training begins again from the
 *     healthy state, which is no failure; in direct mode all counts as healthy but what is harmful
 * @param worse normalized entropy by which a candidate that is promoted may be worse at most, for
 *     sure to 95 %; {@code harm} where it looks no worse at all
 * @param harm normalized entropy by which a candidate that is taken back is worse at least, for
 *     sure
 * @param mostNorm of a row, by its Euclidean length
 * @param mostJump logits by which a golden row may move in one commit
 * @param failures how often in a row training is taken back within {@code every} of its beginning
 *     before it halts
 * @param sliceBy a feature by whose values figures are given apart
 * @param canary shares of the requests that what was learned answers one after the other, before it
 *     answers all; ascending, above 0 and at most 1
 */
public record GatePolicy(
    GateMode mode,
    Duration every,
    Duration patience,
    double worse,
    double harm,
    double mostNorm,
    double mostJump,
    int failures,
    Optional<String> sliceBy,
    List<Double> canary) {
  /** Positive examples that it has answered itself, before a canary is given more. */
  static final int ENOUGH_OF_CANARY = 100;

  /** Positive and negative examples of a task, each, below which nothing is said of it. */
  static final int ENOUGH = 30;

  /** Positive examples of a slice, below which it decides nothing. */
  static final int ENOUGH_OF_SLICE = 1000;

  /** Part by which the calibration of who is promoted may be further off than the healthy one's. */
  static final double CALIBRATION = 0.02;

  /** The same of who is taken back. */
  static final double CALIBRATION_HARM = 0.05;

  /** Area under the curve that who is promoted may lack. */
  static final double AREA = 0.002;

  /** Normalized entropy by which a slice of who is promoted may be worse. */
  static final double SLICE = 0.01;

  /** Labels that are so many times more or fewer than a healthy model says are no labels. */
  static final double STRANGE = 2;

  /** Part by which the newest labels may be more or fewer than those before where one promotes. */
  static final double SUDDEN = 0.05;

  /** Part by which the log loss of a healthy model is not more than is usual within minutes. */
  static final double STRANGE_LOSS = 0.25;

  /** How many standard errors are chance: it is looked at again and again. */
  static final double SURE = 5;

  public GatePolicy {
    canary = List.copyOf(canary);
  }

  /** What is asked where operators do not say otherwise. */
  public static GatePolicy usual(GateMode mode) {
    return new GatePolicy(
        mode,
        Duration.ofMinutes(1),
        Duration.ofMinutes(30),
        0.0005,
        0.002,
        100,
        2,
        3,
        Optional.empty(),
        List.of(0.01, 0.1));
  }
}
