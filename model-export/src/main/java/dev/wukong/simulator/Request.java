package dev.wukong.simulator;

import dev.wukong.data.Feature;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

  /** The context's values by feature of {@code schema}, which is the simulator's. */
  public Map<String, @Nullable Object> contextValues(Schema schema) {
    return values(schema, Scope.CONTEXT, context);
  }

  /** The values of each candidate likewise. */
  public List<Map<String, @Nullable Object>> candidateValues(Schema schema) {
    List<Map<String, @Nullable Object>> values = new ArrayList<>();
    for (Candidate candidate : candidates) {
      values.add(values(schema, Scope.CANDIDATE, candidate.values()));
    }
    return values;
  }

  private static Map<String, @Nullable Object> values(
      Schema schema, Scope scope, List<@Nullable Object> raw) {
    Map<String, @Nullable Object> result = new LinkedHashMap<>();
    int at = 0;
    for (Feature feature : schema.features()) {
      if (feature.scope() == scope) {
        result.put(feature.name(), raw.get(at++));
      }
    }
    return result;
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
