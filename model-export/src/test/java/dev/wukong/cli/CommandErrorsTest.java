package dev.wukong.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.data.SchemaYaml;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** Mistakes on the command line end with status 1 and one line that names what is wrong. */
class CommandErrorsTest {
  private static final String CONFIG =
      """
      name: shop
      data: {train: rows.csv}
      schema:
        name: shop
        features: [{name: user, type: int64}]
        tasks: [{name: click, column: label}, {name: buy, column: label}]
      """;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir private Path folder = Path.of("");

  @BeforeEach
  void files() throws IOException {
    Files.writeString(folder.resolve("rows.csv"), "label,user,item\n1,5,6\n0,7,8\n");
    Files.writeString(folder.resolve("empty.csv"), "");
    Files.writeString(folder.resolve("long.txt"), "words " + "1".repeat(5000));
    Files.writeString(folder.resolve("nolabel.csv"), "a,b\n1,2\n");
    Files.writeString(folder.resolve("bad.yaml"), "name: x\n", StandardCharsets.UTF_8);
    Files.createDirectory(folder.resolve("empty"));
    Files.writeString(
        folder.resolve("watch.yaml"), CONFIG + "training: {plateau: {watch: clicks}}\n");
    Files.writeString(
        folder.resolve("gains.yaml"), CONFIG + "training: {plateau: {restore: true}}\n");
    Files.writeString(
        folder.resolve("interval.yaml"), CONFIG + "training: {checkpoint_every: 10}\n");
  }

  private int execute(List<String> arguments) {
    CommandLine line = ModelExport.line();
    return line.setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(arguments.toArray(String[]::new));
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = ';',
      value = {
        "score @/none.csv --target 127.0.0.1:1; none.csv is not a file",
        "score @/rows.none --target 127.0.0.1:1; rows.none does not tell its format",
        "score @/rows.csv --format none; no file format is called 'none'",
        "score @/empty.csv --target 127.0.0.1:1; empty.csv is empty",
        "score @/rows.csv --target nowhere; --target is 'nowhere', want host:port",
        "score @/rows.csv --target 127.0.0.1:1; no service answers at '127.0.0.1:1' (connection"
            + " refused); start one with java -jar service/target/service.jar",
        "score @/rows.csv --target 127.0.0.1:65536; --target is '127.0.0.1:65536', want host:port",
        "score @/rows.csv --ca @/none.crt; none.crt', which is not there",
        "score @/rows.csv --ca @/rows.csv; rows.csv', want a file of certificates in PEM",
        "score @/rows.csv --ca @/empty.csv; empty.csv', which is empty; want certificates in PEM",
        "score @/rows.csv --batch 0; --batch is 0, want 1 to",
        "score @/rows.csv --deadline 0; --deadline is 0, want 1 to",
        "infer-schema @/none.csv; none.csv is not a file",
        "infer-schema @/nolabel.csv; nolabel.csv has no column that looks like a label",
        "infer-schema @/rows.csv --format none; no file format is called 'none'",
        "simulate --out @/none/x.csv; none/x.csv",
        "simulate --out @/x.csv --requests 0; --requests is 0, want 1 to",
        "simulate --out @/x.csv --world x; simulator: world is 'x'; clicks or rules is allowed",
        "train -c none; there is no configuration file 'none'",
        "train -c @/bad.yaml; bad.yaml",
        "train -c @/rows.csv; 'rows.csv: is \"label,user,item 1,5,6 0,7,8\", want a mapping of"
            + " keys'",
        "train -c @/long.txt; '11111111111111111111..., want a mapping of keys to values'",
        "train -c criteo --data @/empty --device none; device is 'none', want cpu or cuda:0",
        "train -c criteo --data @/empty --work @/work; empty/train.tsv.gz is not a file",
        "train -c @/watch.yaml; watch.yaml: training.plateau.watch is 'clicks', want mean or a"
            + " task: click, buy",
        "train -c @/gains.yaml; gains.yaml: training.plateau asks what an epoch gained, want"
            + " data.valid, too: only validation data tells",
        "train -c @/interval.yaml; interval.yaml: training.checkpoint_every is 10, want 0 or a"
            + " duration of at most 720h such as 90s, 10m or 2h",
        "evaluate @/none @/rows.csv; none', want <root>/<model>/<version> or <root>/<model>",
        "predict @/none @/rows.csv --out @/p.csv; there is no bundle folder '",
        "inspect @/rows.csv; there is no bundle folder '",
        "verify @/none/1; there is no bundle folder '",
        "verify @/empty; empty holds no version of a bundle",
        "smoke --device tpu:0; device is 'tpu:0', want cpu or cuda:0",
        "smoke --device cpu --batch 0; --batch is 0, want 1 to",
        "quickstart; --service is missing, want the service's jar, or --bundles",
        "quickstart --target 127.0.0.1:1; --service is missing, want the service's jar, or",
        "quickstart --service s.jar --bundles b; --service and --bundles are both given",
        "quickstart --service s.jar --target 127.0.0.1:1; --target is '127.0.0.1:1' without",
        "quickstart --bundles b --target nowhere; --target is 'nowhere', want host:port",
        "quickstart --service s.jar --requests 0; --requests is 0, want 1 to",
        "quickstart --service s.jar --seconds=-1; --seconds is -1, want 0 to",
        "quickstart --service s.jar --rate 0; --rate is 0, want 1 to",
        "quickstart --service s.jar --drift=-1; --drift is -1, want 0 to"
      })
  void command_mistake_isOneLineThatNamesIt(String arguments, String named) {
    int status =
        execute(
            Arrays.stream(arguments.split(" ", -1))
                .map(argument -> argument.replace("@", folder.toString()))
                .toList());
    assertThat(status).isEqualTo(1);
    assertThat(err.toString().strip().lines()).hasSize(1);
    assertThat(err.toString()).contains(named);
  }

