package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.client.FeedbackClient;
import dev.wukong.client.Prediction;
import dev.wukong.client.RankingClient;
import dev.wukong.data.Schema;
import dev.wukong.proto.v1.Refusal;
import dev.wukong.serving.testing.Served;
import dev.wukong.simulator.Request;
import dev.wukong.simulator.Simulator;
import dev.wukong.simulator.SimulatorConfig;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who reports what nobody has done is told from who reports what was. */
class LabelSourcesTest {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
  private static final Duration DEADLINE = Duration.ofMinutes(1);
  private static final int PREDICTIONS = 40;
  private static final String HONEST = "honest-0123456789abcdef";
  private static final String LIAR = "liar-0123456789abcdef";

  private static Channel with(String token, Served served) {
    Metadata headers = new Metadata();
    headers.put(AUTHORIZATION, "Bearer " + token);
    return ClientInterceptors.intercept(
        served.channel(), MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  private static void refused(Refusal refusal) {
    throw new IllegalStateException(refusal.toString());
  }

  private static double counted(Served served, String counter, String source) {
    return served
        .bean(MeterRegistry.class)
        .get(counter)
        .tags("model", LearningModel.NAME, "task", "click", "source", source)
        .counter()
        .count();
  }

  private static double meanProbability(Served served, String source) {
    return served
        .bean(MeterRegistry.class)
        .get("wukong.source.probability")
        .tags("task", "click", "source", source)
        .summary()
        .mean();
  }

  /** The candidate of which this is most, or least, probable. */
  private static int clicked(Prediction prediction, boolean most) {
    float[] p = prediction.probabilities();
    int tasks = p.length / LearningService.CANDIDATES;
    int best = 0;
    for (int i = 0; i < LearningService.CANDIDATES; i++) {
      boolean better = p[i * tasks] > p[best * tasks] == most && p[i * tasks] != p[best * tasks];
      best = better ? i : best;
    }
    return best;
  }

  @Test
  void sources_honestAndNot_areToldApartByTheirLabels(@TempDir Path folder) throws Exception {
    Path bundles = LearningModel.train(folder);
    Path tokens =
        Files.writeString(folder.resolve("tokens"), "web:%s\nbatch:%s\n".formatted(HONEST, LIAR));
    try (Served served =
            Served.serving(
                bundles,
                LearningModel.NAME,
                1,
                "wukong.online.model=" + LearningModel.NAME,
                "wukong.online.events-dir=" + folder.resolve("events"),
                "wukong.roles.predict.tokens-file=" + tokens,
                "wukong.roles.label.tokens-file=" + tokens);
        RankingClient client =
            RankingClient.over(with(HONEST, served), LearningModel.NAME, DEADLINE);
        FeedbackClient honest =
            FeedbackClient.over(with(HONEST, served), LabelSourcesTest::refused);
        FeedbackClient liar = FeedbackClient.over(with(LIAR, served), LabelSourcesTest::refused)) {
      Simulator simulator = new Simulator(SimulatorConfig.small(LearningModel.SEED));
      Schema schema = simulator.schema();
      double expected = 0;
      double likely = 0;
      for (int i = 0; i < PREDICTIONS; i++) {
        Request request = simulator.request(2_000_000 + i);
        Prediction prediction =
            client.predict(request.contextValues(schema), request.candidateValues(schema));
        var id = prediction.response().getPredictionId();
        boolean honestly = i % 2 == 0;
        FeedbackClient by = honestly ? honest : liar;
        Instant now = Instant.now();
        long _ = by.exposed(id, IntStream.range(0, LearningService.CANDIDATES).toArray(), now);
        long last = by.labelled(id, clicked(prediction, honestly), "click", 1, now);
        by.awaitDurable(last, DEADLINE);
        if (honestly) {
          int tasks = prediction.probabilities().length / LearningService.CANDIDATES;
          likely += (double) prediction.probabilities()[clicked(prediction, true) * tasks];
          for (int c = 0; c < LearningService.CANDIDATES; c++) {
            expected += (double) prediction.probabilities()[c * tasks];
          }
        }
      }
      Served.await("all of it is joined", () -> served.bean(OnlineTrainer.class).lag() == 0);

      assertThat(counted(served, "wukong.source.labels", "token:web")).isEqualTo(PREDICTIONS / 2.0);
      assertThat(counted(served, "wukong.source.labels", "token:batch"))
          .isEqualTo(PREDICTIONS / 2.0);
      assertThat(counted(served, "wukong.source.expected", "token:web"))
          .isCloseTo(expected, within(1e-4));
      assertThat(meanProbability(served, "token:web"))
          .isCloseTo(likely / (PREDICTIONS / 2.0), within(1e-4))
          .isGreaterThan(meanProbability(served, "token:batch"));
    }
  }
}
