package dev.wukong.study;

import dev.wukong.run.Datasets;
import dev.wukong.runtime.Device;
import dev.wukong.training.EveryFeature;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Small studies in a folder, and an engine for each. */
final class StudyFiles {
  /** Two small models on data with every kind of feature. */
  static final String EVERY =
      """
      name: every-study
      title: Two small models
      kind: reproduce
      config: every.yaml
      set: {data.test: test.csv, training.epochs: 3, training.batch: 50}
      runs:
        - name: one
          published: [{source: others, auc: 0.75, auc_deviation: 0.01, logloss: 0.5, parameters: 1000}]
        - {name: two, set: {model.layers: 1, model.embedding.deviation: 0.1}}
      """;

  /** A model that learns from a simulator. */
  static final String SIMULATED =
      """
      name: simulated
      data: {simulator: {world: clicks, seed: 3, train: 2000, valid: 600, test: 1210}}
      model:
        type: wukong
        embedding: {width: 4, deviation: 0.1}
        layers: 1
        fm_embeddings: 2
        linear_embeddings: 2
        rank: 2
        fm: low_rank
        fm_mlp: {hidden: [8]}
        head: {hidden: [8]}
      training:
        batch: 128
        epochs: 2
        seed: 5
        rows: {mode: touched, learning_rate: 0.05}
      """;

  final Path folder;
  final StringWriter said = new StringWriter();

  /** Data and configurations in {@code folder}. */
  StudyFiles(Path folder) throws IOException {
    this.folder = folder;
    EveryFeature.csv(folder.resolve("rows.csv"), 400, 90, 1);
    EveryFeature.csv(folder.resolve("more.csv"), 150, 100, 2);
    EveryFeature.csv(folder.resolve("test.csv"), 230, 100, 3);
    EveryFeature.configuration(folder, true);
    Files.writeString(folder.resolve("simulated.yaml"), SIMULATED);
  }

  Study study(String yaml) throws IOException {
    return Study.read(Files.writeString(folder.resolve("study.yaml"), yaml).toString());
  }

  StudyEngine.Options options(String out) {
    return options(out, 1, 1, 1, false);
  }

  StudyEngine.Options options(String out, int seeds, int parallel, int cores, boolean redo) {
    return new StudyEngine.Options(
        folder,
        folder.resolve(out),
        seeds,
        parallel,
        new Device.Cpu(),
        cores,
        List.of(),
        OptionalInt.empty(),
        redo,
        "test");
  }

  /** Some of the runs only. */
  StudyEngine.Options only(String out, String run) {
    StudyEngine.Options all = options(out);
    return new StudyEngine.Options(
        folder, all.out(), 1, 1, all.device(), 1, List.of(run), OptionalInt.empty(), false, "test");
  }

  Optional<List<Result>> run(String yaml, StudyEngine.Options options, BooleanSupplier stop)
      throws IOException {
    PrintWriter out = new PrintWriter(said);
    return new StudyEngine(
            study(yaml), options, new Board(out, out, false), new Datasets(out, false))
        .run(stop);
  }

  /** Runs to the end with one thread. */
  List<Outcome> run(String yaml, String out) throws IOException {
    return run(yaml, options(out), () -> false).orElseThrow().stream()
        .map(Outcome.class::cast)
        .toList();
  }

  /** An outcome's document without what the clock says. */
  ObjectNode untimed(String out, String run) throws IOException {
    Path file = folder.resolve(out).resolve("runs").resolve(run).resolve("outcome.json");
    ObjectNode outcome = (ObjectNode) JsonMapper.builder().build().readTree(Files.readString(file));
    remove((ObjectNode) outcome.get("effort"));
    outcome.get("curve").forEach(point -> remove((ObjectNode) point));
    return outcome;
  }

  private static void remove(ObjectNode timed) {
    timed.remove(List.of("seconds", "examples_per_second"));
  }
}
