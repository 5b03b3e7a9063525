package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.proto.v1.ModelVersion;
import dev.wukong.proto.v1.TrainingStatus.Phase;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.embedding.StoreException;
import dev.wukong.serving.events.EventLog;
import dev.wukong.serving.testing.FailingEventLog;
import dev.wukong.serving.testing.FailingStateStore;
import dev.wukong.serving.testing.FailingStateStore.Point;
import dev.wukong.serving.testing.Parts;
import dev.wukong.serving.testing.Served;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A disk that fails or is full, under the log of events or under the store: what was acknowledged
 * stays, nothing is tried again by itself, and predictions go on. What RocksDB itself does then is
 * in {@code LogKillTest} and {@code FullDiskTest}.
 */
class FailedDiskTest {
  private static final String EIO = "While fdatasync: /data/000012.log: Input/output error";
  private static final String INGEST = "/actuator/health/ingest";

  @TempDir Path folder;
  private Path bundles = Path.of("");

  private final CompletableFuture<FailingStateStore> store = new CompletableFuture<>();
  private final CompletableFuture<FailingEventLog> log = new CompletableFuture<>();

  @BeforeEach
  void train() throws Exception {
    bundles = LearningModel.train(folder);
  }

  private LearningService serve() throws Exception {
    Parts parts =
        new Parts()
            .with(
                RowStore.class,
                own -> {
                  FailingStateStore failing = new FailingStateStore((StateStore) own, _ -> {});
                  store.complete(failing);
                  return failing;
                })
            .with(
                EventLog.class,
                own -> {
                  FailingEventLog failing = new FailingEventLog(own);
                  log.complete(failing);
                  return failing;
                });
    LearningService service = LearningService.start(bundles, parts, 1);
    service.click(0, 3, 2);
    service.awaitExamples(2 * LearningService.EXAMPLES);
    Served.await("all is committed", () -> service.trainer().lag() == 0);
    assertThat(service.get(INGEST).statusCode()).isEqualTo(200);
    return service;
  }

  private static Consumer<Point> failingAt(Point point) {
    return at -> {
      if (at == point) {
        throw new StoreException("writing 9 rows failed: " + EIO, null);
      }
    };
  }

  private static void awaitHalts(LearningService service, int times) throws Exception {
    Served.await(
        "it has halted %d times".formatted(times),
        () ->
            service.trainer().status().phase() == OnlineTrainer.Phase.HALTED
                && service
                        .served()
                        .bean(MeterRegistry.class)
                        .get("wukong.online.halts")
                        .counter()
                        .count()
                    == times);
  }

