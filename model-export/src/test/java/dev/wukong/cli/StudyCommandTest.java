package dev.wukong.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.study.Study;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StudyCommandTest {
  private static final String CONFIG =
      """
      name: least
      data: {simulator: {train: 400, valid: 100, test: 100}}
      model: {embedding: {width: 4}, layers: 1, fm: low_rank, fm_mlp: {hidden: [4]}, head: {hidden: [4]}}
      training: {batch: 20, plateau: {stop_after: 0}}
      """;

  @TempDir Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private Path study = Path.of("");

  @BeforeEach
  void files() throws IOException {
    Files.writeString(folder.resolve("least.yaml"), CONFIG);
    study =
        Files.writeString(
            folder.resolve("study.yaml"),
            "name: s\nkind: sweep\nconfig: least.yaml\nruns: [{name: one}, {name: two}]\n");
  }

  private List<String> command(String... more) {
    List<String> command =
        new ArrayList<>(
            List.of("sweep", study.toString(), "--out=" + folder.resolve("out"), "--no-bars"));
    command.addAll(List.of(more));
    return command;
  }

  private int execute(List<String> arguments) {
    return Typed.execute(out, err, arguments.toArray(String[]::new));
  }

  private void refused(List<String> arguments, String message) {
    assertThat(execute(arguments)).isEqualTo(1);
    assertThat(err.toString().strip().lines()).hasSize(1);
    assertThat(err.toString()).contains(message);
    err.getBuffer().setLength(0);
  }

  @Test
  void sweep_options_doWhatTheySay() {
    assertThat(execute(command("--only=two", "--seeds=2", "--epochs=1")))
        .as(err.toString())
        .isZero();
    assertThat(folder.resolve("out/runs/two-s1/outcome.json")).exists();
    assertThat(folder.resolve("out/runs/two-s2/outcome.json")).exists();
    assertThat(folder.resolve("out/runs/one-s1")).doesNotExist();
    assertThat(folder.resolve("out/bundles/two/1/manifest.json")).exists();
    assertThat(folder.resolve("out/bundles/two/2")).doesNotExist();
    List<String> lines = out.toString().lines().toList();
    assertThat(lines.getLast()).isEqualTo("report " + folder.resolve("out/report.html"));
    assertThat(lines.get(lines.size() - 2)).endsWith("test figures are of task 'click'.");
    assertThat(lines.get(lines.size() - 3)).startsWith("  two      2  ");
  }

  @Test
  void study_help_namesAllThatShip() {
    assertThat(execute(List.of("sweep", "--help"))).isZero();
    String help = out.toString().replaceAll("\\s+", " ");
    for (String shipped : Study.SHIPPED) {
      String named = shipped.startsWith("paper-") ? shipped.substring(6) : shipped;
      assertThat(help).matches(".*[ (]" + named + "[ ,.].*");
    }
  }

  @Test
  void sweep_mistakes_areOneLine() {
    refused(command("--seeds=0"), "--seeds is 0, want 1 to 1000");
    refused(command("--parallel=0"), "--parallel is 0, want 1 to 1024");
    refused(List.of("sweep", study.toString(), "--out="), "--out is '', want the name of a folder");
    refused(command("--epochs=0"), "--epochs is 0, want 1 to 100000");
    refused(command("--device=gpu"), "device is 'gpu', want cpu or cuda:0");
    // Not trained on the CPU in silence.
    refused(command("--device=cuda:0"), "device 'cuda:0': ");
    refused(command("--only=three"), "--only names 'three', want some of one, two");
    refused(
        List.of("search", study.toString()),
        "is a study of kind 'sweep', want kind 'search', or the command sweep");
    refused(List.of("sweep", "nothing"), "there is no study file 'nothing'");
  }

  /**
   * SIGTERM, as Ctrl-C: all runs end by themselves after a checkpoint, and a second start goes on.
   */
  @Test
  void sweep_terminated_saysHowToGoOn_andGoesOn() throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", ModelExport.class.getName()));
    command.addAll(command("--epochs=100000", "--parallel=2"));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    Process process = builder.start();
    List<String> lines = new ArrayList<>();
    boolean one = false;
    boolean two = false;
    try (BufferedReader in = process.inputReader()) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        one |= line.startsWith("one-s1 epoch 2:");
        two |= line.startsWith("two-s1 epoch 2:");
        if (one && two) {
          process.toHandle().destroy(); // SIGTERM, and the output stays open.
        }
        if (!line.contains(" epoch ") || line.contains("stopped")) {
          lines.add(line);
        }
      }
      assertThat(process.waitFor()).as(lines.toString()).isEqualTo(128 + 15);
    } finally {
      process.destroyForcibly();
    }
    assertThat(lines.getLast()).isEqualTo("Start the same command again to go on.");
    assertThat(lines.subList(lines.size() - 3, lines.size() - 1))
        .allMatch(line -> line.matches("(one|two)-s1 stopped (in|after) epoch .*"));
    assertThat(folder.resolve("out/bundles")).doesNotExist();

    assertThat(execute(command("--epochs=100000", "--redo", "--only=one", "--seeds=0")))
        .isEqualTo(1); // Refused before anything is touched.
    assertThat(folder.resolve("out/runs/one-s1/last.checkpoint")).exists();
    err.getBuffer().setLength(0);
    refused(
        command("--epochs=1"),
        "is of another configuration (training.epochs was 100000 and is 1); want another --out, or"
            + " --redo to make it anew");
    assertThat(execute(command("--epochs=1", "--redo"))).as(err.toString()).isZero();
    assertThat(folder.resolve("out/bundles/two/1/manifest.json")).exists();
  }

  @Test
  void help_ofEveryStudyCommand_namesTheOptions() {
    for (String command : List.of("reproduce", "sweep", "ablate", "search")) {
      out.getBuffer().setLength(0);
      assertThat(execute(List.of(command, "--help"))).isZero();
      assertThat(out.toString())
          .contains(
              "STUDY", "--data", "--out", "--seeds", "--parallel", "--only", "--epochs", "--redo");
    }
  }
}
