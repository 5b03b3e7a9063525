package dev.wukong.serving.predict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.BundleStore;
import dev.wukong.client.RankingClient;
import dev.wukong.data.DatasetWriter;
import dev.wukong.data.EncodedDataset;
import dev.wukong.data.Progress;
import dev.wukong.data.RowSource;
import dev.wukong.run.RunConfig;
import dev.wukong.run.Training;
import dev.wukong.runtime.Device;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.testing.Served;
import dev.wukong.simulator.Simulator;
import dev.wukong.simulator.SimulatorConfig;
import dev.wukong.training.BundleScorer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * A trained bundle of every ranker in one service, whose golden rows are checked as it loads: what
 * comes by gRPC is what the bundle itself computes.
 */
@TestInstance(Lifecycle.PER_CLASS)
class EveryRankerTest {
  private static final Duration DEADLINE = Duration.ofMinutes(2);
  private static final int ROWS = 100;

  static final List<String> MODELS =
      List.of(
          "afn; log_neurons: 6, afn: {hidden: [8]}, deep: {hidden: [8]}",
          "autoint; layers: 2, attention: 8, heads: 2, linear: true, deep: {hidden: [8]}",
          "dcnv2; layers: 2, rank: 2, experts: 2, deep: {hidden: [8], batch_norm: true}",
          "dlrm; top: {hidden: [8]}",
          "finalmlp; first: {hidden: [8]}, second: {hidden: [4], dropout: 0.2}, heads: 2,"
              + " selection: {mlp: {hidden: [4]}, first: [user], second: [item]}",
          "masknet; blocks: [8, 8], deep: {hidden: [8]}",
          "wukong; layers: 2, fm_mlp: {hidden: [8]}, head: {hidden: [8]}",
          "xdeepfm; cin: [4, 4], deep: {hidden: [8]}");

  private Path folder = Path.of("");
  private Served served;

  private static String type(String model) {
    return model.substring(0, model.indexOf(';'));
  }

  @BeforeAll
  void start(@TempDir Path root) throws Exception {
    folder = root;
    for (String model : MODELS) {
      train(type(model), model.substring(model.indexOf(';') + 1));
    }
    served = Served.start(folder.resolve("bundles"));
    ModelHost host = served.bean(ModelHost.class);
    Served.await(
        "all serve",
        () ->
            MODELS.stream()
                .allMatch(
                    m -> host.model(type(m)).map(one -> one.servingVersion() == 1).orElse(false)));
  }

  private void train(String type, String rest) throws IOException {
    Path file =
        Files.writeString(
            folder.resolve(type + ".yaml"),
            """
            name: %s
            data: {simulator: {seed: 4, train: 400, valid: 100}}
            model: {type: %s, embedding: {width: 4, deviation: 0.2}, %s}
            training: {batch: 50, threads: 1}
            """
                .formatted(type, type, rest));
    RunConfig config = RunConfig.read(file.toString());
    Training training =
        new Training(config, new Device.Cpu(), new PrintWriter(Writer.nullWriter()), false);
    assertThat(
            training.run(
                training.splits(folder), folder.resolve(type), folder.resolve("bundles"), "test"))
        .isPresent();
  }

  @AfterAll
  void stop() {
    served.close();
  }

  private static RowSource rows() {
    return new Simulator(SimulatorConfig.small(4)).rows(90, 90 + ROWS / 10);
  }

  @ParameterizedTest
  @FieldSource("MODELS")
  void predict_everyRanker_isWhatItsBundleComputes(String model) throws IOException {
    float[] expected = own(type(model));
    List<Float> got = new ArrayList<>();
    try (RankingClient client = RankingClient.over(served.channel(), type(model), DEADLINE);
        RowSource rows = rows()) {
      long scored =
          client.predictAll(
              rows,
              20,
              prediction -> {
                for (float probability : prediction.probabilities()) {
                  got.add(probability);
                }
              });
      assertThat(scored).isEqualTo(ROWS);
    }
    assertThat(got).hasSize(expected.length).doesNotContainSequence(got.get(0), got.get(0));
    for (int i = 0; i < expected.length; i++) {
      assertThat(got.get(i)).isCloseTo(expected[i], within(1e-6f));
    }
  }

  private float[] own(String model) throws IOException {
    Path newest = new BundleStore(folder.resolve("bundles")).newest(model).orElseThrow();
    try (Bundle bundle = Bundle.open(newest);
        BundleScorer scorer = new BundleScorer(bundle, new Device.Cpu(), 1)) {
      Path encoded = folder.resolve(model + ".rows");
      try (RowSource rows = rows()) {
        DatasetWriter.write(encoded, scorer.encoder(), rows, Progress.NONE);
      }
      try (EncodedDataset data = EncodedDataset.open(encoded, scorer.encoder())) {
        return scorer.score(data.range(0, ROWS, data.allocate(ROWS))).clone();
      }
    }
  }
}
