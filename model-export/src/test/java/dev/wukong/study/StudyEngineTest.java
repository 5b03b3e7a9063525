package dev.wukong.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.DataException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StudyEngineTest {
  /** Steps of an epoch: 400 rows in batches of 50. */
  private static final int STEPS = 8;

  @TempDir Path folder;
  private StudyFiles files;

  @BeforeEach
  void files() throws IOException {
    files = new StudyFiles(folder);
  }

  private void assertSame(String out) throws IOException {
    for (String run : List.of("one-s1", "two-s1")) {
      assertThat(files.untimed(out, run)).isEqualTo(files.untimed("undisturbed", run));
    }
  }

  @Test
  void run_allOutcomes_haveBundlesOfTheirNames() throws Exception {
    List<Outcome> outcomes = files.run(StudyFiles.EVERY, "out");
    assertThat(outcomes.stream().map(o -> o.identity().label()))
        .containsExactly("one-s1", "two-s1");
    for (Outcome outcome : outcomes) {
      assertThat(outcome.curve()).hasSize(3);
      assertThat(outcome.effort().examples()).isEqualTo(1200);
      // Eight steps an epoch, each a point.
      assertThat(outcome.losses()).hasSize(24).allMatch(p -> p.loss() > 0 && p.loss() < 2);
      assertThat(outcome.losses().getLast().examples()).isEqualTo(1200);
      assertThat(outcome.metrics().keySet()).containsExactly("valid", "test");
      assertThat(outcome.metrics().values())
          .allMatch(m -> m.keySet().equals(outcome.test().keySet()));
      try (Bundle bundle = Bundle.open(folder.resolve("out").resolve(outcome.bundle()))) {
        assertThat(outcome.bundle()).isEqualTo("bundles/" + outcome.identity().run() + "/1");
        assertThat(
                bundle
                    .manifest()
                    .metrics()
                    .getOrDefault("test", Map.of())
                    .getOrDefault("click", Map.of()))
            .containsEntry("auc", outcome.of("test").auc());
        // Those of 'shop' too, which is hashed without a bound; a few buckets never had a value.
        long rows = bundle.manifest().tables().stream().mapToLong(t -> t.rows()).sum();
        assertThat(outcome.size().embeddingRows()).isBetween(rows, rows + 5);
      }
      Path run = folder.resolve("out/runs").resolve(outcome.identity().label());
      assertThat(run.resolve("last.checkpoint")).doesNotExist();
    }
  }

  /** The selected epoch is the one that the validation data likes best. */
  @Test
  void run_selectedEpoch_isTheBestOfTheCurve() throws Exception {
    for (Outcome outcome : files.run(StudyFiles.EVERY, "out")) {
      double best = 0;
      int epoch = 0;
      for (CurvePoint point : outcome.curve()) {
        double auc =
            point.valid().values().stream().mapToDouble(m -> m.auc()).average().orElseThrow();
        if (auc > best + 1e-6) {
          best = auc;
          epoch = point.epoch();
        }
      }
      assertThat(outcome.selectedEpoch()).isEqualTo(epoch);
      assertThat(outcome.metrics().getOrDefault("valid", Map.of())).hasSize(2);
      assertThat(outcome.validAuc()).isCloseTo(best, within(1e-12));
      assertThat(outcome.curve().get(epoch - 1).valid().get("click"))
          .isEqualTo(outcome.of("valid"));
    }
  }

  /**
   * Killed inside the first run, between the two and inside the second; the outcome is the same.
   */
  @Test
  void run_stoppedAgainAndAgain_endsAsUndisturbed() throws Exception {
    files.run(StudyFiles.EVERY, "undisturbed");
    int stopped = 0;
    boolean ended = false;
    while (!ended) {
      AtomicInteger asked = new AtomicInteger();
      // An epoch and a half of questions, so that checkpoints lie inside of epochs.
      ended =
          files
              .run(
                  StudyFiles.EVERY,
                  files.options("out"),
                  () -> asked.incrementAndGet() > 3 * STEPS / 2)
              .isPresent();
      stopped++;
      assertThat(stopped).isLessThan(20);
    }
    assertThat(stopped).isGreaterThan(3);
    assertThat(files.said.toString()).contains("resumed in epoch").contains("have ended before");
    assertSame("out");
    List<Integer> epochs =
        new LineFile<>(folder.resolve("out/runs/one-s1/curve.jsonl"), CurvePoint.class)
            .read().stream().map(CurvePoint::epoch).toList();
    assertThat(epochs).containsExactly(1, 2, 3);
  }

  /** A run that was written down is not made again; without its outcome it is. */
  @Test
  void run_again_leavesWhatHasEnded() throws Exception {
    files.run(StudyFiles.EVERY, "undisturbed");
    files.run(StudyFiles.EVERY, "out");
    Path one = folder.resolve("out/runs/one-s1/outcome.json");
    Path two = folder.resolve("out/runs/two-s1/outcome.json");
    String marked = Files.readString(one).replace("\"task\" : \"click\"", "\"task\" : \"seconds\"");
    Files.writeString(one, marked);
    Files.delete(two);
    files.run(StudyFiles.EVERY, "out");
    assertThat(one).hasContent(marked);
    assertThat(two).exists();
    assertThat(files.said.toString()).doesNotContain("without a bundle");
    Files.delete(folder.resolve("out/bundles/two/2/manifest.json"));
    files.run(StudyFiles.EVERY, "out");
    assertThat(files.said.toString())
        .contains("without a bundle: two-s1 (to make one anew, remove its outcome.json)");
  }

  @Test
  void run_inParallel_givesTheOutcomesOfOneAfterTheOther() throws Exception {
    files.run(StudyFiles.EVERY, "undisturbed");
    assertThat(files.run(StudyFiles.EVERY, files.options("out", 1, 2, 2, false), () -> false))
        .isPresent();
    assertSame("out");
  }

  @Test
  void run_otherConfiguration_isRefusedInClearWords_andRedone() throws Exception {
    files.run(StudyFiles.EVERY, "out");
    String changed = StudyFiles.EVERY.replace("training.batch: 50", "training.batch: 40");
    assertThatThrownBy(() -> files.run(changed, "out"))
        .isInstanceOf(IOException.class)
        .hasMessage(
            "the run in "
                + folder.resolve("out/runs/one-s1")
                + " is of another configuration (training.batch was 50 and is 40); want another"
                + " --out, or --redo to make it anew");
    List<Result> redone =
        files.run(changed, files.options("out", 1, 1, 1, true), () -> false).orElseThrow();
    assertThat(redone)
        .allMatch(
            r -> r.identity().configuration().path("training").path("batch").intValue() == 40);
  }

  @Test
  void run_otherData_isRefused() throws Exception {
    files.run(StudyFiles.EVERY, "out");
    Path test = folder.resolve("test.csv");
    Files.writeString(test, Files.readString(test).replaceFirst("\n.*\n", "\n"));
    assertThatThrownBy(() -> files.run(StudyFiles.EVERY, "out"))
        .hasMessageContaining(
            "is of another configuration (test data: 230 rows before, 229 now); want another"
                + " --out");
  }

  /** The true probabilities are data too, though nothing is learnt from them. */
  @Test
  void run_otherTruth_isRefused() throws Exception {
    Path test = folder.resolve("test.csv");
    List<String> lines = Files.readAllLines(test);
    String study = StudyFiles.EVERY.replace("data.test: ", "data.truth: truth, data.test: ");
    Files.write(test, truth(lines, "0.5"));
    files.run(study, "out");
    Files.write(test, truth(lines, "0.25"));
    assertThatThrownBy(() -> files.run(study, "out"))
        .hasMessageContaining("(true probabilities: 230 rows as before, but other values)");
  }

  private static List<String> truth(List<String> lines, String probability) {
    List<String> result = new ArrayList<>();
    for (String line : lines) {
      result.add(line + "," + (result.isEmpty() ? "truth" : probability));
    }
    return result;
  }

  /** An outcome says itself what it is of: without its run.json it is nothing else's. */
  @Test
  void run_outcomeOfAnotherConfiguration_isRefusedWithoutRunJson() throws Exception {
    files.run(StudyFiles.EVERY, "out");
    Files.delete(folder.resolve("out/runs/one-s1/run.json"));
    String changed = StudyFiles.EVERY.replace("training.batch: 50", "training.batch: 40");
    assertThatThrownBy(() -> files.run(changed, "out"))
        .hasMessageContaining("training.batch was 50 and is 40");
    assertThat(files.run(StudyFiles.EVERY, "out")).hasSize(2);
    assertThat(folder.resolve("out/runs/one-s1/run.json")).exists();
  }

  /** What is not made again is in the report all the same: other runs, further seeds. */
  @Test
  void run_ofSome_reportsOnAll() throws Exception {
    assertThat(files.run(StudyFiles.EVERY, files.options("out", 2, 1, 1, false), () -> false))
        .isPresent();
    String report = Files.readString(folder.resolve("out/report.json"));
    files.run(StudyFiles.EVERY, files.only("out", "two"), () -> false);
    assertThat(folder.resolve("out/report.json")).hasContent(report);
    // A run of another configuration is no part of it.
    String changed =
        StudyFiles.EVERY.replace("model.layers: 1", "training.rows.learning_rate: 0.01");
    files.run(changed, files.only("out", "one"), () -> false);
    assertThat(Files.readString(folder.resolve("out/report.json"))).contains("2 runs have ended");
  }

  /** What is not wanted now does not stop what is, and a mistake shows before data is encoded. */
  @Test
  void run_ofSome_isNotStoppedByTheMistakesOfOthers() throws Exception {
    String wrong = StudyFiles.EVERY.replace("model.layers: 1", "model.layers: 0");
    assertThat(files.run(wrong, files.only("out", "one"), () -> false).orElseThrow()).hasSize(1);
    assertThatThrownBy(() -> files.run(wrong, files.only("new", "two"), () -> false))
        .hasMessageStartingWith("run 'two': ")
        .hasMessageContaining("model.layers is 0");
    assertThat(folder.resolve("new/data")).doesNotExist();
  }

  @Test
  void run_outcomeDamaged_isRefusedInClearWords() throws Exception {
    files.run(StudyFiles.EVERY, "out");
    Path outcome = folder.resolve("out/runs/one-s1/outcome.json");
    String whole = Files.readString(outcome);
    for (String damaged : List.of(whole.substring(0, 300), "", "null", whole + "\u00ff")) {
      Files.write(outcome, damaged.getBytes(StandardCharsets.ISO_8859_1));
      assertThatThrownBy(() -> files.run(StudyFiles.EVERY, "out"))
          .as(damaged)
          .hasMessageMatching(
              ".*outcome[.]json cannot be read from line [0-9]+ on, it may be cut short; remove it"
                  + " to make the run anew");
    }
  }

  /** Other threads are no other run: whoever goes on elsewhere keeps what has ended. */
  @Test
  void run_otherThreads_areTheSameRun() throws Exception {
    files.run(StudyFiles.EVERY, "out");
    Path file = folder.resolve("out/runs/one-s1/run.json");
    String before = Files.readString(file);
    assertThat(files.run(StudyFiles.EVERY, files.options("out", 1, 1, 2, false), () -> false))
        .isPresent();
    assertThat(file).as("of what it was made with").hasContent(before);
  }

  /** A learning rate that no float survives: written down, and the other run goes on. */
  @Test
  void run_thatLeavesFiniteNumbers_isAFailureAndNotMadeAgain() throws Exception {
    String wild =
        StudyFiles.EVERY.replace(
            "model.layers: 1",
            "training.dense: {optimizer: sgd, learning_rate: 1000}, training.rows: {optimizer: sgd,"
                + " learning_rate: 1000}, model.layers: 1");
    for (int i = 0; i < 2; i++) {
      List<Result> results = files.run(wild, files.options("out"), () -> false).orElseThrow();
      assertThat(results.getFirst()).isInstanceOf(Outcome.class);
      assertThat(results.getLast()).isInstanceOf(Failure.class);
      assertThat(((Failure) results.getLast()).message()).contains("lower the learning rates");
    }
    assertThat(files.said.toString()).contains("two-s1 FAILED: ");
    assertThat(Files.readString(folder.resolve("out/report.json"))).contains("Runs that failed");
  }

  /** Data that no run can be chosen by is a mistake, not a run's bad luck. */
  @Test
  void run_validationDataOfOneClass_endsAll() throws Exception {
    Path valid = folder.resolve("more.csv");
    Files.write(valid, withLabel(Files.readAllLines(valid), "1"));
    String study = StudyFiles.EVERY.replace("50}", "50, training.plateau.watch: click}");
    assertThatThrownBy(() -> files.run(study, "out"))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith("the validation data has no AUC");
    assertThat(folder.resolve("out/runs/one-s1/error.txt")).doesNotExist();
  }

  @Test
  void run_testDataWithoutLabels_isRefusedBeforeTraining() throws Exception {
    Path test = folder.resolve("test.csv");
    Files.write(test, withLabel(Files.readAllLines(test), ""));
    assertThatThrownBy(() -> files.run(StudyFiles.EVERY, "out"))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith("the test data: all 230 rows have an empty label");
    assertThat(folder.resolve("out/runs")).doesNotExist();
  }

  /** The same rows, with one label for all in the column of the first task. */
  private static List<String> withLabel(List<String> lines, String label) {
    int column = List.of(lines.getFirst().split(",")).indexOf("click");
    List<String> result = new ArrayList<>(List.of(lines.getFirst()));
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(",", -1);
      cells[column] = label;
      result.add(String.join(",", cells));
    }
    return result;
  }

  /** Trained again to be exported it may fail: then that is what came of it. */
  @Test
  void write_failureAfterAnOutcome_takesItsPlace() throws Exception {
    Outcome outcome = files.run(StudyFiles.EVERY, "out").getFirst();
    RunFolder run = new RunFolder(folder.resolve("out/runs/one-s1"));
    assertThat(run.result()).containsInstanceOf(Outcome.class);
    run.write(new Failure(outcome.identity(), "diverged"));
    assertThat(run.result()).containsInstanceOf(Failure.class);
  }

  /** Memory that does not suffice, say: told, not written down, and tried again. */
  @Test
  void run_thatBreaks_letsTheOthersGoOnAndIsTriedAgain() throws Exception {
    files.run(StudyFiles.EVERY, "undisturbed");
    AtomicInteger asked = new AtomicInteger();
    List<Result> results =
        files
            .run(
                StudyFiles.EVERY,
                files.options("out"),
                () -> {
                  if (asked.incrementAndGet() == STEPS) {
                    throw new IllegalStateException("no memory left");
                  }
                  return false;
                })
            .orElseThrow();
    assertThat(results.getLast()).isInstanceOf(Outcome.class);
    assertThat(results.getFirst()).isInstanceOf(Failure.class);
    assertThat(((Failure) results.getFirst()).message())
        .contains("no memory left")
        .endsWith("the next start tries it again");
    assertThat(files.said.toString()).contains("one-s1 FAILED: ");
    assertThat(folder.resolve("out/runs/one-s1/error.txt")).content().contains("at dev.wukong");
    files.run(StudyFiles.EVERY, "out");
    assertSame("out");
    assertThat(folder.resolve("out/runs/one-s1/error.txt")).doesNotExist();
  }

  @Test
  void curve_readBack_isWhatWasAdded_withoutACutLine() throws IOException {
    List<CurvePoint> points = files.run(StudyFiles.EVERY, "out").getFirst().curve();
    Path file = folder.resolve("curve.jsonl");
    LineFile<CurvePoint> curve = new LineFile<>(file, CurvePoint.class);
    for (CurvePoint point : points) {
      curve.add(point);
    }
    assertThat(curve.read()).isEqualTo(points);
    String text = Files.readString(file);
    Files.writeString(file, text.substring(0, text.length() - 20));
    assertThat(curve.read()).isEqualTo(points.subList(0, 2));
    curve.keep(point -> point.epoch() <= 1);
    assertThat(curve.read()).isEqualTo(points.subList(0, 1));
  }
}
