package dev.wukong.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.DatasetWriter;
import dev.wukong.data.EncodedDataset;
import dev.wukong.data.FileFormat;
import dev.wukong.data.Progress;
import dev.wukong.data.RowSource;
import dev.wukong.metrics.Metrics;
import dev.wukong.runtime.Device;
import dev.wukong.simulator.Simulator;
import dev.wukong.simulator.SimulatorConfig;
import dev.wukong.training.BundleScorer;
import dev.wukong.training.Evaluator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Figures of the test split against plain computations over the raw rows. */
class TestFiguresTest {
  /** The bundle's graph sums in the same order as the session; what is left is printing. */
  private static final double CLOSE = 1e-6;

  @TempDir Path folder;

  /** A labelled test row as the file says it, with the exported bundle's probability. */
  private record Row(Map<String, String> values, double probability, double label) {}

  /** Click probabilities of {@code source}'s rows by the exported bundle, in order. */
  private double[] scores(Path bundle, RowSource source) throws IOException {
    Path encoded = folder.resolve("scores.encoded");
    List<Double> result = new ArrayList<>();
    try (Bundle open = Bundle.open(bundle);
        BundleScorer scorer = new BundleScorer(open, new Device.Cpu(), 1)) {
      DatasetWriter.write(encoded, scorer.encoder(), source, Progress.NONE);
      try (EncodedDataset data = EncodedDataset.open(encoded, scorer.encoder())) {
        int tasks = data.encoder().schema().tasks().size();
        Evaluator.score(
            scorer::score,
            data,
            64,
            Progress.NONE,
            (examples, probabilities) -> {
              for (int i = 0; i < examples.rows(); i++) {
                result.add((double) probabilities[i * tasks]);
              }
            });
      }
    }
    return result.stream().mapToDouble(Double::doubleValue).toArray();
  }

