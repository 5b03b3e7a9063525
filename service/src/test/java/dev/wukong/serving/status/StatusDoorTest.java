package dev.wukong.serving.status;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.client.RankingClient;
import dev.wukong.proto.v1.AdminServiceGrpc;
import dev.wukong.proto.v1.AdminServiceGrpc.AdminServiceBlockingStub;
import dev.wukong.proto.v1.LoadVersionRequest;
import dev.wukong.proto.v1.SetLabelRequest;
import dev.wukong.proto.v1.SetTrafficRequest;
import dev.wukong.proto.v1.TrafficShare;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.util.FileSystemUtils;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The page's addresses as HTTP sees them. */
class StatusDoorTest {
  private static HttpResponse<String> send(Served served, String path, String... headers)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://localhost:" + served.httpPort() + path));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return send(request.build());
  }

  private static HttpResponse<String> send(HttpRequest request) throws Exception {
    try (HttpClient http = HttpClient.newHttpClient()) {
      return http.send(request, BodyHandlers.ofString());
    }
  }

  private static String header(HttpResponse<String> answer, String name) {
    return answer.headers().firstValue(name).orElse("");
  }

  @Test
  void door_serviceRuns_answersSecurelyWithWhatItDoes(@TempDir Path folder) throws Exception {
    Path root = folder.resolve("bundles");
    new TinyModel(1).write(root, "tiny", 4);
    // No room for rows in memory: they come from the store.
    try (Served served = Served.serving(root, "tiny", 4, "wukong.rows.resident=1B");
        RankingClient client =
            RankingClient.connect(
                "localhost:" + served.grpcPort(), "tiny", Duration.ofMinutes(2))) {

      HttpResponse<String> page = send(served, "/");
      assertThat(page.statusCode()).isEqualTo(200);
      assertThat(header(page, "Content-Type")).isEqualTo("text/html;charset=utf-8");
      assertThat(header(page, "Cache-Control")).isEqualTo("no-cache");
      for (String path : PageFile.all().keySet()) {
        HttpResponse<String> file = send(served, path);
        assertThat(file.statusCode()).as(path).isEqualTo(200);
        assertSecure(file);
        String tag = header(file, "ETag");
        assertThat(send(served, path, "If-None-Match", tag).statusCode()).as(path).isEqualTo(304);
        assertThat(send(served, path, "If-None-Match", "\"x\"").statusCode()).isEqualTo(200);
      }
      for (String path : List.of("/", "/status", "/status/page.js")) {
        URI address = URI.create("http://localhost:" + served.httpPort() + path);
        assertThat(
                send(HttpRequest.newBuilder(address).POST(BodyPublishers.noBody()).build())
                    .statusCode())
            .isEqualTo(405);
      }
      assertThat(send(served, "/status/nosuch.js").statusCode()).isEqualTo(404);
      assertThat(send(served, "/status/..%2Findex.html").statusCode()).isBetween(400, 499);
      HttpResponse<String> wrong = send(served, "/status?after=soon");
      assertThat(wrong.statusCode()).isEqualTo(400);
      assertThat(wrong.body()).contains("\"status\":400", "\"path\":\"/status\"");

      client.predict(
          Map.of("user", 100),
          List.of(
              Map.of("item", 1, "picture", List.of(0, 0)),
              Map.of("item", 100_000, "picture", List.of(0, 0))));
      Served.await("the request is sampled", () -> sum(status(served, -1), "candidates") > 0);
      HttpResponse<String> answer = send(served, "/status");
      assertSecure(answer);
      assertThat(header(answer, "Cache-Control")).isEqualTo("no-store");
      JsonNode status = status(served, -1);
      assertThat(status.at("/readiness/state").asString()).isEqualTo("ready");
      assertThat(status.at("/readiness/reasons")).isEmpty();
      JsonNode tiny = status.at("/models/0");
      assertThat(tiny.path("name").asString()).isEqualTo("tiny");
      assertThat(tiny.path("serving").asLong()).isEqualTo(4);
      assertThat(tiny.at("/versions/0/state").asString()).isEqualTo("serving");
      assertThat(tiny.at("/versions/0/share").asDouble()).isEqualTo(1);
      assertThat(sum(status, "answered")).isPositive();
      assertThat(sum(status, "fromStore")).isPositive();
      assertThat(sum(status, "fromNowhere")).isPositive();
      assertThat(status.at("/process/figures/cpu").size()).isEqualTo(status.path("times").size());
      long last = status.path("last").asLong();
      assertThat(status(served, last).path("times").size()).isLessThan(status.path("times").size());
      assertThat(send(served, "/actuator/prometheus").body())
          .contains("wukong_embedding_rows_total{from=\"store\",model=\"tiny\",table=\"item\"}")
          .contains("wukong_embedding_rows_total{from=\"none\",model=\"tiny\",table=\"item\"}");
    }
  }

  @Test
  void door_labelScoresCopies_tellsItsShareAndHowItCompares(@TempDir Path folder) throws Exception {
    Path root = folder.resolve("bundles");
    new TinyModel(1).write(root, "tiny", 1);
    new TinyModel(3).write(root, "tiny", 3);
    try (Served served = Served.start(root, "wukong.versions.tiny=1");
        RankingClient client =
            RankingClient.connect(
                "localhost:" + served.grpcPort(), "tiny", Duration.ofMinutes(2))) {
      served.awaitServing("tiny", 1);
      assertThat(status(served, -1).at("/models/0/shadows")).isEmpty();
      ManagedChannel operator =
          NettyChannelBuilder.forAddress("127.0.0.1", served.adminPort()).usePlaintext().build();
      try {
        copyHalfToVersion3(AdminServiceGrpc.newBlockingStub(operator));
      } finally {
        operator.shutdownNow();
      }
      JsonNode idle = status(served, -1).at("/models/0/shadows/0");
      assertThat(idle.path("label").asString()).isEqualTo("next");
      assertThat(idle.path("version").asLong()).isEqualTo(3);
      assertThat(idle.path("copied").asDouble()).isEqualTo(0.5);
      assertThat(idle.path("scored").asLong()).isZero();
      assertThat(idle.path("difference").isNull()).isTrue();
      Served.await(
          "copies are compared",
          () -> {
            client.predict(
                Map.of("user", 100), List.of(Map.of("item", 1, "picture", List.of(0, 0))));
            return status(served, -1).at("/models/0/shadows/0/scored").asLong() > 0;
          });
      JsonNode compared = status(served, -1).at("/models/0/shadows/0");
      assertThat(compared.path("difference").asDouble()).isGreaterThan(0.001);
      assertThat(compared.path("answered").asDouble()).isBetween(0.0, 1.0);
      assertThat(compared.path("shadow").asDouble())
          .isBetween(0.0, 1.0)
          .isNotEqualTo(compared.path("answered").asDouble());
      assertThat(compared.path("failed").asLong()).isZero();
    }
  }

  @Test
  void door_versionOfAShadowIsNotLoaded_tellsVersion0(@TempDir Path folder) throws Exception {
    Path root = folder.resolve("bundles");
    new TinyModel(1).write(root, "tiny", 1);
    new TinyModel(3).write(root, "tiny", 3);
    try (Served served = Served.serving(root, "tiny", 1, "wukong.versions.tiny=1")) {
      ManagedChannel operator =
          NettyChannelBuilder.forAddress("127.0.0.1", served.adminPort()).usePlaintext().build();
      try {
        copyHalfToVersion3(AdminServiceGrpc.newBlockingStub(operator));
      } finally {
        operator.shutdownNow();
      }
    }
    FileSystemUtils.deleteRecursively(root.resolve("tiny").resolve("3"));
    try (Served served = Served.serving(root, "tiny", 1, "wukong.versions.tiny=1")) {
      JsonNode shadow = status(served, -1).at("/models/0/shadows/0");
      assertThat(shadow.path("label").asString()).isEqualTo("next");
      assertThat(shadow.path("version").asLong(-1)).isZero();
      assertThat(shadow.path("copied").asDouble()).isEqualTo(0.5);
    }
  }

  private static void copyHalfToVersion3(AdminServiceBlockingStub admin) {
    var _ =
        admin.loadVersion(LoadVersionRequest.newBuilder().setModel("tiny").setVersion(3).build());
    var _ =
        admin.setLabel(
            SetLabelRequest.newBuilder().setModel("tiny").setLabel("next").setVersion(3).build());
    var _ =
        admin.setTraffic(
            SetTrafficRequest.newBuilder()
                .setModel("tiny")
                .addShares(TrafficShare.newBuilder().setLabel("next").setShare(0.5).setShadow(true))
                .build());
  }

  private static void assertSecure(HttpResponse<String> answer) {
    assertThat(header(answer, "Content-Security-Policy"))
        .startsWith("default-src 'none';")
        .contains("frame-ancestors 'none'")
        .doesNotContain("unsafe", "http", "*");
    assertThat(header(answer, "X-Content-Type-Options")).isEqualTo("nosniff");
    assertThat(header(answer, "Referrer-Policy")).isEqualTo("no-referrer");
  }

  private static JsonNode status(Served served, long after) throws Exception {
    return new JsonMapper().readTree(send(served, "/status?after=" + after).body());
  }

  /** All that a figure of the first model has ever shown. */
  private static double sum(JsonNode status, String figure) {
    double sum = 0;
    for (JsonNode value : status.at("/models/0/figures/" + figure)) {
      sum += value.isNull() ? 0 : value.asDouble();
    }
    return sum;
  }
}
