package dev.wukong.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.data.CsvFile;
import dev.wukong.data.DataException;
import dev.wukong.data.DatasetWriter;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.EncodingCounts;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.FileFormat;
import dev.wukong.data.Progress;
import dev.wukong.data.RowEncoder;
import dev.wukong.data.RowSource;
import dev.wukong.data.Scope;
import dev.wukong.data.VocabularyBuilder;
import dev.wukong.metrics.Metrics;
import dev.wukong.metrics.MetricsCollector;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SimulatorTest {
  private static final Simulator SIMULATOR = new Simulator(SimulatorConfig.small(7));

  @Test
  void request_sameSeedAndIndex_isTheSame() {
    Simulator again = new Simulator(SimulatorConfig.small(7));
    assertThat(again.request(123_456)).isEqualTo(SIMULATOR.request(123_456));
    assertThat(new Simulator(SimulatorConfig.small(8)).request(5))
        .isNotEqualTo(SIMULATOR.request(5));
  }

  @Test
  void truth_manyRequests_hasTheRateAndEntropyAskedFor() {
    MetricsCollector clicks = new MetricsCollector();
    double best = SIMULATOR.bestNormalizedEntropy(0, 20_000);
    for (long i = 0; i < 20_000; i++) {
      for (Request.Candidate candidate : SIMULATOR.request(i).candidates()) {
        clicks.add(candidate.clickProbability(), candidate.clicked() ? 1 : 0);
      }
    }
    Metrics metrics = clicks.metrics();
    assertThat(metrics.meanProbability()).isCloseTo(0.15, within(0.015));
    assertThat(best).isCloseTo(0.8, within(0.02));
    // Labels are drawn from the truth: their own figures agree with it up to chance.
    assertThat(metrics.calibration()).isCloseTo(1, within(0.02));
    assertThat(metrics.normalizedEntropy()).isCloseTo(best, within(0.01));
  }

  @Test
  void conversions_ofClicks_haveTheRateAndTheMeanDelay() {
    double clicked = 0;
    double converted = 0;
    double seconds = 0;
    for (long i = 0; i < 20_000; i++) {
      for (Request.Candidate candidate : SIMULATOR.request(i).candidates()) {
        assertThat(candidate.converted() && !candidate.clicked()).isFalse();
        clicked += candidate.clicked() ? 1 : 0;
        converted += candidate.converted() ? 1 : 0;
        seconds += candidate.converted() ? candidate.conversionDelay().toSeconds() : 0;
      }
    }
    assertThat(converted / clicked).isCloseTo(0.12, within(0.04));
    assertThat(seconds / converted).isCloseTo(4 * 3600, within(1200.0));
  }

  /**
   * The best additive model gets far less than the truth: logistic regression over all ids, trained
   * until it stops gaining, even on the very probabilities.
   */
  @Test
  void truth_againstTheBestAdditiveFit_isClearlyBetter() {
    VocabularyBuilder builder = new VocabularyBuilder(SIMULATOR.schema());
    try (RowSource rows = SIMULATOR.rows(0, 10_000)) {
      builder.addAll(rows, Progress.NONE);
    }
    FeatureEncoder encoder = new FeatureEncoder(SIMULATOR.schema(), builder.build());
    AdditiveFit fit = new AdditiveFit(encoder, 100_000);
    double[] truth = new double[100_000];
    try (RowSource rows = SIMULATOR.rows(0, 10_000)) {
      RowEncoder encode = encoder.bind(rows);
      int column = rows.columns().indexOf("click_probability");
      EncodedRows context = encoder.allocate(Scope.CONTEXT, 1);
      EncodedRows candidate = encoder.allocate(Scope.CANDIDATE, 1);
      for (int i = 0; rows.next(); i++) {
        encode.encode(context, candidate, 0, new EncodingCounts());
        truth[i] = SIMULATOR.request(i / 10).candidates().get(i % 10).clickProbability();
        assertThat(rows.value(column)).isEqualTo(truth[i]);
        fit.add(i, context, candidate, truth[i]);
      }
    }
    double additive = fit.normalizedEntropy(15);
    double best = Metrics.bestNormalizedEntropy(truth);
    System.out.printf("normalized entropy: best additive %.4f, truth %.4f%n", additive, best);
    assertThat(additive - best).isGreaterThan(0.05);
  }

  /** What is written as CSV and read again encodes as the simulator's own rows do. */
  @Test
  void rows_throughACsvFile_encodeAlike(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("clicks.csv.gz");
    try (RowSource rows = SIMULATOR.rows(5, 205)) {
      assertThat(CsvFile.write(file, rows, Progress.NONE)).isEqualTo(2000);
    }
    VocabularyBuilder builder = new VocabularyBuilder(SIMULATOR.schema());
    try (RowSource rows = SIMULATOR.rows(0, 100)) {
      builder.addAll(rows, Progress.NONE);
    }
    FeatureEncoder encoder = new FeatureEncoder(SIMULATOR.schema(), builder.build());
    try (RowSource direct = SIMULATOR.rows(5, 205);
        RowSource read = FileFormat.named("csv").open(file)) {
      DatasetWriter.write(folder.resolve("direct"), encoder, direct, Progress.NONE);
      DatasetWriter.write(folder.resolve("read"), encoder, read, Progress.NONE);
    }
    assertThat(Files.mismatch(folder.resolve("direct"), folder.resolve("read"))).isEqualTo(-1);
  }

  @Test
  void drift_later_changesTheProbabilities() {
    Simulator drifting = new Simulator(SimulatorConfig.small(7).withDrift(1));
    assertThat(drifting.request(0)).isEqualTo(SIMULATOR.request(0));
    double moved = 0;
    for (long i = 1_000_000; i < 1_000_100; i++) {
      moved +=
          Math.abs(
              drifting.request(i).candidates().getFirst().clickProbability()
                  - SIMULATOR.request(i).candidates().getFirst().clickProbability());
    }
    assertThat(moved / 100).isGreaterThan(0.01);
  }

  @Test
  void config_impossibleValue_isRefusedByName() {
    assertThatThrownBy(() -> SimulatorConfig.small(1).withDrift(-1))
        .isInstanceOf(DataException.class)
        .hasMessage("simulator: drift_per_million is -1.0; 0.0 to 1000000.0 is allowed");
  }
}
