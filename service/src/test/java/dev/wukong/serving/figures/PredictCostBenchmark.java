package dev.wukong.serving.figures;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.figures.LoadModel;
import dev.wukong.proto.v1.Criticality;
import dev.wukong.proto.v1.PredictRequest;
import io.grpc.ManagedChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** What a candidate costs the server beside a bare loop over the same graph. */
public final class PredictCostBenchmark implements Benchmark {
  private static final int REQUESTS = 1000;
  private static final int CANDIDATES = LoadRequests.CANDIDATES;
  private static final long ROWS = 1_000_000;

  /** Until the compiler has nothing left to do: a service runs for days. */
  private static final double WARM_SECONDS = 40;

  private static final int IN_FLIGHT = 6;
  private static final int[] BATCHES = {63, 125, 250, 500, 1000, 2000};

  @Override
  public String name() {
    return "predict-cost";
  }

  @Override
  public String summary() {
    return "processor time and allocation a candidate, beside a bare OrtSession.run loop; some 4"
        + " minutes; options pairs=N, seconds=N";
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    List<Figure> figures = new ArrayList<>();
    Cost large = measure(context, LoadModel.LARGE);
    Cost small = measure(context, LoadModel.SMALL);
    figures.add(large.ratio("cpu_per_row_vs_raw_large", "<=1.15"));
    figures.add(small.ratio("cpu_per_row_vs_raw_small", "<=1.6"));
    figures.add(large.micros("cpu_us_per_row_large"));
    figures.add(small.micros("cpu_us_per_row_small"));
    figures.add(
        Figure.of(
            "bytes_per_row",
            Math.max(large.bytes, small.bytes),
            "B",
            "<=256",
            "heap allocation of the server a candidate, of which its ids on the wire are 136; large"
                + " %.0f, small %.0f".formatted(large.bytes, small.bytes)));
    return figures;
  }

  private record Cost(double[] server, double[] raw, int batch, double bytes) {
    Figure ratio(String name, String target) {
      Figure figure = Figure.ratio(name, server, raw, target);
      return Figure.of(
          name, figure.value(), "1", target, figure.note() + " us; raw batch " + batch);
    }

    Figure micros(String name) {
      return Figure.of(name, Figure.median(server), "us");
    }
  }

  private static Cost measure(BenchmarkContext context, LoadModel model) throws Exception {
    int pairs = (int) context.option("pairs", 5);
    double seconds = context.option("seconds", 6);
    Path bundles = context.makeParts().resolve("bundles");
    Path bundle = model.write(bundles, 1, ROWS);
    List<PredictRequest> requests =
        LoadRequests.of(
            model,
            LoadModel.schemaOf(ROWS),
            REQUESTS,
            CANDIDATES,
            LoadModel.values(ROWS),
            Criticality.CRITICALITY_NORMAL);
    ServerUnderTest.Options options =
        new ServerUnderTest.Options(
            CallerCore.SERVER,
            List.of("-Xmx1g"),
            List.of(
                "wukong.models=" + model.title(),
                "wukong.engine.threads=1",
                // Calls in flight are what saturates it here; refusals would only hold it up.
                "wukong.batching.max-wait=2s"));
    try (CallerCore _ = CallerCore.take();
        RawLoopProcess raw =
            new RawLoopProcess(CallerCore.SERVER, bundle, model, LoadModel.values(ROWS), 1);
        ServerUnderTest server =
            ServerUnderTest.start(
                context, bundles, context.parts().resolve("work-" + model.title()), options)) {
      server.awaitServing(model.title());
      ManagedChannel channel = server.channel();
      try {
        load(server, channel, requests, WARM_SECONDS);
        int best = bestBatch(context, raw);
        double[] ours = new double[pairs];
        double[] bare = new double[pairs];
        double[] bytes = new double[pairs];
        for (int i = 0; i < pairs; i++) {
          bare[i] = raw.microsPerRow(best, seconds);
          Load load = load(server, channel, requests, seconds);
          ours[i] = load.cpu / load.rows * 1e6;
          bytes[i] = load.bytes / load.rows;
          context
              .progress()
              .printf(
                  "%s, pair %d: server %.2f us a row (%.0f rows/s, %.0f B a row, %.0f rows a"
                      + " batch, slowness %.2f), bare %.2f us%n",
                  model.title(),
                  i + 1,
                  ours[i],
                  load.rows / load.seconds,
                  bytes[i],
                  load.batch,
                  server.metric("wukong_batching_slowness", ""),
                  bare[i]);
          context.progress().flush();
        }
        return new Cost(ours, bare, best, Figure.median(bytes));
      } finally {
        channel.shutdownNow();
      }
    }
  }

  private static int bestBatch(BenchmarkContext context, RawLoopProcess raw) throws Exception {
    int best = 0;
    double least = Double.MAX_VALUE;
    StringBuilder told = new StringBuilder();
    for (int rows : BATCHES) {
      double micros = raw.microsPerRow(rows, 1.5);
      told.append("  %d: %.2f".formatted(rows, micros));
      if (micros < least) {
        least = micros;
        best = rows;
      }
    }
    context.progress().println("bare loop, us a row by batch:" + told);
    context.progress().flush();
    return best;
  }

  private record Load(double rows, double seconds, double cpu, double bytes, double batch) {}

  private static Load load(
      ServerUnderTest server, ManagedChannel channel, List<PredictRequest> requests, double seconds)
      throws Exception {
    ClosedLoop loop = ClosedLoop.start(channel, requests, IN_FLIGHT);
    TimeUnit.MILLISECONDS.sleep(300);
    // Reading metrics allocates too: nothing more of it within what is counted than must be.
    double batches = server.metric("wukong_batching_rows_count", "");
    double scored = server.metric("wukong_batching_rows_sum", "");
    double bytes = server.metric("wukong_process_allocated_bytes_total", "");
    double cpu = server.cpuSeconds();
    long before = loop.answered();
    long start = System.nanoTime();
    TimeUnit.MILLISECONDS.sleep((long) (seconds * 1000));
    double rows = (double) (loop.answered() - before) * CANDIDATES;
    double took = (System.nanoTime() - start) / 1e9;
    double used = server.cpuSeconds() - cpu;
    double allocated = server.metric("wukong_process_allocated_bytes_total", "") - bytes;
    double batch =
        (server.metric("wukong_batching_rows_sum", "") - scored)
            / (server.metric("wukong_batching_rows_count", "") - batches);
    loop.stop();
    if (loop.failed() > 0) {
      throw new BenchmarkException("void: calls failed, such as " + loop.lastFailure());
    }
    return new Load(rows, took, used, allocated, batch);
  }
}
