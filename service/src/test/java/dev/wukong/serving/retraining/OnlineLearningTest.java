package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.client.Prediction;
import dev.wukong.proto.v1.ModelVersion;
import dev.wukong.serving.testing.Served;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From a prediction over its label to another answer, through the whole service. */
class OnlineLearningTest {
  private static final int CLICKS = 100;

  @TempDir Path folder;
  private Path bundles = Path.of("");

  @BeforeEach
  void train() throws Exception {
    bundles = LearningModel.train(folder);
  }

  private LearningService serve() throws Exception {
    return LearningService.start(bundles, 1, "wukong.online.rate=1");
  }

  @Test
  void predict_afterLabelsOfTheSame_learnsThemAndKeepsThemOverARestart() throws Exception {
    ModelVersion last;
    float[] learned;
    try (LearningService service = serve()) {
      Prediction first = service.predict(0);
      assertThat(first.response().getLogged()).isTrue();
      assertThat(first.response().getVersion().getDense()).isZero();
      service.click(0, 3, CLICKS);
      OnlineTrainer trainer = service.trainer();
      Served.await(
          "all is learned",
          () -> trainer.status().mark().examples() >= CLICKS * LearningService.EXAMPLES);
      trainer.pause();
      Served.await("paused", () -> trainer.status().phase() == OnlineTrainer.Phase.PAUSED);
      Prediction after = service.predict(0);
      last = after.response().getVersion();
      learned = after.probabilities();
      // By how much depends on where minibatches were cut; without learning it is nothing.
      assertThat(lead(after)).isGreaterThan(lead(first) + 0.02);
    }
    try (LearningService service = serve()) {
      Prediction again = service.predict(0);
      assertThat(again.response().getVersion().getDense()).isEqualTo(last.getDense());
      assertThat(again.probabilities()).containsExactly(learned);
    }
  }

  @Test
  void predict_withAuthenticatedIds_learnsFromThem() throws Exception {
    Path keys = Files.writeString(folder.resolve("keys"), "ab".repeat(32) + "\n");
    try (LearningService service =
        LearningService.start(bundles, 1, "wukong.feedback.key-file=" + keys)) {
      assertThat(service.predict(0).response().getPredictionId().size()).isEqualTo(32);
      service.click(0, 3, 2);
      service.awaitExamples(2 * LearningService.EXAMPLES);
    }
  }

  /** By how much candidate 3 is thought better of than the mean of all. */
  private static double lead(Prediction prediction) {
    double mean =
        IntStream.range(0, LearningService.CANDIDATES)
            .mapToDouble(i -> prediction.probability(i, 0))
            .average()
            .orElseThrow();
    return prediction.probability(3, 0) / mean;
  }
}
