package dev.wukong.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.retraining.OnlineTrainer;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** What the probes and the test of the chart say of a real service. */
class ProbesTest {
  private static final String NAME = "rank-wukong-serving";

  /** The model of these tests cannot be trained: who learns it halts at once. */
  private static final String LEARNS = "config: {wukong: {online: {model: tiny}}}";

  private static final String CLUSTER =
      "cluster: {enabled: true, kafka: {addresses: ['k:1']}}\ntrainer: {separate: true}";

  @TempDir Path folder;

  private Served halted(String... settings) throws Exception {
    Path root = Files.createDirectory(folder.resolve("bundles"));
    new TinyModel(1).write(root, "tiny", 1);
    List<String> all = new ArrayList<>(List.of("wukong.online.model=tiny"));
    all.addAll(List.of(settings));
    Served served = Served.serving(root, "tiny", 1, all.toArray(String[]::new));
    Served.await(
        "training has halted",
        () -> served.bean(OnlineTrainer.class).status().phase() == OnlineTrainer.Phase.HALTED);
    return served;
  }

  /** Settings as names and values: what is nested is joined by dots. */
  private static List<String> flat(String prefix, JsonNode node) {
    List<String> all = new ArrayList<>();
    for (var entry : node.properties()) {
      String name = prefix + "." + entry.getKey();
      if (entry.getValue().isObject()) {
        all.addAll(flat(name, entry.getValue()));
      } else {
        all.add(name + "=" + entry.getValue().asString());
      }
    }
    return all;
  }

  private static int status(Served served, String path) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client
          .send(
              HttpRequest.newBuilder(
                      URI.create("http://localhost:%d%s".formatted(served.httpPort(), path)))
                  .build(),
              BodyHandlers.discarding())
          .statusCode();
    }
  }

  private static String probe(Chart chart, String workload, String probe) {
    return chart.pod(workload).at("/containers/0/" + probe + "/httpGet/path").asString();
  }

  @Test
  void serving_thatDoesNotLearn_isReadyAllTheSame() throws Exception {
    Chart chart = Chart.render(folder, LEARNS, CLUSTER);
    List<String> settings = flat("management", chart.application(NAME).at("/management"));
    try (Served served = halted(settings.toArray(String[]::new))) {
      assertThat(status(served, probe(chart, NAME, "readinessProbe"))).isEqualTo(200);
      assertThat(status(served, "/actuator/health/ingest")).isEqualTo(503);
    }
  }

  @Test
  void trainer_thatDoesNotLearn_isNotReadyButLives() throws Exception {
    Chart chart = Chart.render(folder, LEARNS, CLUSTER);
    String trainer = NAME + "-trainer";
    List<String> settings = flat("management", chart.application(trainer).at("/management"));
    try (Served served = halted(settings.toArray(String[]::new))) {
      assertThat(status(served, probe(chart, trainer, "readinessProbe"))).isEqualTo(503);
      assertThat(status(served, probe(chart, trainer, "livenessProbe"))).isEqualTo(200);
    }
  }

  /** Runs what {@code helm test} runs, against a service on this machine; how it ended. */
  private static int helmTest(Chart chart, Served served) throws Exception {
    String script =
        chart
            .at("Pod/" + NAME + "-ready", "/spec/containers/0/command/2")
            .asString()
            .replace(NAME, "127.0.0.1")
            .replace("9090", Integer.toString(served.grpcPort()))
            .replace("8080", Integer.toString(served.httpPort()));
    Process process = new ProcessBuilder("bash", "-ec", script).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(said).isNotEmpty();
    return process.waitFor();
  }

  @Test
  void helmTest_asksWhetherItServesAndLearns() throws Exception {
    Chart serving = Chart.render(folder, "replicas: 1");
    Chart learning = Chart.render(folder, LEARNS);
    try (Served served = halted()) {
      assertThat(helmTest(serving, served)).isZero();
      assertThat(helmTest(learning, served)).isNotZero();
    }
  }
}
