package dev.wukong.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.run.RunConfig;
import dev.wukong.run.Training;
import dev.wukong.runtime.Device;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.node.ObjectNode;

class SearchTest {
  private static final String SEARCH =
      """
      name: s
      kind: search
      config: simulated.yaml
      trials: 3
      space:
        model.rank: [1, 2, 3]
        training.rows.learning_rate: {from: 0.001, to: 0.1, log: true}
      """;

  @TempDir Path folder;

  private static Outcome best(List<Outcome> outcomes) {
    return outcomes.stream()
        .max(Comparator.comparingDouble(o -> o.of("valid").auc()))
        .orElseThrow();
  }

  @Test
  void search_best_isChosenByValidation_exportedAlone_andTrains() throws Exception {
    StudyFiles files = new StudyFiles(folder);
    List<Outcome> outcomes = files.run(SEARCH, "out");
    Outcome best = best(outcomes);
    assertThat(outcomes).hasSize(3);
    for (Outcome outcome : outcomes) {
      boolean chosen = outcome.identity().equals(best.identity());
      assertThat(outcome.bundle().isEmpty()).isEqualTo(!chosen);
      assertThat(folder.resolve("out/bundles").resolve(outcome.identity().run()))
          .matches(bundle -> Files.exists(bundle) == chosen);
      assertThat(folder.resolve("out/runs/" + outcome.identity().label() + "/last.checkpoint"))
          .doesNotExist();
    }

    Path yaml = folder.resolve("out/best.yaml");
    RunConfig config = RunConfig.read(yaml.toString());
    assertThat(config.name()).isEqualTo(best.identity().run());
    assertThat(StudyJson.LINE.readTree(config.model().toJson().toString()))
        .isEqualTo(best.identity().model());
    StringWriter said = new StringWriter();
    Training.Outcome trained =
        new Training(config, new Device.Cpu(), new PrintWriter(said), false)
            .run(
                new Training(config, new Device.Cpu(), new PrintWriter(said), false).splits(folder),
                folder.resolve("work"),
                folder.resolve("bundles"),
                "test")
            .orElseThrow();
    // The same but for the threads, so that only the last bits of sums differ.
    assertThat(trained.metrics().getOrDefault("test", Map.of()))
        .hasEntrySatisfying(
            "click",
            click ->
                assertThat(click.logLoss()).isCloseTo(best.of("test").logLoss(), within(1e-3)));
  }

  /** A part of a search reports all that there is, and chooses nothing. */
  @Test
  void search_oneTrialOnly_leavesReportAndBest() throws Exception {
    StudyFiles files = new StudyFiles(folder);
    Outcome best = best(files.run(SEARCH, "out"));
    String config = Files.readString(folder.resolve("out/best.yaml"));
    String report = Files.readString(folder.resolve("out/report.json"));
    String other = best.identity().run().equals("trial-02") ? "trial-03" : "trial-02";
    assertThat(files.run(SEARCH, files.only("out", other), () -> false).orElseThrow()).hasSize(1);
    assertThat(folder.resolve("out/best.yaml")).hasContent(config);
    assertThat(folder.resolve("out/report.json")).hasContent(report);
    assertThat(folder.resolve("out/bundles").toFile().list()).hasSize(1);
    assertThat(files.said.toString()).contains("without --only the best of all is exported");
  }

  /** Of all that was trained only the exported model's checkpoints were ever wanted. */
  @Test
  void search_severalSeeds_leavesNoCheckpoint() throws Exception {
    StudyFiles files = new StudyFiles(folder);
    assertThat(files.run(SEARCH, files.options("out", 2, 1, 1, false), () -> false)).isPresent();
    Path left = folder.resolve("out/runs/trial-01-s5/last.checkpoint");
    Files.writeString(left, "of a process that was killed before it removed it");
    assertThat(files.run(SEARCH, files.options("out", 2, 1, 1, false), () -> false)).isPresent();
    try (Stream<Path> all = Files.walk(folder.resolve("out/runs"))) {
      assertThat(all.filter(file -> file.toString().endsWith(".checkpoint"))).isEmpty();
    }
  }

  /** A best that is none once it has been trained again to be exported gives way to the second. */
  @Test
  void search_bestThatWasNone_isNotTheOneThatTrains() throws Exception {
    StudyFiles files = new StudyFiles(folder);
    List<Outcome> outcomes = files.run(SEARCH, "out");
    Outcome best = best(outcomes);
    Outcome worst =
        outcomes.stream().min(Comparator.comparingDouble(Outcome::validAuc)).orElseThrow();
    Path told = folder.resolve("out/runs/" + worst.identity().label() + "/outcome.json");
    ObjectNode better = (ObjectNode) StudyJson.LINE.readTree(Files.readString(told));
    better.findParents("auc").forEach(metrics -> ((ObjectNode) metrics).put("auc", 0.999));
    Files.writeString(told, better.toString());
    List<Outcome> again = files.run(SEARCH, "out");
    assertThat(best(again).identity()).isEqualTo(best.identity());
    assertThat(RunConfig.read(folder.resolve("out/best.yaml").toString()).name())
        .isEqualTo(best.identity().run());
    assertThat(again)
        .filteredOn(outcome -> outcome.identity().equals(worst.identity()))
        .allMatch(outcome -> !outcome.bundle().isEmpty() && outcome.validAuc() < 0.999);
  }

  /** With a seed that left finite numbers it is not the best, whatever its other seeds came to. */
  @Test
  void search_best_hasNoSeedThatFailed() throws Exception {
    StudyFiles files = new StudyFiles(folder);
    List<Outcome> outcomes = files.run(SEARCH, "out");
    Study study = files.study(SEARCH);
    Outcome best = best(outcomes);
    List<Result> results = new ArrayList<>(outcomes);
    results.add(new Failure(best.identity(), "diverged"));
    assertThat(Groups.of(study, results).best().map(Groups.Group::name))
        .get()
        .isNotEqualTo(best.identity().run());
    assertThat(Summary.hasBest(study, results)).isTrue();
    assertThat(Summary.hasBest(study, List.of(new Failure(best.identity(), "diverged")))).isFalse();
  }

  @Test
  void search_stoppedAgainAndAgain_endsAsUndisturbed() throws Exception {
    StudyFiles files = new StudyFiles(folder);
    files.run(SEARCH, "undisturbed");
    int tries = 0;
    boolean ended = false;
    while (!ended) {
      AtomicInteger asked = new AtomicInteger();
      ended =
          files.run(SEARCH, files.options("out"), () -> asked.incrementAndGet() > 25).isPresent();
      assertThat(tries++).isLessThan(20);
    }
    assertThat(tries).isGreaterThan(2);
    for (String trial : List.of("trial-01-s5", "trial-02-s5", "trial-03-s5")) {
      assertThat(files.untimed("out", trial)).isEqualTo(files.untimed("undisturbed", trial));
    }
    assertThat(folder.resolve("out/best.yaml"))
        .hasSameTextualContentAs(folder.resolve("undisturbed/best.yaml"));
    // Once more: nothing is exported again.
    files.run(SEARCH, "out");
    assertThat(folder.resolve("out/bundles").toFile().list()).hasSize(1);
    assertThat(
            folder
                .resolve("out/bundles")
                .resolve(best(files.run(SEARCH, "out")).identity().run() + "/2"))
        .doesNotExist();
  }
}
