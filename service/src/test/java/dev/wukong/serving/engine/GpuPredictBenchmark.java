package dev.wukong.serving.engine;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.figures.LoadModel;
import dev.wukong.serving.engine.EngineLoad.Batch;
import dev.wukong.serving.figures.ServedLatency;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * How quick the engine is on a GPU: model M of the design in half precision, rows in host memory.
 */
public final class GpuPredictBenchmark implements Benchmark {
  private static final int LARGEST = 8192;
  private static final long ROWS = 270_000;

  @Override
  public String name() {
    return "gpu-predict";
  }

  @Override
  public String summary() {
    return "rows a second and latency of model M on a GPU, in the engine and over gRPC; 3 minutes;"
        + " options device=cuda:0|cpu, precision=fp16|fp32, model=m|large|small, seconds=N,"
        + " pairs=N, runs=N, streams=N";
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    EngineLoad load = EngineLoad.of(context, "m");
    boolean cpu = !load.suffix().isEmpty();
    int streams = (int) context.option("streams", cpu ? 1 : 2);
    int pairs = (int) context.option("pairs", 3);
    int runs = (int) context.option("runs", cpu && load.model() != LoadModel.SMALL ? 10 : 2000);
    double seconds = context.option("seconds", 3);
    Path bundles = context.makeParts().resolve("bundles");
    byte[] graph = load.graph(bundles, ROWS);
    List<Figure> figures = new ArrayList<>();
    String of = load.suffix();
    try (BoundEngine recorded = load.engine(graph, LARGEST, streams, true);
        BoundEngine plain = load.engine(graph, LARGEST, streams, false)) {
      double[] ours = new double[pairs];
      double[] without = new double[pairs];
      for (int i = 0; i < pairs; i++) {
        without[i] = rowsPerSecond(load, plain, streams, seconds);
        ours[i] = rowsPerSecond(load, recorded, streams, seconds);
        context
            .progress()
            .printf(
                Locale.ROOT,
                "pair %d: %.0f rows/s, not recorded %.0f%n",
                i + 1,
                ours[i],
                without[i]);
        context.progress().flush();
      }
      figures.add(
          Figure.of(
              "rows_per_second_8192" + of,
              Figure.median(ours),
              "1/s",
              load.target(">=3.5e6"),
              "%s %s, %d streams, 4 distinct rows a candidate in host memory; not recorded %.0f"
                  .formatted(
                      load.model().title(), load.precision(), streams, Figure.median(without))));
      figures.add(Figure.ratio("recorded_vs_not_8192" + of, ours, without, "-"));
      try (Batch batch = load.batch(LARGEST, 1)) {
        double each = (double) batch.bytes() / LARGEST;
        figures.add(
            Figure.of(
                "bus_gb_per_second_8192" + of,
                each * Figure.median(ours) / 1e9,
                "GB/s",
                "-",
                "%.0f bytes a candidate in and out; a bus of the PCIe's fifth generation copies some"
                        .formatted(each)
                    + " 50 in each direction"));
      }
      for (int candidates : new int[] {128, 512}) {
        double[] millis = latencies(load, recorded, candidates, runs);
        double[] others = latencies(load, plain, candidates, runs);
        figures.add(
            Figure.of(
                "p50_ms_" + candidates + of,
                Figure.median(millis),
                "ms",
                load.target(candidates == 128 ? "<=0.25" : "<=0.45"),
                "in the engine; p99 %.3f; not recorded %.3f"
                    .formatted(percentile(millis, 0.99), Figure.median(others))));
      }
    }
    ServedLatency served =
        ServedLatency.of(
            context,
            bundles,
            load.model(),
            ROWS,
            512,
            runs,
            load.device().toString(),
            load.precision());
    figures.add(
        Figure.of(
            "p50_ms_512_grpc" + of,
            Figure.median(served.millis()),
            "ms",
            load.target("<=1.0"),
            "one caller on this machine; p99 %.3f; %s"
                .formatted(percentile(served.millis(), 0.99), served.stages())));
    return figures;
  }

  private static double rowsPerSecond(
      EngineLoad load, BoundEngine engine, int callers, double seconds) throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(callers)) {
      List<Callable<Double>> work = new ArrayList<>();
      for (int caller = 0; caller < callers; caller++) {
        int seed = caller;
        work.add(
            () -> {
              try (Batch batch = load.batch(LARGEST, seed)) {
                batch.run(engine);
                long began = System.nanoTime();
                long rows = 0;
                while (System.nanoTime() - began < seconds * 1e9) {
                  batch.run(engine);
                  rows += LARGEST;
                }
                return rows / ((System.nanoTime() - began) / 1e9);
              }
            });
      }
      double sum = 0;
      for (Future<Double> each : threads.invokeAll(work)) {
        sum += each.get();
      }
      return sum;
    }
  }

  private static double[] latencies(EngineLoad load, BoundEngine engine, int candidates, int runs)
      throws BenchmarkException {
    if (runs < 2) {
      throw new BenchmarkException("option 'runs' is " + runs + ", want 2 or more");
    }
    try (Batch batch = load.batch(candidates, 7)) {
      for (int i = 0; i < runs / 10; i++) {
        batch.run(engine);
      }
      double[] millis = new double[runs];
      for (int i = 0; i < runs; i++) {
        long began = System.nanoTime();
        batch.run(engine);
        millis[i] = (System.nanoTime() - began) / 1e6;
      }
      return millis;
    }
  }

  static double percentile(double[] values, double share) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[(int) Math.min(sorted.length - 1L, (long) (share * sorted.length))];
  }
}
