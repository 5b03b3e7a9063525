package dev.wukong.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.training.EveryFeature;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code --out} never does: empty its own input, or an earlier result. */
class OutputFileTest {
  @TempDir private static Path trained = Path.of("");
  @TempDir private Path folder = Path.of("");

  private final StringWriter said = new StringWriter();

  @BeforeAll
  static void train() throws IOException {
    EveryFeature.bundle(trained, true);
  }

  private int execute(String... arguments) {
    return Typed.execute(said, said, arguments);
  }

  private int predict(Path file, Path out) {
    return execute(
        "predict",
        trained.resolve("bundles/every").toString(),
        file.toString(),
        "--no-bars",
        "--threads=1",
        "--out=" + out);
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }

  @Test
  void out_theInputByAnotherName_isRefusedAndLeftAsItWas() throws IOException {
    Path file = EveryFeature.csv(folder.resolve("rows.csv"), 20, 30, 5);
    Path link = Files.createSymbolicLink(folder.resolve("link.csv"), file);
    Path hard = Files.createLink(folder.resolve("hard.csv"), file);
    String before = Files.readString(file);
    for (Path out : List.of(file, link, hard, folder.resolve("x/../rows.csv"))) {
      if (out.toString().contains("..")) {
        Files.createDirectory(folder.resolve("x"));
      }
      assertThat(predict(file, out)).isEqualTo(1);
      assertThat(execute("score", file.toString(), "--target=127.0.0.1:1", "--out=" + out))
          .isEqualTo(1);
    }
    assertThat(said.toString().strip().lines())
        .hasSize(8)
        .allMatch(line -> line.contains("the same file as the data '" + file + "'"));
    assertThat(Files.readString(file)).isEqualTo(before);
  }

  @Test
  void out_commandFailsLater_keepsAnEarlierResult() throws IOException {
    Path file = EveryFeature.csv(folder.resolve("rows.csv"), 20, 30, 5);
    Path out = Files.writeString(folder.resolve("scores.csv"), "earlier\n");
    Files.writeString(file, Files.readString(file) + "one,column\n");
    assertThat(predict(file, out)).isEqualTo(1);
    assertThat(execute("score", file.toString(), "--target=127.0.0.1:1", "--out=" + out))
        .isEqualTo(1);
    assertThat(out).hasContent("earlier\n");
    assertThat(files()).containsExactly(file, out);
  }

  /** Two commands at once: the one that ends last stays, and nothing of the other. */
  @Test
  void out_writtenByTwo_isOneOfThem() throws IOException {
    Path out = folder.resolve("scores.csv");
    try (OutputFile first = OutputFile.create(out);
        OutputFile second = OutputFile.create(out)) {
      first.stream().write("first\n".repeat(3).getBytes(StandardCharsets.UTF_8));
      second.stream().write("second\n".getBytes(StandardCharsets.UTF_8));
      second.commit();
      assertThat(out).hasContent("second\n");
      first.commit();
    }
    assertThat(out).hasContent("first\nfirst\nfirst\n");
    assertThat(files()).containsExactly(out);
  }

  @Test
  void out_link_isFollowed() throws IOException {
    Path file = EveryFeature.csv(folder.resolve("rows.csv"), 20, 30, 5);
    Path target = Files.writeString(folder.resolve("there.csv"), "");
    Path link = Files.createSymbolicLink(folder.resolve("scores.csv"), target);
    assertThat(predict(file, link)).as(said.toString()).isZero();
    assertThat(link).isSymbolicLink();
    assertThat(Files.readAllLines(target)).hasSize(21);
    assertThat(files()).containsExactly(file, link, target);
  }

  @Test
  void out_folderOrNoFolder_isRefusedBeforeAnyWork() throws IOException {
    Path file = EveryFeature.csv(folder.resolve("rows.csv"), 20, 30, 5);
    assertThat(predict(file, folder)).isEqualTo(1);
    assertThat(predict(file, folder.resolve("none/x.csv"))).isEqualTo(1);
    assertThat(execute("simulate", "--no-bars", "--out=" + folder)).isEqualTo(1);
    assertThat(said.toString().strip().lines().toList())
        .satisfiesExactly(
            line -> assertThat(line).endsWith("', a folder; want a file"),
            line ->
                assertThat(line)
                    .endsWith(
                        "none/x.csv', but there is no folder '%s'"
                            .formatted(folder.resolve("none"))),
            line -> assertThat(line).endsWith("', a folder; want a file"));
  }
}
