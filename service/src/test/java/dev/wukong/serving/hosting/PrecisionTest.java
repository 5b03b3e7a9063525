package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Precision;
import dev.wukong.client.Prediction;
import dev.wukong.client.RankingClient;
import dev.wukong.proto.v1.ModelStatus;
import dev.wukong.proto.v1.VersionStatus.State;
import dev.wukong.serving.engine.EngineException;
import dev.wukong.serving.engine.EngineOptions;
import dev.wukong.serving.engine.Engines;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The service over the graphs of both precisions. */
class PrecisionTest {
  private static final Duration DEADLINE = Duration.ofMinutes(2);
  private static final Map<String, Object> CONTEXT = Map.of("user", 101, "age", 1);
  private static final List<Map<String, Object>> CANDIDATES =
      List.of(
          Map.of(
              "item",
              3,
              "tags",
              List.of("red", "blue"),
              "tag_weights",
              List.of(1, 2),
              "price",
              2,
              "picture",
              List.of(0, 0)),
          Map.of("item", 9_999_999, "picture", List.of(1, 0)));
  private static final String HALF = "wukong.engine.precision=fp16";

  @TempDir private Path folder = Path.of("");

  private Path root() {
    return folder.resolve("bundles");
  }

  private static ModelStatus status(Served served) {
    try (RankingClient client = RankingClient.over(served.channel(), "tiny", DEADLINE)) {
      return client.model().getStatus();
    }
  }

  private static void check(Served served, TinyModel model) {
    try (RankingClient client = RankingClient.over(served.channel(), "tiny", DEADLINE)) {
      Prediction prediction = client.predict(CONTEXT, CANDIDATES);
      for (int i = 0; i < CANDIDATES.size(); i++) {
        assertThat(prediction.probability(i, 0))
            .isCloseTo(
                TinyModel.probability(model.logit(CONTEXT, CANDIDATES.get(i)), 0), within(1e-6f));
      }
    }
  }

  @Test
  void serve_eitherPrecision_answersByItsRowsAndSaysSo() throws Exception {
    TinyModel model = new TinyModel(1);
    assertThat(model.rounded().logit(CONTEXT, CANDIDATES.get(0)))
        .isNotCloseTo(model.logit(CONTEXT, CANDIDATES.get(0)), within(1e-5));
    model.writeWithHalf(root(), "tiny", 1, 0.01);
    try (Served served = Served.start(root(), HALF)) {
      served.awaitServing("tiny", 1);
      check(served, model.rounded());
      assertThat(status(served).getPrecision()).isEqualTo("fp16");
      assertThat(models(served)).contains("\"precision\":\"fp16\"");
    }
    try (Served served = Served.start(root())) {
      served.awaitServing("tiny", 1);
      check(served, model);
      assertThat(status(served).getPrecision()).isEqualTo("fp32");
      assertThat(models(served)).contains("\"precision\":\"fp32\"");
    }
  }

  /** Rows that find no room in memory take another way into the batch. */
  @Test
  void serve_halfPrecisionWithRowsOutsideOfMemory_answersAlike() throws Exception {
    new TinyModel(1).writeWithHalf(root(), "tiny", 1, 0.01);
    try (Served served = Served.start(root(), HALF, "wukong.rows.resident=1KB")) {
      served.awaitServing("tiny", 1);
      check(served, new TinyModel(1).rounded());
    }
  }

  @Test
  void poll_newerBundleWithoutThatGraph_isRefusedAndTheOldOneServes() throws Exception {
    new TinyModel(1).writeWithHalf(root(), "tiny", 1, 0.01);
    try (Served served = Served.start(root(), HALF)) {
      served.awaitServing("tiny", 1);
      new TinyModel(2).write(root(), "tiny", 2);
      Served.await(
          "version 2 is refused",
          () -> status(served).getVersions(0).getState() == State.STATE_FAILED);
      assertThat(status(served).getVersions(0).getMessage())
          .isEqualTo(
              "model 'tiny' version 2 has no graph 'predict.fp16.onnx', which"
                  + " wukong.engine.precision=fp16 needs: half precision was too far off, or the"
                  + " bundle is of an older build; set fp32, or train it again");
      assertThat(status(served).getServing().getBundle()).isEqualTo(1);
      check(served, new TinyModel(1).rounded());
    }
  }

  @Test
  void poll_halfPrecisionBeyondItsTolerance_isRefused() throws Exception {
    new TinyModel(1).write(root(), "tiny", 1);
    new TinyModel(2).writeWithHalf(root(), "tiny", 2, 0);
    try (Served served = Served.start(root(), HALF)) {
      Served.await(
          "version 2 is refused",
          () ->
              served.bean(ModelHost.class).model("tiny").stream()
                  .flatMap(m -> m.versions().stream())
                  .anyMatch(
                      v ->
                          v.phase() instanceof VersionState.Failed(String reason)
                              && reason.startsWith(
                                  "golden rows of model 'tiny' version 2, predict.fp16.onnx: row")
                              && reason.endsWith("allowed 0.00)")));
    }
  }

  @Test
  void load_rowsOfTheOtherType_isRefused() throws Exception {
    EngineOptions options = EngineOptions.cpu(1, false, Precision.FP16);
    Path folder = new TinyModel(1).write(root(), "tiny", 1);
    try (Bundle bundle = Bundle.open(folder)) {
      byte[] graph = bundle.graph(Precision.FP32.file());
      Engines engines = new Engines(bundle.layout(), options, 64);
      assertThatThrownBy(() -> engines.load(graph))
          .isInstanceOf(EngineException.class)
          .hasMessageStartingWith("the graph's input 'rows.d1' is ")
          .hasMessageEndingWith(", expected a tensor of FLOAT16");
    }
  }

  @Test
  void start_unknownPrecision_saysWhichThereAre() {
    assertThatThrownBy(() -> Served.start(root(), "wukong.engine.precision=fp8"))
        .hasStackTraceContaining("wukong.engine.precision");
  }

  private static String models(Served served) throws Exception {
    try (HttpClient http = HttpClient.newHttpClient()) {
      URI uri = URI.create("http://localhost:" + served.httpPort() + "/models/tiny");
      return http.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString()).body();
    }
  }
}
