package dev.wukong.serving.cluster;

import dev.wukong.serving.events.FeedbackItem;
import dev.wukong.serving.events.PredictionId;
import dev.wukong.serving.events.StreamPlace.Held;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Feedback that came before its prediction: the two go through different topics, and a prediction
 * may be sent again where a broker fails. It waits, some minutes at most. One thread at a time.
 */
final class HeldFeedback {
  /** One that waits. */
  record Waiting(Held place, FeedbackItem item, long sinceMs) {}

  private final int most;
  private final long patienceMs;

  /** In the order in which they came. */
  private final LinkedHashMap<Held, Waiting> waiting = new LinkedHashMap<>();

  private final Map<PredictionId, List<Waiting>> byPrediction = new HashMap<>();

  /** With room for so many, each for so long. */
  HeldFeedback(int most, long patienceMs) {
    this.most = most;
    this.patienceMs = patienceMs;
  }

  /**
   * Has one wait.
   *
   * @return how many there is no more room for, which are given up
   */
  int add(Waiting one) {
    waiting.put(one.place(), one);
    byPrediction.computeIfAbsent(one.item().prediction(), _ -> new ArrayList<>()).add(one);
    int given = 0;
    while (waiting.size() > most) {
      remove(waiting.firstEntry().getValue());
      given++;
    }
    return given;
  }

  /** Those that wait for a prediction, which has come: they wait no longer. */
  List<Waiting> take(PredictionId prediction) {
    List<Waiting> found = byPrediction.remove(prediction);
    if (found == null) {
      return List.of();
    }
    found.forEach(one -> waiting.remove(one.place()));
    return found;
  }

  /** Gives up those that have waited for too long; how many. */
  int expire(long nowMs) {
    int given = 0;
    while (!waiting.isEmpty() && waiting.firstEntry().getValue().sinceMs() + patienceMs <= nowMs) {
      remove(waiting.firstEntry().getValue());
      given++;
    }
    return given;
  }

  private void remove(Waiting one) {
    waiting.remove(one.place());
    List<Waiting> same = byPrediction.get(one.item().prediction());
    if (same != null) {
      same.remove(one);
      if (same.isEmpty()) {
        byPrediction.remove(one.item().prediction());
      }
    }
  }

  /** Where they stand. */
  List<Held> places() {
    return List.copyOf(waiting.keySet());
  }

  int size() {
    return waiting.size();
  }
}
