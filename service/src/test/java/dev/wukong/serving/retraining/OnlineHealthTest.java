package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.proto.v1.TrainingStatus.Phase;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What probes see of training, apart from what they see of predictions. */
class OnlineHealthTest {
  private static final String INGEST = "/actuator/health/ingest";

  @TempDir Path folder;

  @Test
  void health_trainingHasHalted_ingestIsNotReadyAndPredictIs() throws Exception {
    Path bundles = LearningModel.train(folder);
    // A task that the model does not have: found out once its bundle is there.
    try (LearningService service =
        LearningService.start(bundles, 1, "wukong.online.windows.nosuch=1m")) {
      Served.await(
          "it halts", () -> service.trainer().status().phase() == OnlineTrainer.Phase.HALTED);
      HttpResponse<String> ingest = service.get(INGEST);
      assertThat(ingest.statusCode()).isEqualTo(503);
      assertThat(ingest.body())
          .contains(
              "NOT_LEARNING",
              "HALTED",
              "wukong.online.windows.nosuch names no task, the model's are [click, conversion]");
      assertThat(service.get("/actuator/health/readiness").statusCode()).isEqualTo(200);
      HttpResponse<String> whole = service.get("/actuator/health");
      assertThat(whole.statusCode()).isEqualTo(200);
      assertThat(whole.body()).contains("\"status\":\"UP\"");
      assertThat(service.get("/actuator/health/liveness").statusCode()).isEqualTo(200);
      // It is looked at from time to time.
      Served.await(
          "calls are served",
          () ->
              HealthGrpc.newBlockingStub(service.served().channel())
                      .check(HealthCheckRequest.getDefaultInstance())
                      .getStatus()
                  == ServingStatus.SERVING);
      assertThat(service.predict(0).probabilities()).isNotEmpty();

      // Paused while it is halted: both; it tries again once it is resumed, and halts again.
      assertThat(service.pause().getPhase()).isEqualTo(Phase.PHASE_HALTED);
      service.resume();
      Served.await("it has tried again", () -> halts(service) == 2);
      assertThat(service.get(INGEST).statusCode()).isEqualTo(503);
    }
    try (LearningService service = LearningService.start(bundles, 1)) {
      Served.await(
          "it learns", () -> service.trainer().status().phase() == OnlineTrainer.Phase.LEARNING);
      assertThat(service.get(INGEST).statusCode()).isEqualTo(200);
    }
  }

  private static double halts(LearningService service) {
    return service.served().bean(MeterRegistry.class).get("wukong.online.halts").counter().count();
  }

  @Test
  void health_noModelLearns_ingestIsUp() throws Exception {
    Path bundles = folder.resolve("bundles");
    new TinyModel(1).write(bundles, "tiny", 1);
    try (Served served = Served.serving(bundles, "tiny", 1);
        HttpClient http = HttpClient.newHttpClient()) {
      URI uri = URI.create("http://localhost:" + served.httpPort() + INGEST);
      HttpResponse<String> answer =
          http.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(answer.body()).contains("\"learns\":false");
    }
  }
}
