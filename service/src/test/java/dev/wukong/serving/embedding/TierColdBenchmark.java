package dev.wukong.serving.embedding;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.data.InputLayout;
import dev.wukong.data.UniqueRows;
import dev.wukong.runtime.device.Element;
import dev.wukong.serving.inputs.ModelInputs;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Rows of which most lie in the store: how many of a request's positions find theirs in memory,
 * beside a cache that knows the future, and how long a request's rows take.
 */
public final class TierColdBenchmark implements Benchmark {
  private static final String FORGETFUL = "forgetful-keeper";
  private static final int WIDTH = 16;
  private static final int REQUEST = 13_500;

  /** Requests after the last one that is measured, which a cache that knows the future knows. */
  private static final int FUTURE = 500;

  @Override
  public String name() {
    return "tier-cold";
  }

  @Override
  public String summary() {
    return "hit rate and latency with 10 % and 1 % of the rows in memory, the others in RocksDB;"
        + " 4 minutes; options rows=N, warm=REQUESTS, measured=REQUESTS";
  }

  @Override
  public List<String> bugs() {
    return List.of(FORGETFUL);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    int rows = Math.toIntExact(context.option("rows", 10_000_000));
    int warm = Math.toIntExact(context.option("warm", 2500));
    int measured = Math.toIntExact(context.option("measured", 1000));
    Path folder = context.makeParts().resolve("rows-" + rows);
    List<Figure> figures = new ArrayList<>();
    try (RocksRowStore store = RocksRowStore.open(folder)) {
      int _ = new FilledTable(view(), WIDTH, rows).fill(store, context.progress());
      Requests requests = Requests.draw(rows, warm + measured + FUTURE);
      for (int percent : new int[] {10, 1}) {
        boolean forgetful = context.planted(FORGETFUL);
        figures.addAll(
            new Run(context, store, requests, rows, percent, warm, measured, forgetful).figures());
      }
    }
    return figures;
  }

  private static RowsView view() {
    return new RowsView("cold", 1, 0);
  }

  /** The distinct ids of each request, and how many of its positions have each. */
  @SuppressWarnings("ArrayRecordComponent") // Millions of ids, never compared.
  private record Requests(int[][] ids, int[][] positions) {
    static Requests draw(int rows, int count) {
      SpreadIds spread = new SpreadIds(rows, new SplittableRandom(11));
      int[][] ids = new int[count][];
      int[][] positions = new int[count][];
      for (int r = 0; r < count; r++) {
        int[] drawn = new int[REQUEST];
        for (int i = 0; i < REQUEST; i++) {
          drawn[i] = spread.getAsInt();
        }
        Arrays.sort(drawn);
        ids[r] = Arrays.stream(drawn).distinct().toArray();
        positions[r] = new int[ids[r].length];
        int at = 0;
        for (int id : drawn) {
          at += ids[r][at] == id ? 0 : 1;
          positions[r][at]++;
        }
      }
      return new Requests(ids, positions);
    }
  }

  /** One size of memory. */
  private static final class Run {
    private final BenchmarkContext context;
    private final RocksRowStore store;
    private final Requests requests;
    private final int rows;
    private final int percent;
    private final int warm;
    private final int measured;
    private final boolean forgetful;
    private final InputLayout layout;

    Run(
        BenchmarkContext context,
        RocksRowStore store,
        Requests requests,
        int rows,
        int percent,
        int warm,
        int measured,
        boolean forgetful) {
      this.context = context;
      this.store = store;
      this.requests = requests;
      this.rows = rows;
      this.percent = percent;
      this.warm = warm;
      this.measured = measured;
      this.forgetful = forgetful;
      this.layout = OneGroup.layout(WIDTH, rows, "item");
    }

    List<Figure> figures() throws BenchmarkException {
      int capacity = rows / 100 * percent;
      SimpleMeterRegistry meters = new SimpleMeterRegistry();
      double[] millis = new double[measured];
      long hits = 0;
      long distinct = 0;
      try (RowThreads threads = RowThreads.start(2, meters);
          ModelInputs target = new ModelInputs(layout, Element.FLOAT32, _ -> {});
          TierView tier =
              OneGroup.tier(
                      layout,
                      view(),
                      store,
                      forgetful ? RowThreads.of(threads.readers(), _ -> {}) : threads,
                      RowFormat.FP32,
                      capacity,
                      new float[WIDTH],
                      meters)
                  .open()) {
        UniqueRows unique = new UniqueRows(layout);
        for (int r = 0; r < warm + measured; r++) {
          int[] ids = requests.ids()[r];
          long found = 0;
          if (r >= warm) {
            for (int i = 0; i < ids.length; i++) {
              found += tier.resident(0, ids[i]) ? requests.positions()[r][i] : 0;
            }
          }
          long began = System.nanoTime();
          unique.clear();
          for (int id : ids) {
            unique.slotOf(0, id);
          }
          target.begin(0, 1);
          if (tier.copyRows(0, unique, target, Long.MAX_VALUE / 2) != null) {
            throw new BenchmarkException("request %d has a row that is not there".formatted(r));
          }
          long took = System.nanoTime() - began;
          check(ids, target);
          if (r >= warm) {
            millis[r - warm] = took / 1e6;
            hits += found;
            distinct += ids.length;
          } else if (r % 500 == 0) {
            context.progress().printf("%d %%: warming up, request %d of %d%n", percent, r, warm);
          }
        }
      }
      return figures(capacity, hits, distinct, millis);
    }

    private void check(int[] ids, ModelInputs target) {
      MemorySegment rows = target.rows(0, ids.length);
      for (int i = 0; i < ids.length; i += 97) {
        FilledTable.requireOwn(ids[i], rows, i + 1, WIDTH);
      }
    }

    private List<Figure> figures(int capacity, long hits, long distinct, double[] millis) {
      long all = (long) measured * REQUEST;
      long best =
          OfflineOptimum.hits(
              requests.ids(), requests.positions(), rows, capacity, warm, warm + measured);
      double rate = (double) hits / all;
      double optimal = (double) best / all;
      double[] sorted = millis.clone();
      Arrays.sort(sorted);
      double p50 = sorted[measured / 2];
      double p99 = sorted[Math.min(measured - 1, measured * 99 / 100)];
      double perSecond = distinct / (Arrays.stream(millis).sum() / 1e3);
      String suffix = "_%dpct".formatted(percent);
      String with =
          "%d requests of %d positions after %d to warm up".formatted(measured, REQUEST, warm);
      return List.of(
          Figure.of(
              "hit_rate_vs_optimal" + suffix,
              rate / optimal,
              "1",
              percent == 10 ? ">=0.95" : ">=0.90",
              "by position: %.4f, with the future known %.4f; %s".formatted(rate, optimal, with)),
          Figure.of("rows_per_second" + suffix, perSecond, "1/s", "-", "distinct rows, one caller"),
          Figure.of("p50_ms_13500_ids" + suffix, p50, "ms", "-", ""),
          Figure.of(
              "p99_ms_13500_ids" + suffix,
              p99,
              "ms",
              "-",
              "distinct ids found, rows found, read and copied; %d distinct rows a request"
                  .formatted(distinct / measured)));
    }
  }
}
