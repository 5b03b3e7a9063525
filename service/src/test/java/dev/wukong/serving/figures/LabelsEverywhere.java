package dev.wukong.serving.figures;

import dev.wukong.bench.BenchmarkException;
import dev.wukong.client.FeedbackClient;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.proto.v1.RankingServiceGrpc.RankingServiceBlockingStub;
import io.grpc.Channel;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * How long a label takes to be part of the answers of all replicas, seen from outside: as {@link
 * VisibleLabels}, with a value that nobody has had before. Each replica is asked again and again
 * for the oldest of those that it does not have.
 */
final class LabelsEverywhere {
  private static final double PATIENCE_SECONDS = 60;
  private static final long LOOKS_MILLIS = 20;

  /** A label on its way to a replica. */
  private record Waiting(int number, long sentNanos) {}

  private final LearningLoad load;
  private final List<RankingServiceBlockingStub> stubs;
  private final FeedbackClient feedback;
  private final List<Deque<Waiting>> waiting = new ArrayList<>();

  /** By label: how many replicas have it, and after how many seconds the last did. */
  private final Map<Integer, Integer> seen = new HashMap<>();

  private final List<Double> everywhere = new ArrayList<>();
  private final List<Double> first = new ArrayList<>();
  private int number;

  LabelsEverywhere(LearningLoad load, List<? extends Channel> replicas) {
    this.load = load;
    this.stubs = replicas.stream().map(RankingServiceGrpc::newBlockingStub).toList();
    replicas.forEach(_ -> waiting.add(new ArrayDeque<>()));
    this.feedback =
        FeedbackClient.over(
            replicas.getFirst(),
            refusal -> {
              throw new IllegalStateException("refused: " + refusal);
            });
  }

  /** Sends a label each {@code everyMillis} until {@code end}, then waits for the last. */
  void run(long everyMillis, CountDownLatch end) throws InterruptedException, BenchmarkException {
    long next = System.nanoTime();
    while (end.getCount() > 0 || waiting.stream().anyMatch(of -> !of.isEmpty())) {
      if (end.getCount() > 0 && System.nanoTime() >= next) {
        next += TimeUnit.MILLISECONDS.toNanos(everyMillis);
        send();
      }
      for (int replica = 0; replica < stubs.size(); replica++) {
        look(replica);
      }
      TimeUnit.MILLISECONDS.sleep(LOOKS_MILLIS);
    }
  }

  private PredictResponse ask(int replica, int which) {
    return stubs
        .get(replica)
        .withDeadlineAfter(5, TimeUnit.SECONDS)
        .withWaitForReady()
        .predict(load.unheard(which));
  }

  private void send() throws BenchmarkException {
    int which = ++number;
    PredictResponse answer = ask(which % stubs.size(), which);
    if (answer.getQuality().getDefaultedIds() != 1 || !answer.getLogged()) {
      throw new BenchmarkException(
          "void: value %d has a row already, or was not logged: %s"
              .formatted(which, answer.getQuality()));
    }
    Instant now = Instant.now();
    long nanos = System.nanoTime();
    long _ = feedback.exposed(answer.getPredictionId(), new int[] {0}, now);
    long _ = feedback.labelled(answer.getPredictionId(), 0, "click", 1, now);
    waiting.forEach(of -> of.add(new Waiting(which, nanos)));
  }

  private void look(int replica) throws BenchmarkException {
    Deque<Waiting> left = waiting.get(replica);
    for (Waiting oldest = left.peek(); oldest != null; oldest = left.peek()) {
      double seconds = (System.nanoTime() - oldest.sentNanos()) / 1e9;
      if (ask(replica, oldest.number()).getQuality().getDefaultedIds() > 0) {
        if (seconds > PATIENCE_SECONDS) {
          throw new BenchmarkException(
              "void: label %d is not part of the answers of replica %d after %.0f s"
                  .formatted(oldest.number(), replica, seconds));
        }
        return;
      }
      left.remove();
      int replicas = seen.merge(oldest.number(), 1, Integer::sum);
      if (replicas == 1) {
        first.add(seconds);
      }
      if (replicas == stubs.size()) {
        everywhere.add(seconds);
      }
    }
  }

  /** Seconds from sending each label until the last replica had it, ascending. */
  double[] everywhere() {
    return sorted(everywhere);
  }

  /** The same until the first had it. */
  double[] first() {
    return sorted(first);
  }

  private static double[] sorted(List<Double> seconds) {
    return seconds.stream().mapToDouble(Double::doubleValue).sorted().toArray();
  }
}
