package dev.wukong.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.data.SchemaYaml;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** Mistakes on the command line end with status 1 and one line that names what is wrong. */
class CommandErrorsTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir private Path folder = Path.of("");

  @BeforeEach
  void files() throws IOException {
    Files.writeString(folder.resolve("rows.csv"), "label,user,item\n1,5,6\n0,7,8\n");
    Files.writeString(folder.resolve("empty.csv"), "");
    Files.writeString(folder.resolve("nolabel.csv"), "a,b\n1,2\n");
    Files.writeString(folder.resolve("bad.yaml"), "name: x\n", StandardCharsets.UTF_8);
    Files.createDirectory(folder.resolve("empty"));
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
        "score @/rows.csv --target 127.0.0.1:1; '127.0.0.1:1'",
        "score @/rows.csv --batch 0; --batch is 0, want 1 to",
        "score @/rows.csv --deadline 0; --deadline is 0, want 1 to",
        "infer-schema @/none.csv; none.csv is not a file",
        "infer-schema @/nolabel.csv; nolabel.csv has no column that looks like a label",
        "infer-schema @/rows.csv --format none; no file format is called 'none'",
        "simulate --out @/none/x.csv; none/x.csv",
        "simulate --out @/x.csv --requests 0; --requests is 0, want 1 to",
        "train -c none; there is no configuration file 'none'",
        "train -c @/bad.yaml; bad.yaml",
        "train -c criteo --data @/empty --device none; device is 'none', want cpu or cuda:0",
        "train -c criteo --data @/empty --work @/work; empty/train.tsv.gz is not a file",
        "evaluate @/none @/rows.csv; none",
        "verify @/empty; empty",
        "smoke --device tpu:0; device is 'tpu:0', want cpu or cuda:0",
        "smoke --device cpu --batch 0; --batch is 0, want 1 to"
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
  void inferSchema_file_printsASchemaThatTheReaderTakes() {
    String file = folder.resolve("rows.csv").toString();
    assertThat(execute(List.of("infer-schema", file))).isZero();
    assertThat(SchemaYaml.parse(out.toString(), "printed").features()).hasSize(2);
  }
}
