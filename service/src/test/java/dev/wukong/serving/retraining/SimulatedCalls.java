package dev.wukong.serving.retraining;

import dev.wukong.client.Prediction;
import dev.wukong.client.RankingClient;
import dev.wukong.data.Feature;
import dev.wukong.data.Scope;
import dev.wukong.simulator.Request;
import dev.wukong.simulator.Simulator;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Simulated requests as callers send them. */
final class SimulatedCalls {
  private SimulatedCalls() {}

  private static Map<String, @Nullable Object> values(
      Simulator simulator, Scope scope, List<@Nullable Object> raw) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    int at = 0;
    for (Feature feature : simulator.schema().features()) {
      if (feature.scope() == scope) {
        values.put(feature.name(), raw.get(at++));
      }
    }
    return values;
  }

  /** The answer to {@code request}. */
  static Prediction predict(RankingClient client, Simulator simulator, Request request) {
    List<Map<String, @Nullable Object>> candidates = new ArrayList<>();
    for (Request.Candidate candidate : request.candidates()) {
      candidates.add(values(simulator, Scope.CANDIDATE, candidate.values()));
    }
    return client.predict(values(simulator, Scope.CONTEXT, request.context()), candidates);
  }
}
