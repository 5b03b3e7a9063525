package dev.wukong.study;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.metrics.Metrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** The outcomes in {@code measured} are of the studies that ship, and the README shows them. */
class MeasuredTest {
  private static final Path MEASURED = Path.of("measured");
  private static final Path README = Path.of("..", "README.md");
  private static final int SIZES = 4;

  /** As many seeds as any study was made with. */
  private static final int SEEDS = 5;

  static List<String> studies() throws IOException {
    try (Stream<Path> folders = Files.list(MEASURED)) {
      return folders
          .filter(Files::isDirectory)
          .map(folder -> folder.getFileName().toString())
          .sorted()
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("studies")
  void outcomes_areOfTheStudyThatShips(String study) throws IOException {
    List<PlannedRun> planned = Plan.of(Study.read(study), SEEDS, List.of(), OptionalInt.empty(), 1);
    List<Outcome> outcomes = outcomes(study);
    assertThat(outcomes).isNotEmpty();
    for (Outcome outcome : outcomes) {
      Result.Identity measured = outcome.identity();
      PlannedRun run =
          planned.stream()
              .filter(p -> p.label().equals(measured.label()))
              .findFirst()
              .orElseThrow(() -> new AssertionError("no run " + measured.label()));
      Result.Identity now = run.identity(study, measured.data());
      assertThat(now.differences(measured)).as(measured.label()).isEmpty();
      assertThat(measured.study()).isEqualTo(study);
      assertThat(measured.series()).isEqualTo(run.spec().series());
    }
  }

  @Test
  void readme_showsTheScalingOutcomes() throws IOException {
    Map<String, Outcome> byRun = new LinkedHashMap<>();
    for (Outcome outcome : outcomes("scaling")) {
      byRun.put(outcome.identity().run(), outcome);
    }
    int rows = 0;
    String readme = Files.readString(README);
    for (RunSpec first : Study.read("scaling").runs()) {
      String series = first.series();
      if (!first.name().equals(series + "-1")) {
        continue;
      }
      StringBuilder row = new StringBuilder("| `" + series + "` |");
      for (int size = 1; size <= SIZES; size++) {
        row.append(cell(Objects.requireNonNull(byRun.get(series + "-" + size), series)));
      }
      assertThat(readme).contains(row + "\n");
      rows++;
    }
    assertThat(rows).isEqualTo(8);
  }

  /** The picture says under the pointer what the table says. */
  @Test
  void picture_showsTheScalingOutcomes() throws IOException {
    String picture = Files.readString(MEASURED.resolve("scaling.svg"));
    int shown = 0;
    for (RunSpec run : Study.read("scaling").runs()) {
      String size = run.name().replace(run.series() + "-", "");
      if (size.matches("[1-4]")) {
        Outcome outcome = outcome("scaling", run.name());
        assertThat(picture)
            .contains(
                String.format(
                    Locale.ROOT,
                    ", size %s: %.4f with %.3f MFLOP<",
                    size,
                    outcome.detail().excessEntropy(),
                    megaflops(outcome)));
        shown++;
      }
    }
    assertThat(shown).isEqualTo(8 * SIZES);
  }

  @ParameterizedTest
  @CsvSource({
    "embeddings, embeddings of a feature (`embedding.counts`)",
    "rank, `rank`",
    "linear, `linear_embeddings`",
    "fm, `fm_embeddings`",
    "mlp, both MLPs",
    "layers, `layers`",
    "all, all of these but embeddings of a feature"
  })
  void readme_showsEachDimensionDoubled(String run, String words) throws IOException {
    Outcome outcome = outcome("scaling", "wukong-3-" + run);
    assertThat(Files.readString(README))
        .contains(
            String.format(
                Locale.ROOT,
                "%n| %s | %.4f | %.3f |%n",
                words,
                outcome.detail().excessEntropy(),
                megaflops(outcome)));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void readme_showsWukongByData(int size) throws IOException {
    StringBuilder row = new StringBuilder("| `wukong`, size " + size + " |");
    for (String data : List.of("-1m", "-3m", "")) {
      Outcome outcome = outcome("scaling", "wukong-" + size + data);
      row.append(String.format(Locale.ROOT, " %.4f |", outcome.detail().excessEntropy()));
    }
    assertThat(Files.readString(README)).contains("\n" + row + "\n");
  }

  @Test
  void trials_areOfTheStudyThatShips() throws IOException {
    Map<String, String> settings =
        Map.of(
            "width", "/model/embedding/width",
            "fm_mlp_dropout", "/model/fm_mlp/dropout",
            "head", "/model/head/hidden",
            "head_dropout", "/model/head/dropout",
            "l2", "/training/rows/l2",
            "factor", "/training/plateau/factor",
            "restore", "/training/plateau/restore");
    Map<String, JsonNode> planned = new LinkedHashMap<>();
    for (PlannedRun run :
        Plan.of(Study.read("trials-frappe"), 1, List.of(), OptionalInt.empty(), 1)) {
      planned.put(run.spec().name(), run.tree().tree());
    }
    Set<String> made = new HashSet<>();
    for (String line : Files.readAllLines(MEASURED.resolve("frappe-trials.jsonl"))) {
      JsonNode trial = StudyJson.LINE.readTree(line);
      String name = trial.path("trial").asString();
      made.add(name);
      JsonNode tree = Objects.requireNonNull(planned.get(name), name);
      settings.forEach(
          (key, place) -> {
            JsonNode value = trial.path(key);
            // FinalMLP has no part of that name.
            if (!value.isMissingNode()) {
              assertThat(value).as(name + " " + key).isEqualTo(tree.at(place));
            }
          });
    }
    assertThat(made).isEqualTo(planned.keySet());
  }

  @Test
  void readme_showsTheAblation() throws IOException {
    String readme = Files.readString(README);
    for (RunSpec run : Study.read("ablation").runs()) {
      Metrics test = outcome("ablation", run.name()).of("test");
      String paper = run.published().stream().map(p -> " " + p.note()).collect(joining());
      assertThat(readme)
          .contains(
              String.format(
                  Locale.ROOT,
                  "%n| `%s` | %.6f | %.4f |%s |%n",
                  run.name(),
                  test.auc(),
                  test.logLoss(),
                  paper));
    }
  }

  @ParameterizedTest
  @CsvSource({"frappe-width, 7", "scaling-frappe, 25"})
  void readme_showsWidthAndScalingOnFrappe(String study, int runs) throws IOException {
    String readme = Files.readString(README);
    List<Outcome> outcomes = outcomes(study);
    assertThat(outcomes).hasSize(runs);
    for (Outcome outcome : outcomes) {
      Metrics test = outcome.of("test");
      assertThat(readme)
          .contains(
              String.format(
                  Locale.ROOT,
                  "%n| `%s` | %.6f | %.4f | %,d | %.2f |%n",
                  outcome.identity().run(),
                  test.auc(),
                  test.logLoss(),
                  outcome.size().parameters(),
                  megaflops(outcome)));
    }
  }

  @Test
  void readme_showsTheEightModelsOnMovieLens() throws IOException {
    String readme = Files.readString(README);
    List<Outcome> outcomes = outcomes("ml100k");
    assertThat(outcomes).hasSize(8);
    for (Outcome outcome : outcomes) {
      Metrics test = outcome.of("test");
      assertThat(readme)
          .contains(
              String.format(
                  Locale.ROOT,
                  "%n| `%s` | %.6f | %.4f | %,d | %.2f | %,.0f |%n",
                  outcome.identity().run(),
                  test.auc(),
                  test.logLoss(),
                  outcome.size().parameters(),
                  megaflops(outcome),
                  outcome.effort().seconds() * outcome.effort().threads()));
    }
  }

  @Test
  void readme_showsTheEightModelsOnFrappe() throws IOException {
    String readme = Files.readString(README);
    List<RunSpec> runs = Study.read("frappe").runs();
    for (RunSpec run : runs) {
      Outcome outcome = outcome("frappe", run.name());
      Published published = run.published().getFirst();
      assertThat(readme)
          .contains(
              String.format(
                  Locale.ROOT,
                  "%n| `%s` | %.6f | %.4f | %.6f | %.4f | %,d | %.2f | %,.0f |%n",
                  run.name(),
                  outcome.of("test").auc(),
                  outcome.of("test").logLoss(),
                  published.auc(),
                  published.logLoss(),
                  outcome.size().parameters(),
                  megaflops(outcome),
                  outcome.effort().seconds() * outcome.effort().threads()));
    }
    assertThat(runs).hasSize(8);
  }

  private static double megaflops(Outcome outcome) {
    return outcome.size().trainingFlops() / 1e6;
  }

  private static Outcome outcome(String study, String run) throws IOException {
    try (Stream<Path> folders = Files.list(MEASURED.resolve(study).resolve("runs"))) {
      Path folder =
          folders
              .filter(f -> f.getFileName().toString().matches(run + "-s[0-9]+"))
              .min(Comparator.naturalOrder())
              .orElseThrow(() -> new AssertionError("no outcome of " + run));
      return outcome(folder);
    }
  }

  private static Outcome outcome(Path folder) throws IOException {
    return (Outcome) new RunFolder(folder).result().orElseThrow();
  }

  private static String cell(Outcome outcome) {
    return String.format(
        Locale.ROOT,
        " %.4f (%.3f; %.2f) |",
        outcome.detail().excessEntropy(),
        megaflops(outcome),
        (double) outcome.size().parameters() / 1e6);
  }

  private static List<Outcome> outcomes(String study) throws IOException {
    List<Outcome> result = new ArrayList<>();
    try (Stream<Path> folders = Files.list(MEASURED.resolve(study).resolve("runs"))) {
      for (Path folder : folders.sorted().toList()) {
        result.add(outcome(folder));
      }
    }
    return result;
  }
}
