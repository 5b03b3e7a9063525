package dev.wukong.serving;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.client.RankingClient;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RestTest {
  private static HttpResponse<String> get(Served served, String path) throws Exception {
    try (HttpClient http = HttpClient.newHttpClient()) {
      return http.send(
          HttpRequest.newBuilder(URI.create("http://localhost:" + served.httpPort() + path))
              .build(),
          BodyHandlers.ofString());
    }
  }

  @Test
  void rest_modelAppears_becomesReadyAndIsListedAndMeasured(@TempDir Path folder) throws Exception {
    Path root = Files.createDirectory(folder.resolve("bundles"));
    try (Served served = Served.start(root)) {
      assertThat(get(served, "/actuator/health/liveness").statusCode()).isEqualTo(200);
      assertThat(get(served, "/actuator/health/readiness").statusCode()).isEqualTo(503);
      assertThat(get(served, "/models").body()).isEqualTo("[]");
      assertThat(get(served, "/models/tiny").statusCode()).isEqualTo(404);

      new TinyModel(1).write(root, "tiny", 4);
      ModelHost host = served.bean(ModelHost.class);
      Served.await(
          "it serves", () -> host.model("tiny").map(m -> m.servingVersion() == 4).orElse(false));
      try (RankingClient client = RankingClient.over(served.channel(), "", Duration.ofMinutes(2))) {
        client.predict(Map.of("user", 100), List.of(Map.of("item", 1, "picture", List.of(0, 0))));
      }

      assertThat(get(served, "/actuator/health/readiness").statusCode()).isEqualTo(200);
      assertThat(get(served, "/models/tiny").body())
          .contains(
              "\"name\":\"tiny\"",
              "\"serving\":4",
              "\"tasks\":[\"click\",\"buy\"]",
              "\"state\":\"SERVING\"")
          .contains(TinyModel.schema().id());
      assertThat(get(served, "/actuator/prometheus").body())
          .contains("wukong_hosting_version{model=\"tiny\"} 4.0")
          .contains("wukong_predict_candidates_total{model=\"tiny\"} 1.0")
          .contains("wukong_batching_run_seconds_bucket")
          .contains("wukong_batching_queue_seconds_bucket")
          .contains("wukong_predict_decode_seconds_bucket")
          .contains("wukong_predict_resolve_seconds_bucket");
    }
  }
}
