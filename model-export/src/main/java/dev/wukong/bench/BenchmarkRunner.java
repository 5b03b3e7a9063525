package dev.wukong.bench;

import dev.wukong.config.ConfigException;
import dev.wukong.data.DataException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * Runs one benchmark, prints its figures and writes them to {@code target/bench/NAME.json} of the
 * project. A run with a planted defect is written to {@code NAME.BUG.json}: it never takes the
 * place of a real one.
 */
final class BenchmarkRunner {
  /** Exit status: every figure reaches its target. */
  static final int GREEN = 0;

  /** Exit status: no figures, and the last line says why. */
  static final int NO_FIGURES = 1;

  /** Exit status: the figures are written, and one misses its target. */
  static final int RED = 2;

  private final List<Benchmark> benchmarks;
  private final Path root;
  private final PrintWriter out;
  private final PrintWriter err;
  private final LongSupplier nanoTime;

  /**
   * @param root the project's folder
   * @param out takes the table
   * @param err takes errors and what a benchmark says while it runs
   */
  BenchmarkRunner(
      List<Benchmark> benchmarks,
      Path root,
      PrintWriter out,
      PrintWriter err,
      LongSupplier nanoTime) {
    this.benchmarks = benchmarks.stream().sorted(Comparator.comparing(Benchmark::name)).toList();
    this.root = root.toAbsolutePath().normalize();
    this.out = out;
    this.err = err;
    this.nanoTime = nanoTime;
  }

  /** One line for each benchmark. */
  int list() {
    for (Benchmark benchmark : benchmarks) {
      String bugs =
          benchmark.bugs().isEmpty()
              ? ""
              : " (planted defects: " + String.join(", ", benchmark.bugs()) + ")";
      out.printf("%-16s %s%s%n", benchmark.name(), benchmark.summary(), bugs);
    }
    out.flush();
    return GREEN;
  }

  /**
   * Runs the benchmark called {@code name}.
   *
   * @param data the folder with the data sets, absolute or from the project's folder
   * @return the exit status
   */
  int run(String name, Path data, Optional<String> seedBug, Map<String, String> options)
      throws Exception {
    Optional<Benchmark> found = benchmarks.stream().filter(b -> b.name().equals(name)).findFirst();
    if (found.isEmpty()) {
      return refuse(
          "there is no benchmark '"
              + name
              + "'; there are: "
              + benchmarks.stream().map(Benchmark::name).collect(Collectors.joining(", ")));
    }
    Benchmark benchmark = found.get();
    if (seedBug.isPresent() && !benchmark.bugs().contains(seedBug.get())) {
      return refuse(
          "benchmark '"
              + name
              + "' knows no defect '"
              + seedBug.get()
              + "'; it knows: "
              + String.join(", ", benchmark.bugs()));
    }
    Path folder = root.resolve("target").resolve("bench");
    Path file = folder.resolve(name + seedBug.map(bug -> "." + bug).orElse("") + ".json");
    Files.deleteIfExists(file); // Whoever finds it afterwards finds this run's figures.
    var context =
        new BenchmarkContext(
            root, root.resolve(data).normalize(), folder.resolve(name), seedBug, options, err);
    long start = nanoTime.getAsLong();
    List<Figure> figures;
    try {
      figures = benchmark.run(context);
    } catch (BenchmarkException | IOException | ConfigException | DataException e) {
      return refuse("benchmark '" + name + "': " + e.getMessage());
    }
    return publish(name, figures, (nanoTime.getAsLong() - start) / 1e9, file);
  }

  private int publish(String name, List<Figure> figures, double seconds, Path file)
      throws IOException {
    Checkout sources = Checkout.of(root);
    var report =
        new BenchmarkReport(
            name,
            sources.commit().orElse("unknown"),
            sources.changed(),
            Machine.describe(),
            seconds,
            figures);
    report.write(file);
    out.print(report.table());
    out.printf("%s, %.1f s%n", report.machine(), report.seconds());
    out.println(root.relativize(file));
    out.flush();
    return report.green() ? GREEN : RED;
  }

  private int refuse(String message) {
    err.println(message);
    err.flush();
    return NO_FIGURES;
  }
}