  /** The library that reads files unpacks itself there. */
  @Test
  void temporaryFolder_missing_isNamed() throws Exception {
    Path none = folder.resolve("none");
    ProcessBuilder builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Djava.io.tmpdir=" + none,
                ModelExport.class.getName(),
                "infer-schema",
                folder.resolve("rows.csv").toString())
            .redirectErrorStream(true);
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    Process process = builder.start();
    try (BufferedReader said = process.inputReader()) {
      assertThat(said.lines().filter(line -> line.startsWith("model-export")))
          .singleElement()
          .asString()
          .startsWith("model-export infer-schema: the library that reads files cannot be put into")
          .contains(" " + none + " (")
          .endsWith("java -Djava.io.tmpdir=FOLDER names another");
    }
    assertThat(process.waitFor()).isEqualTo(1);
  }

  /** A wrong use of the command line ends with status 2 and says what is allowed. */
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = ';',
      value = {
        "trian; Unmatched argument at index 0: 'trian'",
        "train; Missing required option: '--config=<config>'",
        "evaluate b; Missing required parameter: '<file>'",
        "predict b x.csv; Missing required option: '--out=<out>'",
        "evaluate b x.csv --threads x; Invalid value for option '--threads': 'x' is not an int",
        "simulate --out x.csv --requests x; Invalid value for option '--requests': 'x' is not"
      })
  void command_wrongUse_isStatus2(String arguments, String named) {
    assertThat(execute(List.of(arguments.split(" ", -1)))).isEqualTo(2);
    assertThat(err.toString()).contains(named);
  }

  @Test
  void command_helpAndVersion_areAnswered() {
    for (String command :
        List.of("train", "evaluate", "predict", "inspect", "verify", "score", "simulate")) {
      assertThat(execute(List.of(command, "--help"))).isZero();
      assertThat(out.toString()).contains("Usage: model-export " + command).doesNotContain("()");
      out.getBuffer().setLength(0);
      assertThat(execute(List.of(command, "--version"))).isZero();
      assertThat(out.toString().strip())
          .matches("[0-9]+[.][0-9]+[.][0-9]+(-SNAPSHOT)?|not from a jar");
    }
  }

  @Test
  void smoke_onTheCpu_agreesWithItself() {
    assertThat(execute(List.of("smoke", "--device", "cpu", "--batch", "32"))).isZero();
    assertThat(out.toString()).contains("CPUExecutionProvider").contains("works");
  }

  @Test
  void simulate_sameSeed_writesTheSameFile() throws IOException {
    for (String name : List.of("a.csv", "b.csv")) {
      String file = folder.resolve(name).toString();
      List<String> arguments =
          List.of("simulate", "--out", file, "--requests", "3", "--seed", "4", "--no-bars");
      assertThat(execute(arguments)).isZero();
    }
    List<String> lines = Files.readAllLines(folder.resolve("a.csv"));
    assertThat(lines).hasSize(31).isEqualTo(Files.readAllLines(folder.resolve("b.csv")));
    assertThat(lines.getFirst()).contains("click_probability");
    assertThat(out.toString()).contains("best normalized entropy");
  }

  @Test
  void simulate_worldOfRules_writesItsRows() throws IOException {
    String file = folder.resolve("rules.csv").toString();
    assertThat(execute(List.of("simulate", "--out", file, "--world", "rules", "--requests", "3")))
        .isZero();
    List<String> lines = Files.readAllLines(Path.of(file));
    assertThat(lines).hasSize(13);
    assertThat(lines.getFirst()).startsWith("user,segment,").endsWith(",click,click_probability");
  }

  @Test
  void simulate_nameOfAPackedFile_isPacked() throws IOException {
    String file = folder.resolve("a.csv.gz").toString();
    assertThat(execute(List.of("simulate", "--out", file, "--requests", "2", "--no-bars")))
        .isZero();
    try (InputStream in = new GZIPInputStream(Files.newInputStream(Path.of(file)))) {
      assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8).lines()).hasSize(21);
    }
  }

  @Test
  void inferSchema_file_printsASchemaThatTheReaderTakes() {
    String file = folder.resolve("rows.csv").toString();
    assertThat(execute(List.of("infer-schema", file))).isZero();
    assertThat(SchemaYaml.parse(out.toString(), "printed").features()).hasSize(2);
  }
}
