package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.batching.BatchPolicy;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.health.contributor.Status;

/** When the service says that it may get traffic. */
class ReadinessTest {
  @TempDir private Path folder = Path.of("");

  private Path root() {
    return folder.resolve("bundles");
  }

  private static HttpResponse<String> get(Served served, String path) throws Exception {
    try (HttpClient http = HttpClient.newHttpClient()) {
      URI uri = URI.create("http://localhost:" + served.httpPort() + path);
      return http.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
    }
  }

  private static HttpResponse<String> readiness(Served served) throws Exception {
    return get(served, "/actuator/health/readiness");
  }

  private static ServingStatus grpc(Served served) {
    return HealthGrpc.newBlockingStub(served.channel())
        .check(HealthCheckRequest.getDefaultInstance())
        .getStatus();
  }

  private static void awaitServing(Served served, String model) throws Exception {
    ModelHost host = served.bean(ModelHost.class);
    Served.await(
        model + " serves", () -> host.model(model).map(m -> m.servingVersion() > 0).orElse(false));
  }

  private static void awaitRefused(Served served, String model) throws Exception {
    ModelHost host = served.bean(ModelHost.class);
    Served.await(
        model + " is refused",
        () ->
            host.model(model).stream()
                .flatMap(m -> m.versions().stream())
                .anyMatch(v -> v.phase() instanceof VersionState.Failed));
  }

  @Test
  void readiness_newModelIsBroken_staysAndTellsOfIt() throws Exception {
    new TinyModel(1).write(root(), "good", 1);
    try (Served served = Served.start(root(), "wukong.models=good,bad,absent")) {
      awaitServing(served, "good");
      Served.await("gRPC follows", () -> grpc(served) == ServingStatus.SERVING);
      new TinyModel(2).write(root(), "bad", 7, 0.01f);
      awaitRefused(served, "bad");

      assertThat(readiness(served).statusCode()).isEqualTo(200);
      assertThat(readiness(served).body())
          .contains("\"bad\":{")
          .contains("\"7\":\"golden rows of model 'bad' version 7");
      assertThat(get(served, "/actuator/prometheus").body())
          .contains("wukong_hosting_refused{model=\"bad\"} 1.0")
          .contains("wukong_hosting_refused{model=\"good\"} 0.0")
          .contains("wukong_hosting_loads_total{model=\"bad\",outcome=\"refused\"} 1.0");
      assertThat(get(served, "/actuator/health/liveness").body())
          .contains("\"watcher\"")
          .contains("\"batchers\"");
      // Twice the period of the schedule after the refusal could be needed to see a wrong answer;
      // the health that it copies is asked for here instead.
      assertThat(get(served, "/actuator/health").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void readiness_onlyModelIsBroken_isNotThere() throws Exception {
    new TinyModel(2).write(root(), "bad", 7, 0.01f);
    try (Served served = Served.start(root())) {
      awaitRefused(served, "bad");

      assertThat(readiness(served).statusCode()).isEqualTo(503);
      assertThat(readiness(served).body()).contains("golden rows of model 'bad' version 7");
      // gRPC's is NOT_SERVING before it has looked at all; this is what it copies.
      assertThat(get(served, "/actuator/health").statusCode()).isEqualTo(503);
    }
  }

  @Test
  void health_modelThatServedServesNoMore_isOutOfService() throws Exception {
    new TinyModel(1).write(root(), "one", 1);
    new TinyModel(1).write(root(), "two", 1);
    try (Served served = Served.start(root())) {
      awaitServing(served, "one");
      awaitServing(served, "two");
      ModelHost host = served.bean(ModelHost.class);
      ModelsHealthIndicator health = new ModelsHealthIndicator(host);
      assertThat(health.health().getStatus()).isEqualTo(Status.UP);
      Served.await("gRPC follows", () -> grpc(served) == ServingStatus.SERVING);
      // It would load the version again at its next look.
      served.bean(BundleWatcher.class).close();

      host.model("one").orElseThrow().stop().join();

      assertThat(health.health().getStatus()).isEqualTo(Status.OUT_OF_SERVICE);
      Served.await("gRPC follows", () -> grpc(served) == ServingStatus.NOT_SERVING);
    }
  }

  @Test
  void health_noModel_isOutOfService() {
    try (ModelHost host =
        new ModelHost(
            new BatchPolicy(1, 1, Duration.ofSeconds(1), 1),
            System::nanoTime,
            Clock.systemUTC(),
            new SimpleMeterRegistry(),
            model -> {})) {
      assertThat(new ModelsHealthIndicator(host).health().getStatus())
          .isEqualTo(Status.OUT_OF_SERVICE);
    }
  }
}
