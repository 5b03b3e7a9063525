package dev.wukong.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.figures.LoadModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProfileCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir private Path folder = Path.of("");

  @BeforeEach
  void bundle() throws IOException {
    Path _ = LoadModel.SMALL.write(folder, 1, 27 * 20, true);
  }

  private int execute(String... more) {
    List<String> arguments =
        new ArrayList<>(List.of("profile", folder.resolve("small").toString()));
    arguments.addAll(List.of(more));
    return ModelExport.line()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(arguments.toArray(String[]::new));
  }

  @ParameterizedTest
  @ValueSource(strings = {"fp32", "fp16"})
  void profile_bundle_saysWhereTheTimeGoes(String precision) {
    assertThat(
            execute(
                "--candidates", "32", "--contexts", "2", "--runs", "3", "--precision", precision))
        .isZero();
    assertThat(out.toString())
        .contains("cpu, " + precision + ": 32 candidates, 2 contexts: ")
        .contains("MatMul", "Gather", "layer0/fm", "layer1");
    // The shares of the operators are all of it.
    String operators = out.toString().split("\n\n", -1)[1];
    Matcher share = Pattern.compile("([0-9.]+) %").matcher(operators);
    double sum = 0;
    while (share.find()) {
      sum += Double.parseDouble(share.group(1));
    }
    assertThat(sum).isBetween(98.0, 102.0);
  }

  @ParameterizedTest
  @CsvSource({
    "--candidates, 0, '--candidates is 0, want 1 to 1048576'",
    "--runs, -1, '--runs is -1, want 1 to 1048576'",
    "--contexts, 600, '--contexts is 600, want 1 to --candidates (512)'",
    "--precision, fp8, 'precision is ''fp8'', want one of'",
    "--device, tpu, 'device is ''tpu'', want cpu or cuda:0'"
  })
  void profile_wrongOption_saysWhatIsAllowed(String option, String value, String message) {
    assertThat(execute(option, value)).isEqualTo(1);
    assertThat(err.toString()).contains(message).hasLineCount(1);
  }

  @Test
  void profile_bundleThatIsNotThere_saysSo() {
    assertThat(
            ModelExport.line()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute("profile", folder.resolve("none").toString()))
        .isEqualTo(1);
    assertThat(err.toString()).contains("there is no bundle folder");
  }
}
