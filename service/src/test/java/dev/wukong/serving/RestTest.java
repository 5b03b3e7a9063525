package dev.wukong.serving;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.client.RankingClient;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RestTest {
  private static HttpResponse<String> get(Served served, String path) throws Exception {
    return get(served, path, "*/*");
  }

  private static HttpResponse<String> get(Served served, String path, String accept)
      throws Exception {
    try (HttpClient http = HttpClient.newHttpClient()) {
      return http.send(
          HttpRequest.newBuilder(URI.create("http://localhost:" + served.httpPort() + path))
              .header("Accept", accept)
              .build(),
          BodyHandlers.ofString());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"*/*", "application/json", "text/html"})
  void rest_nothingThere_isSmallJson(String accept, @TempDir Path folder) throws Exception {
    Path root = folder.resolve("bundles");
    new TinyModel(1).write(root, "tiny", 1);
    try (Served served =
        Served.start(root, "wukong.models=tiny,other", "wukong.status-page.enabled=false")) {
      HttpResponse<String> model = get(served, "/models/nosuch", accept);
      assertThat(model.statusCode()).isEqualTo(404);
      assertThat(model.body())
          .isEqualTo(
              "{\"status\":404,\"error\":\"there is no such model\","
                  + "\"models\":[\"other\",\"tiny\"]}");
      for (String path :
          List.of("/", "/status", "/status/page.js", "/error", "/nosuch", "/actuator/nosuch")) {
        HttpResponse<String> page = get(served, path, accept);
        assertThat(page.statusCode()).isEqualTo(404);
        assertThat(page.headers().firstValue("Content-Type")).contains("application/json");
        assertThat(page.body())
            .isEqualTo("{\"status\":404,\"error\":\"Not Found\",\"path\":\"%s\"}".formatted(path));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "'GET /a|b HTTP/1.1\r\nHost: x\r\n', 400, Bad Request",
    "'GET /%ff%2F HTTP/1.1\r\nHost: x\r\n', 400, Bad Request",
    "'GET / HTTP/1.1\r\nHost: a b\r\n', 400, Bad Request",
    "'GET / HTTP/1.1\r\n', 400, Bad Request",
    "'GET / HTTP/9.1\r\nHost: x\r\n', 505, HTTP Version not supported"
  })
  void rest_malformedRequest_isSmallJson(
      String head, int status, String error, @TempDir Path folder) throws Exception {
    Path root = Files.createDirectory(folder.resolve("bundles"));
    try (Served served = Served.start(root);
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), served.httpPort())) {
      String text = head.translateEscapes() + "Connection: close\r\n\r\n";
      socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      assertThat(answer)
          .startsWith("HTTP/1.1 " + status)
          .endsWith("\r\n\r\n{\"status\":%d,\"error\":\"%s\"}".formatted(status, error));
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
      served.awaitServing("tiny", 4);
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
