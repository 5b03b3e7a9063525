package dev.wukong.serving.hosting;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.Figure;
import dev.wukong.serving.embedding.RocksRowStore;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.hosting.TornReadAudit.Planted;
import dev.wukong.serving.hosting.TornReadAudit.Seen;
import java.util.List;

/**
 * Rows and dense weights stamped with their versions, in RocksDB and a fifth of them in memory,
 * read while commits change them: how many answers mix versions.
 */
public final class TornReadsBenchmark implements Benchmark {
  private static final String MIXTURE = "mixture";
  private static final int THREADS = 2;
  private static final int IDS = 4000;

  @Override
  public String name() {
    return "torn-reads";
  }

  @Override
  public String summary() {
    return "answers that mix versions while rows and dense weights change; 2 minutes;"
        + " options swaps=N, reads=ROWS";
  }

  @Override
  public List<String> bugs() {
    return List.of(MIXTURE);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    int swaps = Math.toIntExact(context.option("swaps", 1000));
    long reads = context.option("reads", 100_000_000);
    Stamps stamps = new Stamps(IDS);
    int rows = IDS * (Stamps.CONTEXT_FEATURES + Stamps.CANDIDATE_FEATURES);
    Planted planted = context.planted(MIXTURE) ? Planted.MIXTURE : Planted.NONE;
    long began = System.nanoTime();
    Seen seen;
    try (RowStore store = RocksRowStore.open(context.makeParts().resolve("rows"))) {
      seen =
          new TornReadAudit(stamps, store, rows / 5, swaps, planted)
              .run(
                  THREADS,
                  reads,
                  swap -> {
                    if (swap % 100 == 0) {
                      context.progress().printf("%d swaps of %d%n", swap, swaps);
                    }
                  });
    }
    double seconds = (System.nanoTime() - began) / 1e9;
    return List.of(
        Figure.of(
            "row_reads",
            (double) seen.rowReads(),
            "rows",
            ">=" + 100_000_000,
            "by %d threads, in %.0f s; %d could not be read"
                .formatted(THREADS, seconds, seen.unread())),
        Figure.of(
            "swaps",
            seen.swaps(),
            "swaps",
            ">=1000",
            "%d of the %d versions have answered; each changes a 16th of %,d rows, each second one"
                    .formatted(seen.versions(), seen.swaps() + 1, rows)
                + " the dense weights also"),
        Figure.of(
            "torn", (double) seen.torn(), "answers", "0", "candidates' answers of another version"),
        Figure.of(
            "unread", (double) seen.unread(), "rows", "0", "rows that took a default row for it"));
  }
}
