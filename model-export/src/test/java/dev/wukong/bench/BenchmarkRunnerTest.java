package dev.wukong.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class BenchmarkRunnerTest {
  @TempDir Path root;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  /** What a benchmark of these tests does when it runs. */
  private interface Body {
    List<Figure> run(BenchmarkContext context) throws Exception;
  }

  private record Fake(String name, List<String> bugs, Body body) implements Benchmark {
    @Override
    public String summary() {
      return "measures " + name + ", no time at all";
    }

    @Override
    public List<Figure> run(BenchmarkContext context) throws Exception {
      return body.run(context);
    }
  }

  private BenchmarkRunner runner(Benchmark... benchmarks) {
    long[] now = {0};
    return new BenchmarkRunner(
        List.of(benchmarks),
        root,
        new PrintWriter(out),
        new PrintWriter(err),
        () -> now[0] += 61_500_000_000L);
  }

  private int run(Benchmark benchmark) throws Exception {
    return runner(benchmark).run(benchmark.name(), Path.of("data"), Optional.empty(), Map.of());
  }

  private static Fake fake(Body body) {
    return new Fake("overload", List.of("lose-one"), body);
  }

  private Path file(String name) {
    return root.resolve("target/bench").resolve(name);
  }

  @Test
  void run_figures_areWrittenAndPrinted() throws Exception {
    int status =
        run(
            fake(
                context ->
                    List.of(
                        Figure.of("goodput_ratio_2x", 0.97, "1", ">=0.90", "median of 5"),
                        Figure.of("rows", 28860, "rows"))));

    assertThat(status).isEqualTo(BenchmarkRunner.GREEN);
    JsonNode report =
        JsonMapper.builder().build().readTree(Files.readString(file("overload.json")));
    assertThat(report.propertyNames())
        .containsExactly("name", "commit", "machine", "seconds", "figures");
    assertThat(report.get("name").stringValue()).isEqualTo("overload");
    assertThat(report.get("machine").stringValue()).contains("cores").contains("Java 2");
    assertThat(report.get("seconds").doubleValue()).isEqualTo(61.5);
    JsonNode figure = report.get("figures").get(0);
    assertThat(figure.propertyNames()).containsExactly("name", "value", "unit", "target", "note");
    assertThat(figure.get("name").stringValue()).isEqualTo("goodput_ratio_2x");
    assertThat(figure.get("value").doubleValue()).isEqualTo(0.97);
    assertThat(figure.get("unit").stringValue()).isEqualTo("1");
    assertThat(figure.get("target").stringValue()).isEqualTo(">=0.90");
    assertThat(figure.get("note").stringValue()).isEqualTo("median of 5");
    assertThat(report.get("figures").get(1).get("target").stringValue()).isEqualTo("-");
    assertThat(out.toString().lines().toList().get(0))
        .matches("goodput_ratio_2x +0\\.97000 +>=0\\.90 +met +median of 5");
    assertThat(out.toString()).contains("rows").contains("28860").contains("61.5 s");
  }

  @Test
  void run_inARepository_namesTheCommitAndWhetherItWasChanged() throws Exception {
    git("init", "--quiet");
    Files.writeString(root.resolve(".gitignore"), "target/\n");
    git("add", ".");
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "a");
    String commit = Machine.output(root, "git", "rev-parse", "HEAD").orElseThrow();
    Benchmark benchmark = fake(context -> List.of(Figure.of("rows", 1, "1")));

    run(benchmark);
    assertThat(Files.readString(file("overload.json"))).contains(commit).doesNotContain("changed");
    Files.writeString(root.resolve("pom.xml"), "changed");
    run(benchmark);
    assertThat(Files.readString(file("overload.json"))).contains(commit).contains("changed");
    assertThat(commit).matches("[0-9a-f]{40}");
  }

  @Test
  void run_missedTarget_isRedAndWritten() throws Exception {
    int status = run(fake(context -> List.of(Figure.of("lost", 1, "1", "0", "300 tries"))));

    assertThat(status).isEqualTo(BenchmarkRunner.RED);
    assertThat(out.toString()).contains("MISSED");
    assertThat(file("overload.json")).exists();
  }

  @Test
  void run_folderInUse_isOneLineAndNoFigure() throws Exception {
    int status =
        run(
            fake(
                context -> {
                  throw new IOException("the folder is in use");
                }));

    assertThat(status).isEqualTo(BenchmarkRunner.NO_FIGURES);
    assertThat(err.toString().strip()).isEqualTo("benchmark 'overload': the folder is in use");
  }

  @Test
  void run_missingDataSet_saysSoAndLeavesNoFigure() throws Exception {
    Files.createDirectories(file("overload.json").getParent());
    Files.writeString(file("overload.json"), "{\"of\": \"an earlier run\"}");

    int status =
        run(
            fake(
                context -> {
                  context.data("frappe");
                  return List.of(Figure.of("auc", 1, "1"));
                }));

    assertThat(status).isEqualTo(BenchmarkRunner.NO_FIGURES);
    assertThat(err.toString())
        .contains("the data set 'frappe' is missing")
        .contains(root.resolve("data/frappe").toString())
        .contains("-Dbench.data")
        .hasLineCount(1);
    assertThat(file("overload.json")).doesNotExist();
  }

  @Test
  void run_dataSetInPlace_isFound() throws Exception {
    Path data = Files.createDirectories(root.resolve("data/frappe"));
    run(
        fake(
            context -> {
              assertThat(context.data("frappe")).isEqualTo(data);
              return List.of();
            }));
    assertThat(file("overload.json")).exists();
  }

  @Test
  void run_missingJar_saysHowToBuildIt() throws Exception {
    int status =
        run(
            fake(
                context -> {
                  context.jar("service");
                  return List.of();
                }));
    assertThat(status).isEqualTo(BenchmarkRunner.NO_FIGURES);
    assertThat(err.toString()).contains("service.jar is missing").contains("package");
  }

  @Test
  void run_unknownName_listsTheNames() throws Exception {
    var runner =
        runner(
            new Fake("swap", List.of(), context -> List.of()),
            new Fake("frappe", List.of(), context -> List.of()));

    int status = runner.run("frape", Path.of("data"), Optional.empty(), Map.of());

    assertThat(status).isEqualTo(BenchmarkRunner.NO_FIGURES);
    assertThat(err.toString().strip())
        .isEqualTo("there is no benchmark 'frape'; there are: frappe, swap");
  }

  @Test
  void run_plantedDefect_isWrittenBesideTheRealFigures() throws Exception {
    Benchmark benchmark =
        fake(
            context ->
                List.of(Figure.of("lost", context.planted("lose-one") ? 1 : 0, "1", "0", "")));
    assertThat(run(benchmark)).isEqualTo(BenchmarkRunner.GREEN);
    String real = Files.readString(file("overload.json"));

    int status =
        runner(benchmark).run("overload", Path.of("data"), Optional.of("lose-one"), Map.of());

    assertThat(status).isEqualTo(BenchmarkRunner.RED);
    assertThat(file("overload.lose-one.json")).exists();
    assertThat(Files.readString(file("overload.json"))).isEqualTo(real);
  }

  @Test
  void run_unknownDefect_listsTheKnownOnes() throws Exception {
    int status =
        runner(fake(context -> List.of()))
            .run("overload", Path.of("data"), Optional.of("lose-two"), Map.of());
    assertThat(status).isEqualTo(BenchmarkRunner.NO_FIGURES);
    assertThat(err.toString()).contains("'lose-two'").contains("lose-one");
  }

  @Test
  void run_figureTwice_isRefused() {
    Figure figure = Figure.of("rows", 1, "1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> run(fake(context -> List.of(figure, figure))));
    assertThat(file("overload.json")).doesNotExist();
  }

  @Test
  void option_textForANumber_isRefusedByName() throws Exception {
    int status =
        runner(
                fake(
                    context ->
                        List.of(
                            Figure.of("minutes", (double) context.option("minutes", 5), "min"))))
            .run("overload", Path.of("data"), Optional.empty(), Map.of("minutes", "ten"));
    assertThat(status).isEqualTo(BenchmarkRunner.NO_FIGURES);
    assertThat(err.toString()).contains("option 'minutes' is 'ten'");
  }

  @Test
  void list_benchmarks_areSortedWithTheirDefects() {
    var runner =
        runner(
            new Fake("swap", List.of(), context -> List.of()),
            new Fake("overload", List.of("lose-one"), context -> List.of()));
    assertThat(runner.list()).isEqualTo(BenchmarkRunner.GREEN);
    assertThat(out.toString().lines())
        .containsExactly(
            "overload         measures overload, no time at all (planted defects: lose-one)",
            "swap             measures swap, no time at all");
  }

  private void git(String... arguments) throws Exception {
    var command = new ArrayList<>(List.of("git"));
    command.addAll(List.of(arguments));
    assertThat(new ProcessBuilder(command).directory(root.toFile()).start().waitFor()).isZero();
  }
}
