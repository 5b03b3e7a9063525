package dev.wukong.serving.figures;

import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.proto.v1.RankingServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * Calls at times that do not depend on the answers, as users come: a slow server gets no fewer.
 * Times between calls are exponential. Latency counts from when a call was meant to be sent.
 */
final class OpenLoop {
  /** How a call ended. */
  enum End {
    ANSWERED,
    /** Refused early, with a typed error. */
    REFUSED,
    /** Its deadline passed. */
    LATE,
    /** Any other error. */
    FAILED
  }

  /**
   * One call.
   *
   * @param at nanoseconds from the start to when it was meant to be sent
   * @param sentLate nanoseconds by which it was sent later than that
   * @param nanos from when it was meant to be sent to its end
   * @param kind which of the streams of requests it belongs to
   */
  record Call(long at, long sentLate, long nanos, End end, int kind) {}

  /**
   * Requests of one kind.
   *
   * @param share of the calls, the shares of all kinds adding up to 1
   */
  record Kind(List<PredictRequest> requests, double share) {}

  private final RankingServiceGrpc.RankingServiceStub[] stubs;
  private final List<Kind> kinds;
  private final long deadlineMillis;
  private final Consumer<PredictResponse> answers;
  private final SplittableRandom random = new SplittableRandom(1);
  private final AtomicLong next = new AtomicLong();

  /** When the last call of the last run was meant to be sent, as of {@link System#nanoTime}. */
  private volatile long lastDue;

  private final Set<Long> versions = ConcurrentHashMap.newKeySet();

  /** A description of the last failure. */
  private volatile String failure = "";

  OpenLoop(List<ManagedChannel> channels, List<Kind> kinds, long deadlineMillis) {
    this(channels, kinds, deadlineMillis, _ -> {});
  }

  /**
   * A loop whose answers somebody wants.
   *
   * @param answers told of each, on the thread that receives it: it must not wait
   */
  OpenLoop(
      List<ManagedChannel> channels,
      List<Kind> kinds,
      long deadlineMillis,
      Consumer<PredictResponse> answers) {
    this.answers = answers;
    this.stubs =
        channels.stream()
            .map(RankingServiceGrpc::newStub)
            .toArray(RankingServiceGrpc.RankingServiceStub[]::new);
    this.kinds = kinds;
    this.deadlineMillis = deadlineMillis;
  }

  /** Bundle versions that answered. */
  Set<Long> versions() {
    return Set.copyOf(versions);
  }

  long lastDue() {
    return lastDue;
  }

  String failure() {
    return failure;
  }

  /** Sends {@code rate} calls a second for {@code seconds} and waits for the last to end. */
  Calls run(double rate, double seconds) throws InterruptedException {
    return run(Arrivals.random(random, rate, seconds), rate, seconds);
  }

  /** As {@link #run}, but at even times. */
  Calls runEvenly(double rate, double seconds) throws InterruptedException {
    return run(Arrivals.even(rate, seconds), rate, seconds);
  }

  private Calls run(Arrivals arrivals, double rate, double seconds) throws InterruptedException {
    int most = (int) (rate * seconds * 1.2) + 100;
    Calls calls = new Calls(most);
    int sent = 0;
    while (sent < most && arrivals.next()) {
      lastDue = arrivals.due();
      send(calls, sent++, lastDue, arrivals.start());
    }
    if (!calls.await(sent)) {
      throw new IllegalStateException("calls have not ended 60 s after the last was sent");
    }
    return calls;
  }

  private void send(Calls calls, int index, long due, long start) {
    int kind = 0;
    double drawn = random.nextDouble();
    while (kind < kinds.size() - 1 && drawn >= kinds.get(kind).share()) {
      drawn -= kinds.get(kind).share();
      kind++;
    }
    List<PredictRequest> requests = kinds.get(kind).requests();
    long sequence = next.getAndIncrement();
    PredictRequest request = requests.get((int) (sequence % requests.size()));
    long sentLate = System.nanoTime() - due;
    int of = kind;
    stubs[(int) (sequence % stubs.length)]
        .withDeadlineAfter(deadlineMillis, TimeUnit.MILLISECONDS)
        .predict(
            request,
            new StreamObserver<>() {
              @Override
              public void onNext(PredictResponse value) {
                versions.add(value.getVersion().getBundle());
                answers.accept(value);
              }

              @Override
              public void onError(Throwable t) {
                end(kindOf(t));
              }

              @Override
              public void onCompleted() {
                end(End.ANSWERED);
              }

              private void end(End end) {
                calls.put(index, new Call(due - start, sentLate, System.nanoTime() - due, end, of));
              }
            });
  }

  private End kindOf(Throwable error) {
    Status status =
        error instanceof StatusRuntimeException e ? e.getStatus() : Status.fromThrowable(error);
    return switch (status.getCode()) {
      case RESOURCE_EXHAUSTED -> End.REFUSED;
      case DEADLINE_EXCEEDED -> End.LATE;
      default -> {
        failure = status.toString();
        yield End.FAILED;
      }
    };
  }

  /** The calls of one run, in the order they were sent. */
  static final class Calls {
    private final Call[] calls;
    private final AtomicInteger ended = new AtomicInteger();
    private final CountDownLatch all = new CountDownLatch(1);
    private volatile int expected = Integer.MAX_VALUE;

    private Calls(int most) {
      calls = new Call[most];
    }

    private void put(int index, Call call) {
      calls[index] = call;
      if (ended.incrementAndGet() == expected) {
        all.countDown();
      }
    }

    private boolean await(int sent) throws InterruptedException {
      expected = sent;
      return ended.get() == sent || all.await(60, TimeUnit.SECONDS);
    }

    List<Call> all() {
      return List.copyOf(Arrays.asList(calls).subList(0, ended.get()));
    }
  }
}
