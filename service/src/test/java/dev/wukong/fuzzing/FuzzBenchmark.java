package dev.wukong.fuzzing;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Every target under a fuzzer that learns which inputs run code that none has run before (Jazzer).
 * What was worth keeping is kept for the next run.
 */
public final class FuzzBenchmark implements Benchmark {
  private static final String PLANTED = "no-refusal";
  private static final int LAST_LINES = 40;
  private static final int LONGEST_INPUT = 4096;

  /** With what libFuzzer ends where an input takes too long or too much, or fails. */
  private static final int FIRST_FINDING = 70;

  private static final int LAST_FINDING = 77;
  private static final Pattern EXECUTED = Pattern.compile("stat::number_of_executed_units: (\\d+)");
  private static final Pattern COVERED = Pattern.compile("cov: (\\d+)");

  @Override
  public String name() {
    return "fuzz";
  }

  @Override
  public String summary() {
    return "every reader of what comes from outside, each in a process of its own under Jazzer: a"
        + " minute each; options seconds=N, only=NAME";
  }

  @Override
  public List<String> bugs() {
    return List.of(PLANTED);
  }

  /**
   * What was found.
   *
   * @param covered places in the code that some input has run
   * @param finding the fuzzer's last lines; empty where there was none
   */
  private record Run(String name, long executed, long covered, List<String> finding) {}

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    long seconds = context.option("seconds", 60);
    String only = context.options().getOrDefault("only", "");
    List<FuzzTarget> targets = only.isEmpty() ? FuzzTargets.all() : List.of(FuzzTargets.of(only));
    List<Run> runs = new ArrayList<>();
    for (FuzzTarget target : targets) {
      Run run = fuzz(context, target, seconds);
      context
          .progress()
          .printf(
              Locale.ROOT,
              "%-20s %,12d executions, %,6d places covered%s%n",
              run.name(),
              run.executed(),
              run.covered(),
              run.finding().isEmpty() ? "" : ", a FINDING");
      run.finding().forEach(context.progress()::println);
      context.progress().flush();
      runs.add(run);
    }
    long executed = runs.stream().mapToLong(Run::executed).sum();
    long findings = runs.stream().filter(of -> !of.finding().isEmpty()).count();
    String found =
        String.join(
            " ", runs.stream().filter(of -> !of.finding().isEmpty()).map(Run::name).toList());
    return List.of(
        Figure.of("targets", (double) runs.size(), "1", only.isEmpty() ? ">=12" : "-", ""),
        Figure.of(
            "executions",
            (double) executed,
            "1",
            only.isEmpty() && seconds >= 60 ? ">=10000000" : "-",
            "%d s each".formatted(seconds)),
        Figure.of("findings", (double) findings, "1", "0", found));
  }

  private static Run fuzz(BenchmarkContext context, FuzzTarget target, long seconds)
      throws IOException, InterruptedException, BenchmarkException {
    Path folder = context.makeParts().resolve(target.name());
    Path corpus = Files.createDirectories(folder.resolve("corpus"));
    List<byte[]> seeds = target.seeds().get();
    for (int i = 0; i < seeds.size(); i++) {
      Files.write(corpus.resolve("seed" + i), seeds.get(i));
    }
    ProcessBuilder builder =
        new ProcessBuilder(command(context, target.name(), folder, corpus, seconds))
            .redirectErrorStream(true)
            .directory(folder.toFile());
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    Process process = builder.start();
    Deque<String> last = new ArrayDeque<>();
    long executed = 0;
    long covered = 0;
    try (BufferedReader lines = process.inputReader()) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        executed = Math.max(executed, number(EXECUTED, line));
        covered = Math.max(covered, number(COVERED, line));
        last.add(line);
        if (last.size() > LAST_LINES) {
          last.remove();
        }
      }
    } finally {
      process.destroy();
    }
    int code = process.waitFor();
    boolean found = code >= FIRST_FINDING && code <= LAST_FINDING;
    if (!found && (code != 0 || executed == 0)) {
      throw new BenchmarkException(
          "target '%s' was not run, the fuzzer ended with %d: %s"
              .formatted(target.name(), code, String.join("\n", last)));
    }
    return new Run(target.name(), executed, covered, found ? List.copyOf(last) : List.of());
  }

  private static long number(Pattern pattern, String line) {
    Matcher found = pattern.matcher(line);
    return found.find() ? Long.parseLong(found.group(1)) : 0;
  }

  private static List<String> command(
      BenchmarkContext context, String target, Path folder, Path corpus, long seconds) {
    return Stream.of(
            BenchmarkContext.java().toString(),
            "-Xmx1g",
            "-XX:+EnableDynamicAgentLoading",
            "--enable-native-access=ALL-UNNAMED",
            "-Dfuzz.target=" + target,
            "-D" + Fuzzed.PLANTED + "=" + context.planted(PLANTED),
            "com.code_intelligence.jazzer.Jazzer",
            "--target_class=" + Fuzzed.class.getName(),
            "--instrumentation_includes=dev.wukong.**",
            "--reproducer_path=" + folder,
            "-artifact_prefix=" + folder + "/",
            "-max_total_time=" + seconds,
            "-max_len=" + LONGEST_INPUT,
            "-timeout=20",
            "-rss_limit_mb=4096",
            "-print_final_stats=1",
            corpus.toString())
        .toList();
  }
}
