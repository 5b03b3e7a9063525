package dev.wukong.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.config.ConfigException;
import dev.wukong.ranker.WukongConfig;
import dev.wukong.runtime.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

class StudyTest {
  private static final String SEARCH =
      """
      name: s
      kind: search
      config: simulated.yaml
      trials: 5
      space:
        model.rank: [1, 2, 3]
        model.fm: [low_rank, plain]
        model.layers: {from: 1, to: 3}
        training.dense.learning_rate: {from: 0.0001, to: 0.01, log: true}
      """;

  @TempDir Path folder;
  private StudyFiles files;

  @BeforeEach
  void files() throws IOException {
    files = new StudyFiles(folder);
  }

  @Test
  void shipped_namesEveryFile() throws IOException {
    try (Stream<Path> shipped = Files.list(Path.of("src", "main", "resources", "studies"))) {
      assertThat(shipped.map(file -> file.getFileName().toString().replace(".yaml", "")))
          .containsExactlyInAnyOrderElementsOf(Study.SHIPPED);
    }
  }

  @ParameterizedTest
  @FieldSource("dev.wukong.study.Study#SHIPPED")
  void read_shipped_isWhole(String name) {
    Study study = Study.read(name);
    assertThat(study.name()).isEqualTo(name);
    assertThat(study.runs().size() + study.trials()).isGreaterThanOrEqualTo(6);
  }

  @ParameterizedTest
  @FieldSource("dev.wukong.study.Study#SHIPPED")
  void plan_shipped_readsEveryConfigurationAndTrainsOnACpu(String name) {
    Study study = Study.read(name);
    List<PlannedRun> plan = Plan.of(study, 1, List.of(), OptionalInt.empty(), 1);
    assertThat(plan).hasSize(study.runs().size() + study.trials());
    plan.forEach(planned -> planned.check(new Device.Cpu()));
  }

  @Test
  void check_batchBeyondATensor_namesRunKeyAndMost() throws IOException {
    Study study =
        files.study(
            StudyFiles.EVERY.replace(
                "training.batch: 50", "training.batch: 1000000, model.embedding.width: 4000"));
    PlannedRun run = Plan.of(study, 1, List.of(), OptionalInt.empty(), 1).getFirst();
    assertThatThrownBy(() -> run.check(new Device.Cpu()))
        .isInstanceOf(ConfigException.class)
        .hasMessageStartingWith("run 'one': training.batch is 1,000,000, but an example has")
        .hasMessageContaining("want at most ");
  }

  @Test
  void check_severalStepsByTheHost_areRefused() throws IOException {
    Study study =
        files.study(StudyFiles.EVERY.replace("training.batch: 50", "training.steps_per_run: 8"));
    PlannedRun run = Plan.of(study, 1, List.of(), OptionalInt.empty(), 1).getFirst();
    assertThatThrownBy(() -> run.check(new Device.Cpu()))
        .isInstanceOf(ConfigException.class)
        .hasMessageStartingWith("run 'one': training.steps_per_run is 8, want 1 where");
  }

  @Test
  void plan_searchOverWhatChooses_isRefused() throws IOException {
    Study study =
        files.study(
            SEARCH.replace("model.rank: [1, 2, 3]", "training.plateau.watch: [click, conversion]"));
    assertThatThrownBy(() -> Plan.of(study, 1, List.of(), OptionalInt.empty(), 1))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("training.plateau.watch is 'c")
        .hasMessageContaining("a search chooses by one figure");
  }

  @Test
  void plan_nullInSet_takesTheKeyOut() throws IOException {
    Study study =
        files.study(
            """
            name: s
            kind: sweep
            config: frappe-finalmlp
            runs: [{name: whole}, {name: ungated, set: {model.selection: null}}]
            """);
    List<PlannedRun> plan = Plan.of(study, 1, List.of(), OptionalInt.empty(), 1);
    assertThat(plan.getFirst().config().model().toJson().has("selection")).isTrue();
    assertThat(plan.getLast().config().model().toJson().has("selection")).isFalse();
  }

  /** Of forty runs it matters which. */
  @Test
  void plan_mistakes_nameTheirRun() throws IOException {
    Study key = files.study(StudyFiles.EVERY.replace("model.layers: 1", "model.layers.x: 1"));
    assertThatThrownBy(() -> Plan.of(key, 1, List.of(), OptionalInt.empty(), 1))
        .isInstanceOf(ConfigException.class)
        .hasMessageStartingWith("run 'two': ")
        .hasMessageContaining("'model.layers.x' cannot be set");
    Study seed =
        files.study(StudyFiles.EVERY.replace("epochs: 3", "epochs: 3, training.seed: 2147483647"));
    assertThat(Plan.of(seed, 1, List.of(), OptionalInt.empty(), 1)).hasSize(2);
    assertThatThrownBy(() -> Plan.of(seed, 2, List.of(), OptionalInt.empty(), 1))
        .hasMessage(
            "run 'one': training.seed is 2147483647, want 2147483646 or less with --seeds 2 or"
                + " more");
  }

