package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.wukong.client.FeedbackClient;
import dev.wukong.client.Prediction;
import dev.wukong.client.RankingClient;
import dev.wukong.proto.v1.ModelVersion;
import dev.wukong.proto.v1.Refusal;
import dev.wukong.serving.testing.Served;
import dev.wukong.simulator.Request;
import dev.wukong.simulator.Simulator;
import dev.wukong.simulator.SimulatorConfig;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From a prediction over its label to another answer, through the whole service. */
class OnlineLearningTest {
  private static final Duration DEADLINE = Duration.ofMinutes(1);
  private static final Simulator SIMULATOR =
      new Simulator(SimulatorConfig.small(LearningModel.SEED));

  @TempDir Path folder;
  private Path bundles = Path.of("");

  @BeforeEach
  void train() throws Exception {
    bundles = LearningModel.train(folder);
  }

  private Served serve() throws Exception {
    return Served.serving(
        bundles,
        LearningModel.NAME,
        1,
        "wukong.online.model=" + LearningModel.NAME,
        "wukong.online.events-dir=" + folder.resolve("events"),
        "wukong.online.commit-every=20ms",
        "wukong.online.batch=32",
        "wukong.online.window=500ms",
        "wukong.online.grace=10ms",
        "wukong.online.given.conversion=click",
        "wukong.online.sights=1",
        "wukong.online.rate=1");
  }

  private static Prediction predict(RankingClient client, Request request) {
    return SimulatedCalls.predict(client, SIMULATOR, request);
  }

  @Test
  void predict_afterLabelsOfTheSame_learnsThemAndKeepsThemOverARestart() throws Exception {
    Request request = SIMULATOR.request(1_000_000);
    ModelVersion last;
    float[] learned;
    try (Served served = serve();
        RankingClient client = RankingClient.over(served.channel(), LearningModel.NAME, DEADLINE)) {
      Queue<Refusal> refusals = new ConcurrentLinkedQueue<>();
      Prediction first = predict(client, request);
      assertThat(first.response().getLogged()).isTrue();
      assertThat(first.response().getVersion().getDense()).isZero();
      try (FeedbackClient feedback = FeedbackClient.over(served.channel(), refusals::add)) {
        for (int turn = 0; turn < 100; turn++) {
          report(feedback, predict(client, request).response().getPredictionId(), 3);
        }
      }
      assertThat(refusals).isEmpty();
      OnlineTrainer trainer = served.bean(OnlineTrainer.class);
      // 1000 clicks or none; of 100 clicks, whether a conversion came.
      Served.await(
          "all is learned",
          () -> trainer.status().mark().examples() >= 1100 && waiting(served) == 0);
      trainer.pause();
      Served.await("paused", () -> trainer.status().phase() == OnlineTrainer.Phase.PAUSED);
      Prediction after = predict(client, request);
      last = after.response().getVersion();
      learned = after.probabilities();
      // By how much depends on where minibatches were cut; without learning it is nothing.
      assertThat(lead(after)).isGreaterThan(lead(first) + 0.02);
    }
    try (Served served = serve();
        RankingClient client = RankingClient.over(served.channel(), LearningModel.NAME, DEADLINE)) {
      Prediction again = predict(client, request);
      assertThat(again.response().getVersion().getDense()).isEqualTo(last.getDense());
      assertThat(again.probabilities()).containsExactly(learned);
    }
  }

  /** Candidates whose windows are open. */
  private static double waiting(Served served) {
    return served.bean(MeterRegistry.class).get("wukong.join.waiting").gauges().stream()
        .mapToDouble(Gauge::value)
        .sum();
  }

  /** By how much candidate 3 is thought better of than the mean of all. */
  private static double lead(Prediction prediction) {
    double mean =
        IntStream.range(0, 10)
            .mapToDouble(i -> prediction.probability(i, 0))
            .average()
            .orElseThrow();
    return prediction.probability(3, 0) / mean;
  }

  private static void report(FeedbackClient feedback, ByteString prediction, int clicked) {
    Instant now = Instant.now();
    long _ = feedback.exposed(prediction, IntStream.range(0, 10).toArray(), now);
    long last = feedback.labelled(prediction, clicked, "click", 1, now);
    feedback.awaitDurable(last, DEADLINE);
  }
}
