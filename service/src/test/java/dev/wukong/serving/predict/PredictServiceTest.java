package dev.wukong.serving.predict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.client.Prediction;
import dev.wukong.client.RankingClient;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;

@TestInstance(Lifecycle.PER_CLASS)
class PredictServiceTest {
  private static final Duration DEADLINE = Duration.ofSeconds(20);

  private final TinyModel model = new TinyModel(1);
  private Served served;
  private RankingClient client;

  @BeforeAll
  void start(@TempDir Path root) throws Exception {
    model.write(root.resolve("bundles"), "tiny", 3);
    served = Served.start(root.resolve("bundles"));
    ModelHost host = served.bean(ModelHost.class);
    Served.await("version 3 serves", () -> host.model("tiny").map(m -> m.servingVersion() == 3).orElse(false));
    client = RankingClient.over(served.channel(), "tiny", DEADLINE);
  }

  @AfterAll
  void stop() {
    served.close();
  }

  @Test
  void predict_everyKindOfValue_givesTheAnswerComputedByHand() {
    Map<String, Object> context = Map.of("user", 117, "age", 0.5f);
    List<Map<String, Object>> candidates =
        List.of(
            Map.of("item", 7, "tags", List.of("red", "日本"), "tag_weights", List.of(1.5, 0.5), "price", 3.5, "picture", List.of(0.25, -0.5)),
            Map.of("item", 200, "tags", List.of("x", "red", "green", "blue"), "tag_weights", List.of(9, 1, 2, 3), "picture", List.of(0, 0)),
            Map.of("item", 987654321, "price", 100, "picture", List.of(1, 1)));

    Prediction prediction = client.predict(context, candidates);

    for (int i = 0; i < candidates.size(); i++) {
      double logit = model.logit(context, candidates.get(i));
      for (int task = 0; task < 2; task++) {
        assertThat(prediction.probability(i, task)).isCloseTo(TinyModel.probability(logit, task), within(1e-6f));
      }
    }
    assertThat(prediction.response().getVersion().getBundle()).isEqualTo(3);
    assertThat(prediction.response().getTasksList()).containsExactly("click", "buy");
    assertThat(prediction.response().getPredictionId().size()).isEqualTo(16);
    assertThat(prediction.response().getQuality().getDefaultedIds()).isEqualTo(2);
    assertThat(prediction.response().getQuality().getTruncatedIds()).isEqualTo(1);
    assertThat(prediction.response().getQuality().getMissingValues()).isEqualTo(1);
  }
}