  @Test
  void read_frappe_hasThePublishedFigures() {
    RunSpec dcnv2 =
        Study.read("frappe").runs().stream()
            .filter(r -> r.name().equals("dcnv2"))
            .findFirst()
            .orElseThrow();
    Published bars = dcnv2.published().getFirst();
    assertThat(bars.auc()).isEqualTo(0.983824);
    assertThat(bars.logLoss()).isEqualTo(0.152036);
    assertThat(bars.parameters()).isEqualTo(458391);
    assertThat(Study.read("frappe").runs()).hasSize(8);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "name: one; name: One!; runs[0].name is 'One!', want 1 to 64 of a-z",
        "name: two; name: one; runs has 'one' twice",
        "auc: 0.75; auc: 75; runs[0].published[0].auc is 75, want a number from 0.0 to 1.0",
        "source: others; sorce: others; runs[0].published[0].source is missing",
        "kind: reproduce; kind: copy; kind is 'copy', want one of reproduce, ablate, sweep, search",
        "kind: reproduce; kind: search; space is missing, want one in a study of kind 'search'",
        "title: Two; 'trials: 3\ntitle: Two'; trials is of no use to a study of kind 'reproduce'",
        "title: Two; 'seed: 3\n"
            + "title: Two'; seed is of no use to a study of kind 'reproduce', want none (a"
            + " training's is training.seed",
        "model.layers: 1,; model: {type: dlrm},; sets 'model' and 'model.embedding.deviation'",
        "training.epochs: 3; training: {epochs: 3}; sets 'training' and 'training.batch'",
        "title: Two; titel: Two; titel is not known, want one of",
        "name: one; 'name: one\n"
            + "    foo: 1'; runs[0].foo is not known, want one of name, config, series, set,"
            + " published",
        "config: every.yaml; # none; run 'one' has no config, and the study has none either",
        "training.batch: 50; training.threads: 5; set.training.threads cannot be set",
        "training.batch: 50; name: x; set.name cannot be set: the study itself decides it"
      })
  void read_mistake_isNamed(String right, String wrong, String message) {
    assertThatThrownBy(() -> files.study(StudyFiles.EVERY.replace(right, wrong)))
        .isInstanceOf(ConfigException.class)
        .hasMessageStartingWith("study.yaml:")
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "[1, 2, 3]; 4; space.model.rank is 4, want a list of choices or {from:",
        "[1, 2, 3]; []; space.model.rank is [], want a list of choices",
        "model.rank:; name:; space.name cannot be set: the study itself decides it",
        "model.rank:; 'training.seed, training.threads:'; space.training.threads cannot be set",
        "model.rank:; 'model.layers, model.rank:'; space has 'model.layers' twice, want each key",
        "from: 0.0001; from: 0; learning_rate.from is 0.0, want more than 0 with log: true",
        "from: 1, to: 3; from: 3, to: 3; space.model.layers goes from 3.0 to 3.0, want from < to",
        "model.rank:; model:; sets 'model' and 'model.fm', of which one holds the other",
        "from: 1, to: 3; from: 1; space.model.layers.to is missing, want {from: 0.001, to: 0.1",
        "trials: 5; trials: 0; trials is 0, want a whole number from 1"
      })
  void read_badSpace_isNamed(String right, String wrong, String message) {
    assertThatThrownBy(() -> files.study(SEARCH.replace(right, wrong)))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(message);
  }

  @Test
  void read_unknownStudy_namesThoseThatShip() {
    assertThatThrownBy(() -> Study.read("nothing"))
        .hasMessage(
            "there is no study file 'nothing' and none of that name ships with the program (frappe,"
                + " frappe-width, ml100k, ablation, scaling, scaling-rates, scaling-frappe,"
                + " search-frappe, trials-frappe, paper-afn, paper-autoint, paper-dcnv2,"
                + " paper-dlrm, paper-finalmlp, paper-masknet-parallel, paper-masknet-serial,"
                + " paper-wukong, paper-xdeepfm)");
  }

  @Test
  void plan_seeds_countUpFromTheConfigurations() throws IOException {
    List<PlannedRun> plan =
        Plan.of(files.study(StudyFiles.EVERY), 2, List.of(), OptionalInt.of(9), 3);
    assertThat(plan.stream().map(PlannedRun::label))
        .containsExactly("one-s1", "two-s1", "one-s2", "two-s2");
    assertThat(plan.stream().map(PlannedRun::first)).containsExactly(true, true, false, false);
    PlannedRun last = plan.getLast();
    assertThat(last.config().name()).isEqualTo("two");
    assertThat(last.config().training().seed()).isEqualTo(2);
    assertThat(last.config().training().threads()).isEqualTo(3);
    assertThat(last.config().training().epochs()).isEqualTo(9);
    assertThat(last.config().training().batch()).isEqualTo(50);
  }

  @Test
  void plan_unknownOnlyAndUnknownKey_areNamed() throws IOException {
    Study study = files.study(StudyFiles.EVERY);
    assertThatThrownBy(() -> Plan.of(study, 1, List.of("three"), OptionalInt.empty(), 1))
        .hasMessage("--only names 'three', want some of one, two");
    Study wrong = files.study(StudyFiles.EVERY.replace("model.layers", "model.layer"));
    assertThatThrownBy(() -> Plan.of(wrong, 1, List.of(), OptionalInt.empty(), 1))
        .hasMessageStartingWith("run 'two': every.yaml: model.layer is not known");
    Study untested = files.study(StudyFiles.EVERY.replace("data.test: test.csv, ", ""));
    assertThatThrownBy(() -> Plan.of(untested, 1, List.of(), OptionalInt.empty(), 1))
        .hasMessageContaining("data has no valid or no test split, a study wants both");
  }

  @Test
  void trials_sameSeed_areTheSame_andMoreKeepTheFirst() throws IOException {
    List<RunSpec> five = Plan.trials(files.study(SEARCH));
    List<RunSpec> nine = Plan.trials(files.study(SEARCH.replace("trials: 5", "trials: 9")));
    List<RunSpec> other =
        Plan.trials(files.study(SEARCH.replace("trials: 5", "trials: 5\nseed: 2")));
    assertThat(nine.subList(0, 5)).isEqualTo(five);
    List<RunSpec> many = Plan.trials(files.study(SEARCH.replace("trials: 5", "trials: 120")));
    assertThat(many.subList(0, 5)).isEqualTo(five);
    assertThat(other).isNotEqualTo(five);
    assertThat(five.stream().map(RunSpec::set).distinct()).hasSize(5);
  }

  @Test
  void trials_ofASmallSpace_areAllItsPoints_andOneMoreIsRefused() throws IOException {
    String small = SEARCH.substring(0, SEARCH.indexOf("space:"));
    String space = "space: {model.layers: [1, 2, 3], model.rank: [2, 4]}\n";
    List<RunSpec> six = Plan.trials(files.study(small.replace("trials: 5", "trials: 6") + space));
    assertThat(six.stream().map(RunSpec::set).distinct()).hasSize(6);
    assertThatThrownBy(
            () -> Plan.trials(files.study(small.replace("trials: 5", "trials: 7") + space)))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            "trials is 7, but the space gives no more than 6 different ones; want a larger space"
                + " or fewer trials");
  }

  @Test
  void trials_keysWithACommaBetween_getTheSameValue() throws IOException {
    String tied = SEARCH.replace("model.rank:", "model.fm_embeddings, model.linear_embeddings:");
    for (PlannedRun run : Plan.of(files.study(tied), 1, List.of(), OptionalInt.empty(), 1)) {
      WukongConfig wukong = (WukongConfig) run.config().model();
      assertThat(wukong.fmEmbeddings()).isEqualTo(wukong.linearEmbeddings()).isLessThan(4);
    }
  }

  /** A thousand draws reach every choice and both ends of a range, and nothing beyond. */
  @Test
  void trials_values_fillTheSpace() throws IOException {
    List<RunSpec> trials = Plan.trials(files.study(SEARCH.replace("trials: 5", "trials: 1000")));
    assertThat(values(trials, "model.rank")).containsOnly(1.0, 2.0, 3.0);
    assertThat(values(trials, "model.layers")).containsOnly(1.0, 2.0, 3.0);
    for (double layers = 1; layers <= 3; layers++) {
      double count = layers;
      // A third of 1000 with a standard deviation of 15: five of them.
      assertThat(values(trials, "model.layers").stream().filter(v -> v == count).count())
          .isBetween(258L, 408L);
    }
    List<Double> rates = values(trials, "training.dense.learning_rate");
    assertThat(rates).allMatch(rate -> rate >= 0.0001 && rate <= 0.01);
    // Evenly by logarithm: half are below the geometric mean, with a deviation of 16.
    assertThat(rates.stream().filter(rate -> rate < 0.001).count()).isBetween(420L, 580L);
  }

  private static List<Double> values(List<RunSpec> trials, String key) {
    return trials.stream().map(t -> value(t, key).doubleValue()).toList();
  }

  private static JsonNode value(RunSpec trial, String key) {
    return trial.set().getOrDefault(key, JsonNodeFactory.instance.nullNode());
  }
}
