package dev.wukong.serving;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.testing.Served;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConnectionLimitsTest {
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
}
