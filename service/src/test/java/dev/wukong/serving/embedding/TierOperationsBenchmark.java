package dev.wukong.serving.embedding;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.Figure;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Whether a RocksDB that is killed again and again has what plain maps have: {@link StoreTrial}.
 */
public final class TierOperationsBenchmark implements Benchmark {
  private static final String EARLY = "early-acknowledgement";

  @Override
  public String name() {
    return "tier-operations";
  }

  @Override
  public String summary() {
    return "random commits, reads, loads, drops and kills of a process over RocksDB, beside plain"
        + " maps; a minute; options operations=N, crashes=N, seed=N";
  }

  @Override
  public List<String> bugs() {
    return List.of(EARLY);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    int operations = Math.toIntExact(context.option("operations", 20_000));
    int crashes = Math.toIntExact(context.option("crashes", 100));
    long seed = context.option("seed", 1);
    Path folder = Files.createTempDirectory(context.makeParts(), "trial");
    try {
      StoreTrial.Outcome outcome =
          new StoreTrial(folder, seed, context.planted(EARLY)).run(operations, crashes);
      return List.of(
          Figure.of(
              "operations",
              outcome.operations(),
              "1",
              ">=10000",
              "half of them commits, of both widths and three bundles; seed %d".formatted(seed)),
          Figure.of("kills", outcome.kills(), "1", "-", "SIGKILL of the process, not of power"),
          Figure.of("cut_short", outcome.cutShort(), "1", "-", "kills inside an operation"),
          Figure.of(
              "resumed", outcome.resumed(), "1", "-", "loads gone on with where one was killed"),
          Figure.of(
              "differences",
              outcome.difference().isPresent() ? 1 : 0,
              "1",
              "<=0",
              outcome.difference().orElse("all rows, keys, versions and marks, after each kill")));
    } finally {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }
}
