package dev.wukong.serving.embedding;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.Figure;
import dev.wukong.data.InputLayout;
import dev.wukong.serving.testing.RedisCluster;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * A cluster of six Redis processes under a tier with 1 % of the rows in memory, whose masters are
 * killed one after the other while requests come at a steady rate. Every row that a request gets is
 * compared with what its key says it must be.
 */
public final class RedisBenchmark implements Benchmark {
  private static final String FOREIGN = "foreign-row";
  private static final int WIDTH = 16;
  private static final int CHUNK = 1 << 14;

  /** Rows of one read where nothing but the store is measured. */
  private static final int READ = 4096;

  private static final int READERS = 4;

  @Override
  public String name() {
    return "redis";
  }

  @Override
  public String summary() {
    return "masters of a Redis cluster killed under load, every row checked; 3 minutes; options"
        + " rows=N, kills=N, rate=REQUESTS-A-SECOND, ids=POSITIONS-A-REQUEST, every=SECONDS,"
        + " node-timeout=MILLIS";
  }

  @Override
  public List<String> bugs() {
    return List.of(FOREIGN);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    int rows = Math.toIntExact(context.option("rows", 1_000_000));
    Path folder = Files.createTempDirectory(context.makeParts(), "nodes");
    Duration nodeTimeout = Duration.ofMillis(context.option("node-timeout", 2000));
    try (RedisCluster cluster = RedisCluster.start(folder, nodeTimeout);
        RedisRowStore store = RedisRowStore.open(RedisSettings.of("bench", cluster.addresses()))) {
      List<Figure> figures = new ArrayList<>();
      figures.add(fill(context, store, rows));
      figures.add(readAlone(store, rows));
      figures.addAll(killMasters(context, cluster, store, rows));
      return figures;
    }
  }

  private static RowsView view() {
    return new RowsView("redis", 1, 0);
  }

  /** Float {@code j} of the row of {@code key}. */
  static float expected(long key, int j) {
    return (key * 31 + j * 7919L) % 1_000_003;
  }

  private static Figure fill(BenchmarkContext context, RedisRowStore store, int rows) {
    long began = System.nanoTime();
    float[] values = new float[CHUNK * WIDTH];
    long[] keys = new long[CHUNK];
    try (BulkRows bulk = store.bulk(view(), "rows that say whose they are")) {
      for (int from = 0; from < rows; from += CHUNK) {
        int count = Math.min(CHUNK, rows - from);
        for (int i = 0; i < count; i++) {
          keys[i] = (long) from + i;
          boolean foreign = context.planted(FOREIGN) && keys[i] % 1000 == 7;
          for (int j = 0; j < WIDTH; j++) {
            values[i * WIDTH + j] = expected(foreign ? keys[i] + 1 : keys[i], j);
          }
        }
        bulk.add(WIDTH, keys, count, values);
      }
      bulk.finish();
    }
    double perSecond = rows / seconds(System.nanoTime() - began);
    context.progress().printf("%,d rows of d %d, %,.0f a second%n", rows, WIDTH, perSecond);
    return Figure.of(
        "load_rows_per_second", perSecond, "1/s", "-", "each to a master and a replica");
  }

  private static Figure readAlone(RedisRowStore store, int rows) throws Exception {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
    Callable<Long> reads =
        () -> {
          SplittableRandom random = new SplittableRandom(Thread.currentThread().threadId());
          long[] keys = new long[READ];
          float[] values = new float[READ * WIDTH];
          RowFate[] fates = new RowFate[READ];
          long found = 0;
          try (RowReader reader = store.reader(view())) {
            while (System.nanoTime() < until) {
              Arrays.setAll(keys, i -> random.nextInt(rows));
              reader.read(WIDTH, keys, READ, values, fates);
              found += Arrays.stream(fates).filter(fate -> fate == RowFate.FOUND).count();
            }
          }
          return found;
        };
    long began = System.nanoTime();
    long found = 0;
    try (ExecutorService readers = Executors.newFixedThreadPool(READERS)) {
      for (Future<Long> read : readers.invokeAll(List.of(reads, reads, reads, reads))) {
        found += read.get();
      }
    }
    return Figure.of(
        "rows_per_second",
        found / seconds(System.nanoTime() - began),
        "1/s",
        "-",
        "from the store alone, any rows, %d at a time for each of %d callers"
            .formatted(READ, READERS));
  }

