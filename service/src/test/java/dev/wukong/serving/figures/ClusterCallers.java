package dev.wukong.serving.figures;

import dev.wukong.client.FeedbackClient;
import dev.wukong.proto.v1.ModelVersion;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.proto.v1.RankingServiceGrpc.RankingServiceBlockingStub;
import io.grpc.Channel;
import io.grpc.StatusRuntimeException;
import java.nio.ByteOrder;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/**
 * Callers of several replicas: each asks one, and another once where that fails; users see all
 * candidates and click some by chance. A second kind asks all replicas the same, again and again,
 * and compares what those say that answer by the same version.
 */
final class ClusterCallers implements AutoCloseable {
  private static final long EVERY_MILLIS = 40;
  private static final long DEADLINE_MILLIS = 1500;

  /** One in so many candidates that are seen is clicked. */
  static final int SEEN_BY_CLICK = 10;

  /** Batches of other sizes add up in another order. */
  private static final float ROUNDING = 4e-6f;

  /** What was said by a version. */
  private record Key(long bundle, long epoch, long dense, long rows) {
    static Key of(PredictResponse answer) {
      ModelVersion version = answer.getVersion();
      return new Key(
          version.getBundle(), version.getEpoch(), version.getDense(), version.getRows());
    }
  }

  private final List<RankingServiceBlockingStub> stubs;
  private final List<FeedbackClient> feedback = new ArrayList<>();
  private final List<Long> sent = new ArrayList<>();
  private final List<PredictRequest> requests;
  private final PredictRequest same;
  private final Map<Key, float[]> said = new ConcurrentHashMap<>();
  private final AtomicLong predicted = new AtomicLong();
  private final AtomicLong retried = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();
  private final AtomicLong unlogged = new AtomicLong();
  private final AtomicLong labels = new AtomicLong();
  private final AtomicLong refused = new AtomicLong();
  private final AtomicLong compared = new AtomicLong();
  private final AtomicLong mixtures = new AtomicLong();

  /** Of the one thread that reacts. */
  private final SplittableRandom clicks = new SplittableRandom(7);

  private final List<Thread> threads = new ArrayList<>();
  private volatile String failure = "none";
  private volatile String during = "no fault";
  private volatile boolean ended;

  /** Callers of {@code replicas}, who begin with {@link #start}. */
  ClusterCallers(List<? extends Channel> replicas, List<PredictRequest> requests) {
    this.stubs = replicas.stream().map(RankingServiceGrpc::newBlockingStub).toList();
    this.requests = requests;
    this.same = requests.getFirst();
    for (Channel replica : replicas) {
      feedback.add(FeedbackClient.over(replica, _ -> refused.incrementAndGet()));
      sent.add(0L);
    }
  }

  /** Says what happens from now on. */
  void during(String fault) {
    during = fault;
  }

  void start() {
    threads.add(Thread.ofPlatform().name("callers").start(this::call));
    for (int i = 0; i < stubs.size(); i++) {
      int replica = i;
      threads.add(Thread.ofPlatform().name("comparing-" + i).start(() -> compare(replica)));
    }
  }

  private PredictResponse ask(int replica, PredictRequest request) {
    return stubs
        .get(replica)
        .withDeadlineAfter(DEADLINE_MILLIS, TimeUnit.MILLISECONDS)
        .predict(request);
  }

  private void call() {
    for (int number = 0; !ended; number++) {
      int replica = number % stubs.size();
      PredictRequest request = requests.get(number % requests.size());
      predicted.incrementAndGet();
      try {
        PredictResponse answer;
        try {
          answer = ask(replica, request);
        } catch (StatusRuntimeException e) {
          retried.incrementAndGet();
          answer = ask((replica + 1) % stubs.size(), request);
        }
        // By way of another replica than the one that answered.
        react(answer, request.getCandidates().getRows(), (replica + 1) % stubs.size());
      } catch (StatusRuntimeException e) {
        failed.incrementAndGet();
        failure =
            "%s, with replica %d, then %d: %s"
                .formatted(during, replica, (replica + 1) % stubs.size(), e.getStatus());
      }
      pause(EVERY_MILLIS);
    }
  }

  private void react(PredictResponse answer, int candidates, int replica) {
    if (!answer.getLogged()) {
      unlogged.incrementAndGet();
      return;
    }
    // Whoever reports to one that is away waits, and would ask nobody else meanwhile.
    FeedbackClient to = feedback.get(replica);
    Instant now = Instant.now();
    int[] all = IntStream.range(0, candidates).toArray();
    long last = to.exposed(answer.getPredictionId(), all, now);
    // As often as the model was trained on: what is learned is no worse then, and not taken back.
    for (int i = 0; i < candidates; i++) {
      if (clicks.nextInt(SEEN_BY_CLICK) == 0) {
        last = to.labelled(answer.getPredictionId(), i, "click", 1, now);
        labels.incrementAndGet();
      }
    }
    synchronized (sent) {
      sent.set(replica, last);
    }
  }

  private void compare(int replica) {
    while (!ended) {
      try {
        PredictResponse answer = ask(replica, same);
        float[] now = floats(answer);
        float[] before = said.putIfAbsent(Key.of(answer), now);
        if (before != null && answer.getQuality().getDefaultedIds() == 0) {
          compared.incrementAndGet();
          mixtures.addAndGet(differ(before, now) ? 1 : 0);
        }
      } catch (StatusRuntimeException e) {
        pause(50); // It is away: others are asked by the callers.
      }
      pause(30);
    }
  }

  private static float[] floats(PredictResponse answer) {
    var bytes = answer.getScores().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  private static boolean differ(float[] one, float[] other) {
    for (int i = 0; i < one.length; i++) {
      if (Math.abs(one[i] - other[i]) > ROUNDING) {
        return true;
      }
    }
    return false;
  }

  private static void pause(long millis) {
    try {
      TimeUnit.MILLISECONDS.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends the callers, and waits until all that was reported is acknowledged. */
  void finish(Duration patience) throws InterruptedException {
    ended = true;
    for (Thread thread : threads) {
      thread.join();
    }
    for (int i = 0; i < feedback.size(); i++) {
      long last;
      synchronized (sent) {
        last = sent.get(i);
      }
      feedback.get(i).awaitDurable(last, patience);
    }
  }

  long predicted() {
    return predicted.get();
  }

  long retried() {
    return retried.get();
  }

  long failed() {
    return failed.get();
  }

  /** Labels that were reported; all of them are acknowledged once {@link #finish} returns. */
  long labels() {
    return labels.get();
  }

  long refused() {
    return refused.get();
  }

  long unlogged() {
    return unlogged.get();
  }

  long compared() {
    return compared.get();
  }

  long mixtures() {
    return mixtures.get();
  }

  /** Versions that answered, and how many of them differ from another one by more than rounding. */
  String versions() {
    List<float[]> all = List.copyOf(said.values());
    long distinct = 0;
    for (int i = 0; i < all.size(); i++) {
      boolean alone = true;
      for (int j = 0; j < all.size() && alone; j++) {
        alone = i == j || differ(all.get(i), all.get(j));
      }
      distinct += alone ? 1 : 0;
    }
    return "%d versions, %d of them unlike all others".formatted(all.size(), distinct);
  }

  String failure() {
    return failure;
  }

  @Override
  public void close() {
    ended = true;
    feedback.forEach(FeedbackClient::close);
  }
}
