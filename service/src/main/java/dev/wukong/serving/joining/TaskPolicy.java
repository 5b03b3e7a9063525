package dev.wukong.serving.joining;

import java.time.Duration;
import java.util.Optional;

/**
 * How examples of one task come about.
 *
 * @param window how long a label is waited for; none with {@link Weighting#FAKE_NEGATIVE}
 * @param weighting how it makes up for labels that come late
 * @param given the task without whose positive label there is no example of this one
 */
public record TaskPolicy(Duration window, Weighting weighting, Optional<String> given) {
  public TaskPolicy {
    if (window.isNegative() || window.compareTo(JoinPolicy.LONGEST) > 0) {
      throw new IllegalArgumentException(
          "window is %s, must be PT0S to %s".formatted(window, JoinPolicy.LONGEST));
    }
    if (weighting == Weighting.FAKE_NEGATIVE && !window.isZero()) {
      throw new IllegalArgumentException(
          "window is %s, must be PT0S with weighting %s".formatted(window, weighting));
    }
  }
}
