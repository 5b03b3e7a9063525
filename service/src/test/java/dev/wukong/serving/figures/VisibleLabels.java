package dev.wukong.serving.figures;

import dev.wukong.bench.BenchmarkException;
import dev.wukong.client.FeedbackClient;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.proto.v1.RankingServiceGrpc.RankingServiceBlockingStub;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * How long a label takes to be part of answers, seen from outside. A label of a candidate with a
 * value that nobody has had before brings the value a row, in the commit in which the dense weights
 * have learned it, too; and an answer says how many of its values have none.
 */
final class VisibleLabels {
  private static final double PATIENCE_SECONDS = 30;

  /** What an answer was given by. */
  private record Version(long epoch, long dense, long rows) {
    static Version of(PredictResponse answer) {
      return new Version(
          answer.getVersion().getEpoch(),
          answer.getVersion().getDense(),
          answer.getVersion().getRows());
    }
  }

  /**
   * The first answer by a version.
   *
   * @param nanos when it came
   */
  private record Seen(Version version, long nanos) {}

  /** A label whose effect has not been seen. */
  private record Waiting(int number, long sentNanos) {}

  private static final int TRIES = 50;

  private final LearningLoad load;
  private final RankingServiceBlockingStub stub;
  private final FeedbackClient feedback;
  private final AtomicReference<Seen> newest =
      new AtomicReference<>(new Seen(new Version(0, 0, 0), System.nanoTime()));
  private final Semaphore changed = new Semaphore(0);
  private final List<Double> seconds = new ArrayList<>();
  private int number;
  private int versions;

  VisibleLabels(LearningLoad load, Channel channel) {
    this.load = load;
    this.stub = RankingServiceGrpc.newBlockingStub(channel);
    this.feedback =
        FeedbackClient.over(
            channel,
            refusal -> {
              throw new IllegalStateException("refused: " + refusal);
            });
  }

  /** An answer has come, on any thread. */
  void answered(PredictResponse answer) {
    saw(answer, System.nanoTime());
  }

  private void saw(PredictResponse answer, long now) {
    Version version = Version.of(answer);
    Seen before = newest.get();
    // Rows change with every commit. Answers may overtake each other.
    while (version.rows() > before.version().rows()) {
      if (newest.compareAndSet(before, new Seen(version, now))) {
        changed.release();
        return;
      }
      before = newest.get();
    }
  }

  /** Sends a label each {@code everyMillis} until {@code end}, then waits for the last. */
  void run(long everyMillis, CountDownLatch end) throws InterruptedException, BenchmarkException {
    Deque<Waiting> waiting = new ArrayDeque<>();
    long next = System.nanoTime();
    long last = 0;
    while (end.getCount() > 0 || !waiting.isEmpty()) {
      boolean sends = end.getCount() > 0;
      long pause = sends ? next - System.nanoTime() : 50_000_000;
      if (changed.tryAcquire(Math.max(0, pause), TimeUnit.NANOSECONDS)) {
        boolean _ = changed.drainPermits() > 0;
        versions++;
        look(waiting);
      } else if (sends) {
        next += TimeUnit.MILLISECONDS.toNanos(everyMillis);
        waiting.add(send());
      } else if (System.nanoTime() - last > 200_000_000) {
        saw(ask(0), System.nanoTime()); // Nobody else may ask any more.
        last = System.nanoTime();
      }
      Waiting oldest = waiting.peek();
      if (oldest != null && (System.nanoTime() - oldest.sentNanos()) / 1e9 > PATIENCE_SECONDS) {
        throw new BenchmarkException(
            "void: label %d is not part of answers after %.0f s, %d were before it"
                .formatted(oldest.number(), PATIENCE_SECONDS, seconds.size()));
      }
    }
  }

  /** Asks once more where there is no room for a moment, as callers do. */
  private PredictResponse ask(int which) throws InterruptedException {
    for (int tries = 1; ; tries++) {
      try {
        return stub.withDeadlineAfter(5, TimeUnit.SECONDS).predict(load.unheard(which));
      } catch (StatusRuntimeException e) {
        if (e.getStatus().getCode() != Status.Code.RESOURCE_EXHAUSTED || tries == TRIES) {
          throw e;
        }
        TimeUnit.MILLISECONDS.sleep(20);
      }
    }
  }

  private Waiting send() throws InterruptedException, BenchmarkException {
    int which = ++number;
    PredictResponse answer = ask(which);
    if (answer.getQuality().getDefaultedIds() != 1 || !answer.getLogged()) {
      throw new BenchmarkException(
          "void: value %d has a row already, or was not logged: %s"
              .formatted(which, answer.getQuality()));
    }
    Instant now = Instant.now();
    long nanos = System.nanoTime();
    long _ = feedback.exposed(answer.getPredictionId(), new int[] {0}, now);
    long _ = feedback.labelled(answer.getPredictionId(), 0, "click", 1, now);
    return new Waiting(which, nanos);
  }

  /** They become visible in the order in which they were sent. */
  private void look(Deque<Waiting> waiting) throws InterruptedException {
    for (Waiting oldest = waiting.peek(); oldest != null; oldest = waiting.peek()) {
      PredictResponse answer = ask(oldest.number());
      long now = System.nanoTime();
      if (answer.getQuality().getDefaultedIds() > 0) {
        return;
      }
      saw(answer, now);
      Seen by = newest.get();
      long from = by.version().equals(Version.of(answer)) ? by.nanos() : now;
      seconds.add((from - oldest.sentNanos()) / 1e9);
      waiting.remove();
    }
  }

  /** Seconds of each label, from when it was sent to the first answer by a version that has it. */
  double[] seconds() {
    return seconds.stream().mapToDouble(Double::doubleValue).sorted().toArray();
  }

  /** How many versions of the model answered, while labels were sent. */
  int versions() {
    return versions;
  }
}
