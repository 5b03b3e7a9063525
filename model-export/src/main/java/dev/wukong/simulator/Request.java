package dev.wukong.simulator;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One request: the context and its candidates as a server would see them, and what nobody but the
 * simulator knows.
 *
 * @param context raw values of the context features in schema order; null where absent
 */
public record Request(long index, List<@Nullable Object> context, List<Candidate> candidates) {
  public Request {
    // Not List.copyOf: values may be absent.
    context = Collections.unmodifiableList(context);
    candidates = List.copyOf(candidates);
  }

  /**
   * A candidate.
   *
   * @param values raw values of the candidate features in schema order; null where absent
   * @param clickProbability the exact probability of a click
   * @param conversionProbability the exact probability of a conversion, given a click
   * @param conversionDelay from the click to the conversion, for those that convert
   */
  public record Candidate(
      List<@Nullable Object> values,
      double clickProbability,
      double conversionProbability,
      boolean clicked,
      boolean converted,
      Duration conversionDelay) {
    public Candidate {
      values = Collections.unmodifiableList(values);
    }
  }
}
