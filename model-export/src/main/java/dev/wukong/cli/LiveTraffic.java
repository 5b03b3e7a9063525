package dev.wukong.cli;

import com.google.protobuf.ByteString;
import dev.wukong.client.FeedbackClient;
import dev.wukong.client.Prediction;
import dev.wukong.client.RankingClient;
import dev.wukong.data.Schema;
import dev.wukong.simulator.Request;
import dev.wukong.simulator.Simulator;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Simulated users: each request is answered by the model that learns and by the frozen one, and
 * what is clicked is told to the first. One thread.
 */
final class LiveTraffic {
  /** Places of the figures in {@link #normalizedEntropies}. */
  static final int BEST = 0;

  static final int LEARNS = 1;
  static final int FROZEN = 2;

  /** Candidates over which the figures are taken. */
  static final int WINDOW = 20_000;

  private static final int CLICK_TASK = 0;

  /**
   * Requests whose outcome is not reported. A service that has just started answers ever more of
   * them a second, and of these clicks are known sooner than that there was none.
   */
  private static final int WARM_UP = 200;

  /** How long users look before they click, and buy: the simulator's hours would take hours. */
  static final Duration THINKS = Duration.ofMillis(1500);

  /** What a user sees, who will click at a {@link System#nanoTime}. */
  private record Shown(
      ByteString prediction, List<Request.Candidate> candidates, long clicksNanos) {}

  private final Simulator simulator;
  private final Schema schema;
  private final RankingClient learns;
  private final RankingClient frozen;
  private final FeedbackClient feedback;
  private final LiveWindow window = new LiveWindow(WINDOW, FROZEN + 1);
  private final Deque<Shown> shown = new ArrayDeque<>();
  private long requests;
  private long nanos;
  private long dense;

  LiveTraffic(
      Simulator simulator, RankingClient learns, RankingClient frozen, FeedbackClient feedback) {
    this.simulator = simulator;
    this.schema = simulator.schema();
    this.learns = learns;
    this.frozen = frozen;
    this.feedback = feedback;
  }

  /** Sends the next request and reports what became of it. */
  void send() {
    Request request = simulator.request(requests);
    Map<String, @Nullable Object> context = request.contextValues(schema);
    List<Map<String, @Nullable Object>> candidates = request.candidateValues(schema);
    long before = System.nanoTime();
    Prediction prediction = learns.predict(context, candidates);
    nanos += System.nanoTime() - before;
    Prediction other = frozen.predict(context, candidates);
    requests++;
    dense = prediction.dense();
    for (int i = 0; i < candidates.size(); i++) {
      Request.Candidate candidate = request.candidates().get(i);
      window.add(
          candidate.clicked(),
          candidate.clickProbability(),
          prediction.probability(i, CLICK_TASK),
          other.probability(i, CLICK_TASK));
    }
    reportClicks();
    if (requests > WARM_UP && prediction.logged()) {
      show(prediction.id(), request.candidates());
    }
  }

  private void show(ByteString prediction, List<Request.Candidate> candidates) {
    int[] all = IntStream.range(0, candidates.size()).toArray();
    long _ = feedback.exposed(prediction, all, Instant.now());
    shown.add(new Shown(prediction, candidates, System.nanoTime() + THINKS.toNanos()));
  }

  /** Reports the clicks of those that have seen their answer long enough. */
  private void reportClicks() {
    while (!shown.isEmpty() && System.nanoTime() - shown.getFirst().clicksNanos() >= 0) {
      Shown seen = shown.removeFirst();
      Instant now = Instant.now();
      for (int i = 0; i < seen.candidates().size(); i++) {
        Request.Candidate candidate = seen.candidates().get(i);
        if (candidate.clicked()) {
          long _ = feedback.labelled(seen.prediction(), i, Simulator.CLICK, 1, now);
          if (candidate.converted()) {
            long _ = feedback.labelled(seen.prediction(), i, Simulator.CONVERSION, 1, now);
          }
        }
      }
    }
  }

  /** Requests sent. */
  long requests() {
    return requests;
  }

  /** How often the dense weights that answered last had changed. */
  long dense() {
    return dense;
  }

  /** Mean time of an answer. */
  double meanMillis() {
    return nanos / 1e6 / requests;
  }

  /** Candidates over which the figures are. */
  int held() {
    return window.held();
  }

  /** Over the newest candidates: of the true probabilities, of what learns, of what is frozen. */
  double[] normalizedEntropies() {
    return window.normalizedEntropies();
  }
}
