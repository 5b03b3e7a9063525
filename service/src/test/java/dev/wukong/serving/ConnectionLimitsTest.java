package dev.wukong.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.common.util.concurrent.ListenableFuture;
import dev.wukong.serving.testing.Served;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConnectionLimitsTest {
  /** Calls of a connection at a time. */
  private static final int MOST = 128;

  /** Much more than may be reset: some are ended before the server hears of them. */
  private static final int MOST_CALLS = 50_000;

  private static final HealthCheckRequest ALL = HealthCheckRequest.getDefaultInstance();

  /** A call that goes on until it is cancelled. */
  private static final class Watch
      implements ClientResponseObserver<HealthCheckRequest, HealthCheckResponse> {
    private final CompletableFuture<HealthCheckResponse> first = new CompletableFuture<>();
    private final CompletableFuture<Throwable> end = new CompletableFuture<>();
    private @Nullable ClientCallStreamObserver<HealthCheckRequest> call;

    static Watch start(Served served) throws Exception {
      Watch watch = new Watch();
      HealthGrpc.newStub(served.channel()).watch(ALL, watch);
      watch.first.get(1, TimeUnit.MINUTES);
      return watch;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<HealthCheckRequest> started) {
      call = started;
    }

    @Override
    public void onNext(HealthCheckResponse answer) {
      first.complete(answer);
    }

    @Override
    public void onError(Throwable cause) {
      first.completeExceptionally(cause);
      end.complete(cause);
    }

    @Override
    public void onCompleted() {
      end.complete(new AssertionError("completed"));
    }

    void cancel() throws Exception {
      if (call != null) {
        call.cancel("enough", null);
      }
      end.get(1, TimeUnit.MINUTES);
    }
  }

  @Test
  void calls_hundredsCancelled_leaveTheOthersOfTheConnection(@TempDir Path root) throws Exception {
    try (Served served = Served.start(root)) {
      Watch beside = Watch.start(served);

      for (int i = 0; i < 300; i++) {
        Watch.start(served).cancel();
      }

      // On the same connection this comes after all the resets.
      assertThat(HealthGrpc.newBlockingStub(served.channel()).check(ALL).getStatus())
          .isEqualTo(ServingStatus.NOT_SERVING);
      assertThat(beside.end).isNotDone();
      beside.cancel();
    }
  }

  /** The others of a connection wait at the caller: they are not there for the server. */
  @Test
  void calls_beyondTheMostOfAConnection_waitUntilOneEnds(@TempDir Path root) throws Exception {
    try (Served served = Served.start(root)) {
      List<Watch> all = new ArrayList<>();
      for (int i = 0; i < MOST; i++) {
        all.add(Watch.start(served));
      }

      StatusRuntimeException waited =
          catchThrowableOfType(
              StatusRuntimeException.class,
              () ->
                  HealthGrpc.newBlockingStub(served.channel())
                      .withDeadlineAfter(Duration.ofSeconds(3))
                      .check(ALL));

      assertThat(waited.getStatus().getCode()).isEqualTo(Code.DEADLINE_EXCEEDED);
      all.getFirst().cancel();
      assertThat(HealthGrpc.newBlockingStub(served.channel()).check(ALL).getStatus())
          .isEqualTo(ServingStatus.NOT_SERVING);
      for (Watch one : all.subList(1, MOST)) {
        one.cancel();
      }
    }
  }

  /** Far above what a caller does that gives calls up; each costs the server little. */
  @Test
  void calls_begunAndResetAllTheTime_closeTheConnection(@TempDir Path root) throws Exception {
    try (Served served = Served.start(root, "wukong.limits.resets=500")) {
      Watch beside = Watch.start(served);
      for (int i = 0; i < MOST_CALLS && !beside.end.isDone(); i++) {
        ListenableFuture<HealthCheckResponse> call =
            HealthGrpc.newFutureStub(served.channel()).check(ALL);
        call.cancel(true);
      }

      Throwable end = beside.end.get(1, TimeUnit.MINUTES);

      assertThat(Status.fromThrowable(end).getCode()).isEqualTo(Code.UNAVAILABLE);
      assertThat(HealthGrpc.newBlockingStub(served.channel()).check(ALL).getStatus())
          .isEqualTo(ServingStatus.NOT_SERVING); // On another connection.
    }
  }
}
