package dev.wukong.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.TrustedKeys;
import dev.wukong.training.EveryFeature;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands that take a bundle, on one that training wrote. */
class BundleCommandsTest {
  @TempDir private static Path trained = Path.of("");
  @TempDir private Path folder = Path.of("");

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeAll
  static void train() throws IOException {
    EveryFeature.bundle(trained, true);
  }

  private int execute(String command, String... more) {
    List<String> arguments =
        Stream.concat(
                Stream.of(command, trained.resolve("bundles/every").toString(), "--threads=1"),
                Stream.of(more))
            .toList();
    return Typed.execute(out, err, arguments.toArray(String[]::new));
  }

  @Test
  void inspect_featuresAndTasks_areTables() {
    assertThat(execute("inspect")).isZero();
    List<String> rows =
        out.toString().lines().map(line -> line.strip().replaceAll(" {2,}", " ; ")).toList();
    assertThat(rows)
        .contains(
            "feature ; type ; scope ; values ; ids ; vocabulary ; tables (width)",
            "shop ; int64 ; candidate ; one ; hash to 48 bits ; - ; shop (3)",
            "brand ; string ; candidate ; one ; hash to 40 ; - ; brand (4)",
            "age ; number ; context ; one ; cut at 18, 25, 50 ; - ; age (8)",
            "price ; number ; candidate ; one, log1p ; - ; - ; -",
            "picture ; number ; candidate ; vector of 2 ; - ; - ; -",
            "balance ; number ; context ; one, log1p, optional ; - ; - ; -",
            "task ; column ; label is 1 where ; weights",
            "click ; click ; 1 or true ; -",
            "seconds ; seconds ; at least 30 ; -",
            "table ; rows ; width")
        .anyMatch(
            row -> row.matches("item ; int64 ; .* ; seen 2 times or more ; 30 ; item [(]8[)], .*"))
        .anyMatch(
            row ->
                row.matches(
                    "tags ; string ; .* ; up to 3, sum, weights tag_weights ; vocabulary ; .*"));
    assertThat(out.toString()).doesNotContain("Optional").doesNotContain("IdFeature[");
  }

  @Test
  void sign_withAKeyThatWasMade_isTrustedByItsPublicOne() throws IOException {
    Path key = folder.resolve("keys/release");
    assertThat(Typed.execute(out, err, "make-key", key.toString())).isZero();
    assertThat(execute("sign", "--key=" + key + ".key")).isZero();
    TrustedKeys trusted = TrustedKeys.read(List.of(folder.resolve("keys/release.pub")));
    try (Bundle signed = Bundle.open(trained.resolve("bundles/every/1"), trusted)) {
      assertThat(out.toString())
          .contains("key " + signed.signedBy() + ": ")
          .contains(signed.folder() + " is signed by key " + signed.signedBy());
    }
    assertThat(Typed.execute(out, err, "make-key", key.toString())).isNotZero();
    assertThat(err.toString()).contains("is there already");
  }

  @Test
  void inspect_saysWhatHalfPrecisionLoses() {
    assertThat(execute("inspect")).isZero();
    assertThat(out.toString())
        .containsPattern(
            "fp16 against fp32 on 150 rows of valid: largest difference [0-9.e-]+, click auc"
                + " [+-][0-9.e+-]+, click logloss [+-][0-9.e+-]+, seconds auc .*; golden rows"
                + " [0-9.e-]+ of 0[.]01[0-9] allowed")
        .contains("predict.fp16.onnx");
  }

  @Test
  void verify_checksBothGraphs() throws IOException {
    assertThat(execute("verify")).isZero();
    assertThat(out.toString().lines())
        .anyMatch(line -> line.matches("predict[.]onnx +16 golden rows, .* of 0[.]00010 allowed"))
        .anyMatch(
            line ->
                line.matches("predict[.]fp16[.]onnx +16 golden rows, .* of 0[.]01[0-9] allowed"));
    try (Bundle bundle = Bundle.open(trained.resolve("bundles/every/1"))) {
      assertThat(out.toString())
          .contains("is whole: %d files".formatted(bundle.manifest().files().size()));
    }
  }

  @Test
  void export_check_comparesWithTheBundle() {
    String model = folder.resolve("m.onnx").toString();
    String rows = trained.resolve("more.csv").toString();
    for (List<String> more :
        List.of(List.<String>of(), List.of("--batch-context"), List.of("--precision=fp16"))) {
      String[] options =
          Stream.concat(Stream.of("--out=" + model, "--check=" + rows, "--no-bars"), more.stream())
              .toArray(String[]::new);
      assertThat(execute("export", options)).as(err.toString()).isZero();
    }
    assertThat(out.toString().lines().filter(line -> line.endsWith("the same")))
        .hasSize(3)
        .allMatch(line -> line.startsWith("150 rows, largest difference to the bundle "));
    assertThat(folder.resolve("m.onnx")).isRegularFile();
    assertThat(folder.resolve("m.ids.json")).isRegularFile();
  }

  @Test
  void export_mistakes_areOneLine() throws IOException {
    assertThat(execute("export", "--out=" + folder.resolve("m.pb"))).isEqualTo(1);
    assertThat(execute("export", "--out=m.onnx", "--precision=int8")).isEqualTo(1);
    assertThat(execute("export", "--out=" + folder.resolve("none/m.onnx"))).isEqualTo(1);
    assertThat(err.toString().lines().toList())
        .satisfiesExactly(
            line -> assertThat(line).endsWith("is 'm.pb', want a name that ends in .onnx"),
            line -> assertThat(line).endsWith("is 'int8', want one of [fp32, fp16]"),
            line -> assertThat(line).endsWith("none' does not exist"));
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
  }
}