  private static List<Map<String, String>> csv(Path file) throws IOException {
    List<String> lines = Files.readAllLines(file);
    String[] names = lines.getFirst().split(",", -1);
    List<Map<String, String>> rows = new ArrayList<>();
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(",", -1);
      Map<String, String> row = new HashMap<>();
      IntStream.range(0, names.length).forEach(i -> row.put(names[i], cells[i]));
      rows.add(row);
    }
    return rows;
  }

  private static String cell(Map<String, String> row, String name) {
    return String.valueOf(row.get(name));
  }

  /** By all pairs: slow and plain. */
  private static double auc(List<Row> rows) {
    double right = 0;
    double pairs = 0;
    for (Row positive : rows) {
      for (Row negative : rows) {
        if (positive.label() == 1 && negative.label() == 0) {
          pairs++;
          int order = Double.compare(positive.probability(), negative.probability());
          right += order > 0 ? 1 : order == 0 ? 0.5 : 0;
        }
      }
    }
    return right / pairs;
  }

  @Test
  void slices_everyFeature_areThoseOfTheRawRows() throws Exception {
    StudyFiles files = new StudyFiles(folder);
    Outcome outcome = files.run(StudyFiles.EVERY, "out").getFirst();
    List<Map<String, String>> test = csv(folder.resolve("test.csv"));
    List<Map<String, String>> train = csv(folder.resolve("rows.csv"));
    double[] scores;
    try (RowSource source =
        FileFormat.guess(folder.resolve("test.csv")).open(folder.resolve("test.csv"))) {
      scores = scores(folder.resolve("out").resolve(outcome.bundle()), source);
    }
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < test.size(); i++) {
      rows.add(new Row(test.get(i), scores[i], Double.parseDouble(cell(test.get(i), "click"))));
    }
    check(outcome, "age", rows, row -> age(cell(row.values(), "age")));
    check(outcome, "user", rows, row -> frequency(cell(row.values(), "user"), "user", train));
    check(
        outcome,
        "country",
        rows,
        row -> frequency(cell(row.values(), "country"), "country", train));
    check(outcome, "item", rows, row -> item(cell(row.values(), "item"), train));
    assertThat(outcome.detail().slices().stream().map(Slice::feature).distinct())
        .containsExactlyInAnyOrder("user", "country", "age", "item", "shop", "brand");
  }

  private static String age(String value) {
    if (value.isEmpty()) {
      return "(missing)";
    }
    double age = Double.parseDouble(value);
    if (age < 18) {
      return "below 18.0";
    }
    if (age < 25) {
      return "from 18.0 below 25.0";
    }
    return age < 50 ? "from 25.0 below 50.0" : "from 50.0";
  }

  private static String frequency(String value, String column, List<Map<String, String>> train) {
    if (value.isEmpty()) {
      return "(missing)";
    }
    long count = train.stream().filter(row -> value.equals(row.get(column))).count();
    if (count == 0) {
      return "0";
    }
    return count < 10 ? "1-9" : "10-99";
  }

  /** An item that stands but once among items and histories has no id of its own. */
  private static String item(String value, List<Map<String, String>> train) {
    long all = 0;
    for (Map<String, String> row : train) {
      List<String> items = new ArrayList<>(List.of(cell(row, "history").split("\\|", -1)));
      // Of more values the last four are kept.
      items = new ArrayList<>(items.subList(Math.max(0, items.size() - 4), items.size()));
      items.add(cell(row, "item"));
      all += items.stream().filter(value::equals).count();
    }
    String own = frequency(value, "item", train);
    return !value.isEmpty() && (all < 2 || own.equals("0")) ? "(unseen)" : own;
  }

  private static void check(
      Outcome outcome, String feature, List<Row> rows, Function<Row, String> slice) {
    Map<String, List<Row>> expected = new TreeMap<>();
    rows.forEach(
        row -> expected.computeIfAbsent(slice.apply(row), _ -> new ArrayList<>()).add(row));
    assertThat(expected).as(feature).hasSizeGreaterThan(1);
    List<Slice> found =
        outcome.detail().slices().stream().filter(s -> s.feature().equals(feature)).toList();
    assertThat(found.stream().map(Slice::slice))
        .containsExactlyInAnyOrderElementsOf(expected.keySet());
    for (Slice of : found) {
      List<Row> own = expected.getOrDefault(of.slice(), List.of());
      Metrics metrics = of.metrics();
      double loss = 0;
      double positive = 0;
      double predicted = 0;
      for (Row row : own) {
        loss -= Math.log(row.label() == 1 ? row.probability() : 1 - row.probability());
        positive += row.label();
        predicted += row.probability();
      }
      assertThat(metrics.examples()).as(feature + " " + of.slice()).isEqualTo(own.size());
      assertThat(metrics.baseRate()).isCloseTo(positive / own.size(), within(CLOSE));
      assertThat(metrics.logLoss()).isCloseTo(loss / own.size(), within(CLOSE));
      if (positive > 0 && positive < own.size()) {
        assertThat(metrics.auc()).isCloseTo(auc(own), within(CLOSE));
        assertThat(metrics.calibration()).isCloseTo(predicted / positive, within(1e-5));
      }
    }
  }

  @Test
  void excessEntropy_simulated_isTheMeanDivergenceFromTheTruth() throws Exception {
    StudyFiles files = new StudyFiles(folder);
    String study = "name: s\nkind: sweep\nconfig: simulated.yaml\nruns: [{name: only}]\n";
    Outcome outcome = files.run(study, "out").getFirst();
    Simulator simulator = new Simulator(SimulatorConfig.small(3));
    double[] scores;
    try (RowSource source = simulator.rows(260, 381)) {
      scores = scores(folder.resolve("out").resolve(outcome.bundle()), source);
    }
    double[] sums = new double[200];
    double[] losses = new double[200];
    double excess = 0;
    try (RowSource source = simulator.rows(260, 381)) {
      int truth = source.columns().indexOf("click_probability");
      int click = source.columns().indexOf("click");
      for (int row = 0; source.next(); row++) {
        double p = Double.parseDouble(String.valueOf(source.value(truth)));
        double q = scores[row];
        // Cross-entropy minus entropy: another way to the same divergence.
        double divergence =
            -p * Math.log(q)
                - (1 - p) * Math.log(1 - q)
                + p * Math.log(p)
                + (1 - p) * Math.log(1 - p);
        excess += divergence / 1210;
        sums[row * 200 / 1210] += divergence;
        losses[row * 200 / 1210] -= Math.log(Boolean.TRUE.equals(source.value(click)) ? q : 1 - q);
      }
    }
    assertThat(scores).hasSize(1210);
    // Two ways to one AUC.
    assertThat(Arrays.stream(outcome.detail().blocks().placements().sums()).sum() / 2)
        .isCloseTo(outcome.of("test").auc(), within(1e-9));
    assertThat(outcome.detail().excessEntropy()).isCloseTo(excess, within(CLOSE));
    Blocks blocks = outcome.detail().blocks();
    assertThat(blocks.excess()).containsExactly(sums, within(1e-5));
    assertThat(blocks.logLoss()).containsExactly(losses, within(1e-5));
    assertThat(outcome.test())
        .hasEntrySatisfying(
            "conversion",
            conversion -> {
              assertThat(conversion.excessEntropy()).isNaN();
              assertThat(conversion.blocks().excess()).isEmpty();
            });
  }

  @Test
  void calibration_bins_areEqualSharesOfTheSortedExamples() {
    SplittableRandom random = new SplittableRandom(4);
    Scored scored = new Scored();
    List<float[]> plain = new ArrayList<>();
    for (int row = 0; row < 1003; row++) {
      // A coarse grid, so that there are ties.
      float probability = random.nextInt(100) / 100f;
      float label = random.nextDouble() < probability ? 1 : 0;
      float weight = random.nextInt(3);
      scored.add(row, probability, label, weight);
      if (weight > 0) {
        plain.add(new float[] {probability, label, weight});
      }
    }
    plain.sort(Comparator.comparingDouble(example -> example[0]));
    List<CalibrationBin> bins = CalibrationBin.of(scored);
    assertThat(bins).hasSize(20);
    int from = 0;
    for (CalibrationBin bin : bins) {
      double weight = 0;
      double predicted = 0;
      double positive = 0;
      for (float[] example : plain.subList(from, from + (int) bin.count())) {
        weight += example[2];
        predicted += example[0] * example[2];
        positive += example[1] * example[2];
      }
      assertThat(bin.meanProbability()).isCloseTo(predicted / weight, within(CLOSE));
      assertThat(bin.meanLabel()).isCloseTo(positive / weight, within(CLOSE));
      assertThat(bin.count()).isBetween(plain.size() / 20L, plain.size() / 20L + 1);
      from += (int) bin.count();
    }
    assertThat(from).isEqualTo(plain.size());
  }

  @Test
  void divergence_ends_areFiniteAndRight() {
    assertThat(Blocks.divergence(0, 0.25)).isCloseTo(-Math.log(0.75), within(1e-12));
    assertThat(Blocks.divergence(1, 0.25)).isCloseTo(-Math.log(0.25), within(1e-12));
    assertThat(Blocks.divergence(0.3, 0.3)).isCloseTo(0, within(1e-12));
    assertThat(Blocks.divergence(0.5, 0)).isFinite().isPositive();
  }
}
