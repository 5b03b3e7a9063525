package dev.wukong.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Optimizers;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainCommandTest {
  @TempDir Path folder;

  private final StringWriter said = new StringWriter();

  /** Writes data, and a configuration with {@code training}; gives the command's arguments. */
  private List<String> training(String training) throws IOException {
    StringBuilder rows = new StringBuilder("user,item,click\n");
    for (int i = 0; i < 40; i++) {
      rows.append(i % 5).append(',').append(i % 7).append(',').append(i % 2).append('\n');
    }
    Files.writeString(folder.resolve("rows.csv"), rows);
    Path config =
        Files.writeString(
            folder.resolve("least.yaml"),
            """
            name: least
            data: {train: rows.csv}
            schema:
              name: least
              features:
                - {name: user, type: int64}
                - {name: item, type: int64}
              tasks:
                - {name: click}
            """
                + training);
    return List.of(
        "train",
        "--config=" + config,
        "--data=" + folder,
        "--bundles=" + folder.resolve("bundles"),
        "--work=" + folder.resolve("work"),
        "--no-bars");
  }

  private int execute(List<String> arguments) {
    return Typed.execute(said, said, arguments.toArray(String[]::new));
  }

  @Test
  void train_configurationOfDefaults_exportsABundleThatNamesThem() throws Exception {
    int status = execute(training(""));

    assertThat(status).as(said.toString()).isZero();
    try (Bundle bundle = Bundle.open(folder.resolve("bundles/least/1"))) {
      Optimizers optimizers = bundle.manifest().optimizers();
      assertThat(optimizers.dense().path("optimizer").asString()).isEqualTo("adam");
      assertThat(optimizers.rows().path("optimizer").asString()).isEqualTo("row_wise_adagrad");
      assertThat(optimizers.rows().path("mode").asString()).isEqualTo("touched");
    }
  }

  /** A table is named after its feature, with a number where the feature has several. */
  @Test
  void train_longestFeatureName_withTwoEmbeddings_exportsABundleThatVerifies() throws Exception {
    String longest = "u".repeat(128);
    List<String> arguments =
        training("model: {embedding: {counts: {\"*\": 2}}}\ntraining: {epochs: 1}\n");
    for (String file : List.of("rows.csv", "least.yaml")) {
      Path path = folder.resolve(file);
      Files.writeString(path, Files.readString(path).replace("user", longest));
    }

    assertThat(execute(arguments)).as(said.toString()).isZero();
    assertThat(execute(List.of("verify", folder.resolve("bundles/least/1").toString())))
        .as(said.toString())
        .isZero();
    assertThat(folder.resolve("bundles/least/1/rows/" + longest + ".2-00000.safetensors")).exists();
  }

  /**
   * SIGTERM, as Ctrl-C: the process ends by itself after a checkpoint, and a second one goes on.
   */
  @Test
  void train_terminated_saysHowToGoOn_andGoesOn() throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", ModelExport.class.getName()));
    command.addAll(training("training: {epochs: 100000, batch: 8, threads: 1}\n"));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    Process process = builder.start();
    List<String> lines = new ArrayList<>();
    try (BufferedReader in = process.inputReader()) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        if (line.startsWith("epoch 2:")) {
          process.toHandle().destroy(); // SIGTERM, and the output stays open.
        }
        if (!line.startsWith("epoch")) {
          lines.add(line);
        }
      }
      assertThat(process.waitFor()).as(lines.toString()).isEqualTo(128 + 15);
    } finally {
      process.destroyForcibly();
    }
    assertThat(lines.get(lines.size() - 2)).matches("stopped (in|after) epoch .*");
    assertThat(lines.getLast())
        .isEqualTo("Start it again with the same --config, --data and --work to go on.");
    assertThat(folder.resolve("bundles")).doesNotExist();

    int status = execute(training("training: {epochs: 1, batch: 8, threads: 1}\n"));
    assertThat(status).as(said.toString()).isZero();
    assertThat(said.toString()).contains(lines.get(lines.size() - 2).replace("stopped", "resumed"));
    assertThat(folder.resolve("bundles/least/1/manifest.json")).exists();
  }

  @Test
  void predict_fileWithoutLabels_givesARowForEach() throws Exception {
    assertThat(execute(training(""))).as(said.toString()).isZero();
    Path rows = Files.writeString(folder.resolve("new.csv"), "item,user\n1,2\n6,99\n3,\n");
    String bundle = folder.resolve("bundles/least").toString();
    String out = folder.resolve("scores.csv").toString();
    assertThat(execute(List.of("predict", bundle, rows.toString(), "--no-bars", "--out", out)))
        .as(said.toString())
        .isZero();
    List<String> lines = Files.readAllLines(folder.resolve("scores.csv"));
    assertThat(lines.getFirst()).isEqualTo("click");
    assertThat(lines.subList(1, lines.size()))
        .hasSize(3)
        .allSatisfy(line -> assertThat(Double.parseDouble(line)).isBetween(0.0, 1.0));

    said.getBuffer().setLength(0);
    assertThat(execute(List.of("evaluate", bundle, rows.toString(), "--no-bars"))).isEqualTo(1);
    assertThat(said.toString()).contains("click");
    String threads = "--threads=0";
    assertThat(execute(List.of("evaluate", bundle, rows.toString(), threads))).isEqualTo(1);
    assertThat(said.toString()).contains("--threads is 0, want 1 to 1024");
  }

  @Test
  void train_checkpointOfAnotherTraining_isRefusedInOneLine() throws Exception {
    assertThat(execute(training(""))).as(said.toString()).isZero();
    said.getBuffer().setLength(0);
    assertThat(execute(training("training: {seed: 5}\n"))).isEqualTo(1);
    assertThat(said.toString().lines().toList().getLast())
        .isEqualTo(
            "model-export train: "
                + folder.resolve("work/least/last.checkpoint")
                + " is of another training, it differs in: training options; remove it to start"
                + " afresh");
  }

  @Test
  void train_noLabels_isRefusedBeforeTraining() throws Exception {
    List<String> arguments = training("");
    String rows = Files.readString(folder.resolve("rows.csv"));
    Files.writeString(folder.resolve("rows.csv"), rows.replaceAll(",[01]\n", ",\n"));
    assertThat(execute(arguments)).isEqualTo(1);
    assertThat(said.toString().lines().toList().getLast())
        .isEqualTo(
            "model-export train: the training data (rows.csv): all 40 rows have an empty label (or"
                + " weight 0) for task 'click', column 'click'; at least one label is needed");

    said.getBuffer().setLength(0);
    Files.writeString(folder.resolve("valid.csv"), Files.readString(folder.resolve("rows.csv")));
    Files.writeString(folder.resolve("rows.csv"), rows);
    Path config = folder.resolve("least.yaml");
    Files.writeString(
        config, Files.readString(config).replace("rows.csv}", "rows.csv, valid: valid.csv}"));
    assertThat(execute(arguments)).isEqualTo(1);
    assertThat(said.toString().lines().toList().getLast())
        .isEqualTo(
            "model-export train: the validation data has no AUC of any task: examples of both"
                + " labels are needed, but 'click' has none");
    assertThat(said.toString()).doesNotContain("epoch 1");
  }

  /** A folder of digits is a version where it has a manifest, else a model of that name. */
  @Test
  void inspect_modelNamedByDigits_isFound() throws Exception {
    List<String> arguments = training("");
    Path config = folder.resolve("least.yaml");
    Files.writeString(
        config, Files.readString(config).replace("name: least\ndata", "name: \"123\"\ndata"));
    assertThat(execute(arguments)).as(said.toString()).isZero();
    for (String bundle : List.of("bundles/123", "bundles/123/1")) {
      said.getBuffer().setLength(0);
      assertThat(execute(List.of("inspect", folder.resolve(bundle).toString())))
          .as(said.toString())
          .isZero();
      assertThat(said.toString()).startsWith("model      123 version 1");
    }
    said.getBuffer().setLength(0);
    assertThat(execute(List.of("inspect", folder.resolve("bundles/123/2").toString())))
        .isEqualTo(1);
    Files.delete(folder.resolve("bundles/123/1/manifest.json"));
    assertThat(execute(List.of("inspect", folder.resolve("bundles/123/1").toString())))
        .isEqualTo(1);
    assertThat(said.toString()).contains("manifest.json");
  }
}
