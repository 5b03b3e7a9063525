package dev.wukong.serving.figures;

import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.proto.v1.RankingServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A fixed number of calls in flight, each followed by the next as soon as it is answered: what
 * saturates a server without a queue of its own making.
 */
final class ClosedLoop {
  private final RankingServiceGrpc.RankingServiceStub stub;
  private final List<PredictRequest> requests;
  private final AtomicLong next = new AtomicLong();
  private final AtomicLong answered = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();
  private final CountDownLatch ended;
  private volatile boolean stop;
  private volatile @Nullable Throwable lastFailure;

  private ClosedLoop(ManagedChannel channel, List<PredictRequest> requests, int inFlight) {
    this.stub = RankingServiceGrpc.newStub(channel);
    this.requests = requests;
    this.ended = new CountDownLatch(inFlight);
  }

  /** Starts sending. */
  static ClosedLoop start(ManagedChannel channel, List<PredictRequest> requests, int inFlight) {
    ClosedLoop loop = new ClosedLoop(channel, requests, inFlight);
    for (int i = 0; i < inFlight; i++) {
      loop.send();
    }
    return loop;
  }

  private void send() {
    if (stop) {
      ended.countDown();
      return;
    }
    PredictRequest request = requests.get((int) (next.getAndIncrement() % requests.size()));
    stub.withDeadlineAfter(10, TimeUnit.SECONDS)
        .predict(
            request,
            new StreamObserver<>() {
              @Override
              public void onNext(PredictResponse value) {
                answered.incrementAndGet();
              }

              @Override
              public void onError(Throwable t) {
                failed.incrementAndGet();
                lastFailure = t;
                send();
              }

              @Override
              public void onCompleted() {
                send();
              }
            });
  }

  long answered() {
    return answered.get();
  }

  long failed() {
    return failed.get();
  }

  @Nullable Throwable lastFailure() {
    return lastFailure;
  }

  /** Sends nothing more and waits for what is in flight. */
  void stop() throws InterruptedException {
    stop = true;
    if (!ended.await(30, TimeUnit.SECONDS)) {
      throw new IllegalStateException("calls are in flight 30 s after the last was sent");
    }
  }
}