  private static List<Figure> killMasters(
      BenchmarkContext context, RedisCluster cluster, RedisRowStore store, int rows)
      throws Exception {
    InputLayout layout = OneGroup.layout(WIDTH, rows, "item");
    float[] fallback = new float[WIDTH];
    Arrays.fill(fallback, -1);
    SimpleMeterRegistry meters = new SimpleMeterRegistry();
    int kills = Math.toIntExact(context.option("kills", 6));
    try (RowThreads threads = RowThreads.start(READERS, meters);
        TierView tier =
            OneGroup.tier(
                    layout, view(), store, threads, RowFormat.FP32, rows / 100, fallback, meters)
                .open();
        RedisLoad load =
            new RedisLoad(
                layout,
                tier,
                rows,
                Math.toIntExact(context.option("ids", 2000)),
                context.option("rate", 40))) {
      long every = context.option("every", 5);
      TimeUnit.SECONDS.sleep(10); // The rows that are asked for often come into memory.
      load.measure();
      double before = load.now();
      TimeUnit.SECONDS.sleep(10);
      SplittableRandom random = new SplittableRandom(5);
      List<Double> killed = new ArrayList<>();
      double[] whole = new double[kills];
      double during = load.now();
      for (int k = 0; k < kills; k++) {
        List<Integer> masters = cluster.masters();
        int victim = masters.get(random.nextInt(masters.size()));
        killed.add(load.now());
        cluster.kill(victim);
        // Started again too soon it would be a master with nothing in it.
        RedisCluster.await("a replica takes over", () -> replaced(cluster, victim));
        cluster.restart(victim);
        cluster.awaitWhole();
        whole[k] = load.now();
        context
            .progress()
            .printf(
                "kill %d: node %d, all as before after %.1f s%n",
                k + 1, victim, whole[k] - killed.get(k));
        TimeUnit.SECONDS.sleep(every);
      }
      double after = load.now();
      TimeUnit.SECONDS.sleep(10);
      double end = load.now();
      load.end();
      load.requireLoad();
      double recovery = 0;
      for (int k = 0; k < kills; k++) {
        double next = k + 1 < kills ? killed.get(k + 1) : end;
        recovery = Math.max(recovery, load.recovered(killed.get(k), next) - killed.get(k));
      }
      String tried =
          "%d requests of %d positions, %d rows compared"
              .formatted(load.requests(), load.positionsOfRequest(), load.compared());
      return List.of(
          Figure.of("kills", kills, "1", ">=5", "SIGKILL to a master, each when all was whole"),
          Figure.of("wrong_rows", (double) load.wrong(), "1", "0", tried + load.firstWrong()),
          Figure.of("failed_predicts", (double) load.failed(), "1", "0", tried),
          Figure.of(
              "defaulted_ratio",
              load.defaulted(during, after),
              "1",
              "<=0.2",
              "by position, while masters are killed; in the worst second %.3f; before %.5f, after %.5f"
                  .formatted(
                      load.worst(during, after),
                      load.defaulted(before, during),
                      load.defaulted(after, end))),
          Figure.of(
              "recovery_seconds",
              recovery,
              "s",
              "-",
              "from a kill until a second passes with less than 1 % of the positions by default;"
                  + " the longest; a master counts as lost after %d ms"
                      .formatted(context.option("node-timeout", 2000))),
          Figure.of(
              "own_positions_per_second",
              load.own(during, after),
              "1/s",
              "-",
              "with the row of their own, while masters are killed; before %.0f, after %.0f"
                  .formatted(load.own(before, during), load.own(after, end))),
          Figure.of(
              "p99_ms", load.millis(0.99), "ms", "-", "a request's rows, from when it was due"));
    }
  }

  private static boolean replaced(RedisCluster cluster, int victim) {
    List<Integer> masters = cluster.masters();
    return masters.size() == 3 && !masters.contains(victim);
  }

  private static double seconds(long nanos) {
    return nanos / 1e9;
  }
}