  /** Predictions are the same as ever, and those who ask for the server's health see it well. */
  private static void assertPredicts(
      LearningService service, float[] as, boolean logged, String ingest, String reason)
      throws Exception {
    var answer = service.predict(0);
    assertThat(answer.probabilities()).containsExactly(as);
    assertThat(answer.response().getLogged()).isEqualTo(logged);
    HttpResponse<String> health = service.get(INGEST);
    assertThat(health.statusCode()).isEqualTo(503);
    assertThat(health.body()).contains(ingest, reason);
    assertThat(service.get("/actuator/health/readiness").statusCode()).isEqualTo(200);
    assertThat(service.get("/actuator/health/liveness").statusCode()).isEqualTo(200);
    assertThat(service.get("/actuator/health").statusCode()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(strings = {EIO, "While appending to file: No space left on device"})
  void log_writeFails_refusesFeedbackAndPredictsOn(String reason) throws Exception {
    try (LearningService service = serve()) {
      float[] learned = service.predict(0).probabilities();
      log.join().fail(reason, false);
      var lost = service.predict(0); // Room for it was there.
      Served.await("the log has failed", () -> service.get(INGEST).body().contains("NOT_LOGGING"));

      Status refused = service.report(lost);

      assertThat(refused.getCode()).isEqualTo(Code.UNAVAILABLE);
      assertThat(refused.getDescription())
          .isEqualTo("nothing is logged any more: %s".formatted(reason));
      awaitHalts(service, 1);
      assertThat(service.trainingByStatus().getPhase()).isEqualTo(Phase.PHASE_HALTED);
      assertThat(service.trainingByStatus().getReason()).contains(reason);
      assertPredicts(service, learned, false, "NOT_LOGGING", reason);

      service.resume();

      // It tries, and the log says again why it takes nothing: no write is tried once more.
      awaitHalts(service, 2);
      assertThat(log.join().failed).hasValue(1);
      assertThat(service.report(lost).getCode()).isEqualTo(Code.UNAVAILABLE);
      assertPredicts(service, learned, false, "NOT_LOGGING", reason);
    }
    try (LearningService service = LearningService.start(bundles, 1)) {
      service.awaitLearning();
      assertThat(service.get(INGEST).statusCode()).isEqualTo(200);
      service.click(0, 3, 1);
      service.awaitExamples(3 * LearningService.EXAMPLES);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {EIO, "While appending to file: No space left on device"})
  void store_writeFails_haltsTrainingAndTakesFeedbackAndPredictsOn(String reason) throws Exception {
    try (LearningService service = serve()) {
      float[] learned = service.predict(0).probabilities();
      ModelVersion version = service.predict(0).response().getVersion();
      store
          .join()
          .fail(
              at -> {
                if (at == Point.WRITING) {
                  throw new StoreException("writing 9 rows failed: " + reason, null);
                }
              });
      service.click(0, 3, 1); // Acknowledged: the log has it.

      awaitHalts(service, 1);
      assertThat(service.trainingByStatus().getReason())
          .isEqualTo("writing 9 rows failed: " + reason);
      assertPredicts(service, learned, true, "NOT_LEARNING", reason);
      assertThat(service.predict(0).response().getVersion()).isEqualTo(version);
      service.click(0, 3, 1);

      service.resume();

      awaitHalts(service, 2);
      assertPredicts(service, learned, true, "NOT_LEARNING", reason);

      store.join().fail(_ -> {}); // Somebody has made room.
      service.resume();

      service.awaitExamples(4 * LearningService.EXAMPLES);
      assertThat(service.trainer().status().mark().examples())
          .isEqualTo(4 * LearningService.EXAMPLES);
      assertThat(service.get(INGEST).statusCode()).isEqualTo(200);
      assertThat(service.predict(0).probabilities()).isNotEqualTo(learned);
    }
  }

  /** What is in memory may be older than what is there, so nothing is committed on top of it. */
  @Test
  void store_writeFailsAndIsThereAllTheSame_learnsAfterARestartOnly() throws Exception {
    float[] learned;
    try (LearningService service = serve()) {
      learned = service.predict(0).probabilities();
      store.join().fail(failingAt(Point.WRITTEN));
      service.click(0, 3, 1);
      awaitHalts(service, 1);
      store.join().fail(_ -> {});

      service.click(0, 3, 1);
      service.resume();

      awaitHalts(service, 2);
      assertPredicts(service, learned, true, "NOT_LEARNING", "failed halfway; load it again");
    }
    try (LearningService service = LearningService.start(bundles, 1)) {
      service.awaitExamples(4 * LearningService.EXAMPLES);
      assertThat(service.trainer().status().mark().examples())
          .isEqualTo(4 * LearningService.EXAMPLES);
      assertThat(service.predict(0).probabilities()).isNotEqualTo(learned);
    }
  }

  /** It cannot be read, either: nothing is learned from what is not known. */
  @Test
  void store_readFails_haltsTrainingAndPredictsOn() throws Exception {
    try (LearningService service = serve()) {
      float[] learned = service.predict(0).probabilities();
      store.join().fail(failingAt(Point.READING));
      service.click(5, 3, 1); // Rows that the trainer does not hold.

      awaitHalts(service, 1);
      assertPredicts(service, learned, true, "NOT_LEARNING", EIO);

      store.join().fail(_ -> {});
      service.resume();

      service.awaitExamples(3 * LearningService.EXAMPLES);
      assertThat(service.get(INGEST).statusCode()).isEqualTo(200);
    }
  }
}
