package dev.wukong.serving.predict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.common.util.concurrent.ListenableFuture;
import dev.wukong.client.RequestPacker;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.sight.Sights;
import dev.wukong.serving.testing.Answer;
import dev.wukong.serving.testing.HeldBatches;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Deadline;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of requests while the batch thread is held: none of them can be answered. */
@TestInstance(Lifecycle.PER_CLASS)
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class PredictLimitsTest {
  private static final int QUEUE = 8;
  private static final Duration SHORT = Duration.ofMillis(20);
  private static final Duration LONG = Duration.ofHours(1);

  private Served served;

  @BeforeAll
  void start(@TempDir Path root) throws Exception {
    new TinyModel(1).write(root.resolve("bundles"), "tiny", 1);
    served =
        Served.start(
            root.resolve("bundles"),
            "wukong.batching.max-rows=" + QUEUE,
            "wukong.batching.queue-rows=" + QUEUE,
            "wukong.limits.candidates=" + QUEUE,
            "wukong.limits.default-deadline=1h",
            "wukong.limits.max-deadline=1h");
    served.awaitServing("tiny", 1);
  }

  @AfterAll
  void stop() {
    served.close();
  }

  private ModelHost host() {
    return served.bean(ModelHost.class);
  }

  private HeldBatches hold() throws InterruptedException {
    return HeldBatches.of(host().model("tiny").orElseThrow().batcher());
  }

  private void awaitWaiting(int candidates) throws Exception {
    MeterRegistry meters = served.bean(MeterRegistry.class);
    Served.await(
        candidates + " candidates wait",
        () ->
            meters.get("wukong.batching.waiting").tag("model", "tiny").gauge().value()
                == candidates);
  }

  private static PredictRequest request(int candidates) {
    return new RequestPacker("tiny", TinyModel.schema())
        .pack(
            Map.of(), Collections.nCopies(candidates, Map.of("item", 1, "picture", List.of(0, 0))));
  }

  /** The service over the same model with other limits, to be called without a channel. */
  private PredictService service(int inFlight, Duration defaultDeadline, Duration maxDeadline) {
    return new PredictService(
        host(),
        new PredictLimits(QUEUE, QUEUE, inFlight, defaultDeadline, maxDeadline),
        new PredictionIds(Clock.systemUTC(), new SecureRandom()),
        FeatureLog.none(),
        new SimpleMeterRegistry(),
        Sights.none());
  }

  @Test
  void predict_callWithoutADeadline_getsTheDefault() throws Exception {
    Answer<PredictResponse> answer = new Answer<>();
    try (HeldBatches held = hold()) {
      service(1, SHORT, LONG).predict(request(1), answer);
      held.release();
    }
    assertThat(answer.refusal().getCode()).isEqualTo(Code.DEADLINE_EXCEEDED);
    assertThat(answer.refusal().getDescription())
        .isEqualTo("the deadline passed before all candidates were scored");
  }

  @Test
  void predict_deadlineAboveTheMost_isCutToIt() throws Exception {
    Answer<PredictResponse> answer = new Answer<>();
    try (HeldBatches held = hold();
        ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
        CancellableContext patient =
            Context.current().withDeadline(Deadline.after(1, TimeUnit.HOURS), timer)) {
      patient.run(() -> service(1, SHORT, SHORT).predict(request(1), answer));
      held.release();
    }
    assertThat(answer.refusal().getCode()).isEqualTo(Code.DEADLINE_EXCEEDED);
  }

  @Test
  void predict_moreInFlightThanAllowed_isRefusedUntilOneHasEnded() throws Exception {
    PredictService service = service(1, LONG, LONG);
    Answer<PredictResponse> first = new Answer<>();
    Answer<PredictResponse> second = new Answer<>();
    Answer<PredictResponse> third = new Answer<>();
    try (ExecutorService caller = Executors.newSingleThreadExecutor();
        HeldBatches held = hold()) {
      Future<?> call = caller.submit(() -> service.predict(request(1), first));
      awaitWaiting(1);

      service.predict(request(1), second);

      assertThat(second.refusal().getCode()).isEqualTo(Code.RESOURCE_EXHAUSTED);
      assertThat(second.refusal().getDescription())
          .isEqualTo("1 requests are in flight already, that is the limit; try later");
      held.release();
      call.get();
      assertThat(first.value().getScores().size()).isEqualTo(8);
      service.predict(request(1), third);
      assertThat(third.value().getScores().size()).isEqualTo(8);
    }
  }

  @Test
  void predict_queueIsFull_isResourceExhausted() throws Exception {
    try (HeldBatches held = hold()) {
      ListenableFuture<PredictResponse> fills =
          RankingServiceGrpc.newFutureStub(served.channel()).predict(request(QUEUE));
      awaitWaiting(QUEUE);

      StatusRuntimeException refusal =
          catchThrowableOfType(
              StatusRuntimeException.class,
              () -> RankingServiceGrpc.newBlockingStub(served.channel()).predict(request(1)));

      assertThat(refusal.getStatus().getCode()).isEqualTo(Code.RESOURCE_EXHAUSTED);
      assertThat(refusal.getStatus().getDescription())
          .isEqualTo("8 candidates may wait for a batch, and these would be more; try later");
      held.release();
      assertThat(fills.get().getScores().size()).isEqualTo(8 * QUEUE);
    }
  }

  @Test
  void predict_callIsCancelled_givesItsRoomBack() throws Exception {
    try (HeldBatches held = hold()) {
      ListenableFuture<PredictResponse> gone =
          RankingServiceGrpc.newFutureStub(served.channel()).predict(request(QUEUE));
      awaitWaiting(QUEUE);

      assertThat(gone.cancel(true)).isTrue();

      awaitWaiting(0);
      ListenableFuture<PredictResponse> next =
          RankingServiceGrpc.newFutureStub(served.channel()).predict(request(QUEUE));
      awaitWaiting(QUEUE);
      held.release();
      assertThat(next.get().getScores().size()).isEqualTo(8 * QUEUE);
    }
  }
}
