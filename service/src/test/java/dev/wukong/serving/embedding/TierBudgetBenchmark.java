package dev.wukong.serving.embedding;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Whether rows take more memory than they may, while they come and go for half an hour: the hot ids
 * wander, and each second a commit changes rows and opens a view.
 *
 * <p>What may be used is the budget of the tier, the store's cache, and its tables of writes: the
 * one that is filled and the one that is written to disk. What is used is measured from outside, so
 * that it does not rest on what the tier says of itself: the growth of the process's anonymous
 * resident memory since a smaller tier has come and gone, where Java's heap has one size and is
 * touched from the start, so that only native memory moves it; and the growth of what full
 * collections leave of the heap. So it has everything in it that came with the rows: fragments of
 * the allocator, indexes and filters of files, iterators, snapshots, the cache's own entries. Pages
 * of files are the kernel's and are not counted. Garbage is not counted either: how large the heap
 * is says its own setting.
 */
public final class TierBudgetBenchmark implements Benchmark {
  private static final double MIB = 1 << 20;

  @Override
  public String name() {
    return "tier-budget";
  }

  @Override
  public String summary() {
    return "memory for rows beyond its budget while rows come, go and change; half an hour; options"
        + " minutes=N, rows=N, resident=MIB, cache=MIB";
  }

  @Override
  public List<String> bugs() {
    return TierBudgetWorker.BUGS;
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    Path store = context.makeParts().resolve("store");
    Map<String, Double> told =
        FigureProcess.run(
            context,
            List.of(
                BenchmarkContext.java().toString(),
                "-Xms640m",
                "-Xmx640m",
                "-XX:+AlwaysPreTouch",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                TierBudgetWorker.class.getName(),
                store.toAbsolutePath().toString(),
                Long.toString(context.option("minutes", 30)),
                Long.toString(context.option("rows", 4_000_000)),
                Long.toString(context.option("resident", 256) << 20),
                Long.toString(context.option("cache", 64) << 20),
                context.seedBug().orElse("")));
    double full = FigureProcess.value(told, "full");
    if (full < 0.8) {
      throw new BenchmarkException(
          "void: of the rows that have room %.0f %% came only".formatted(100 * full));
    }
    double budget = FigureProcess.value(told, "budget");
    return List.of(
        Figure.of("minutes", FigureProcess.value(told, "minutes"), "min", ">=30", ""),
        Figure.of(
            "over_budget_percent",
            100 * (FigureProcess.value(told, "most") - budget) / budget,
            "%",
            "<=10",
            "the most of %.0f samples: native %.1f MiB and heap %.1f MiB, may be %.1f together"
                .formatted(
                    FigureProcess.value(told, "samples"),
                    FigureProcess.value(told, "native") / MIB,
                    FigureProcess.value(told, "heap") / MIB,
                    budget / MIB)),
        Figure.of("rows_percent", 100 * full, "%", "-", "of those that have room were there"),
        Figure.of("evicted", FigureProcess.value(told, "evicted"), "1", "-", "rows that left"),
        Figure.of(
            "evicted_late_ratio",
            FigureProcess.value(told, "late"),
            "1",
            ">=0.5",
            "in the second half of the time by those in the first: rows that nobody gives back make"
                + " no room for others"),
        Figure.of("commits", FigureProcess.value(told, "commits"), "1"),
        Figure.of("lookups", FigureProcess.value(told, "lookups"), "1", "-", "distinct rows"));
  }
}
