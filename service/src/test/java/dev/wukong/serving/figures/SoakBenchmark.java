package dev.wukong.serving.figures;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.figures.LoadModel;
import dev.wukong.proto.v1.Criticality;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.serving.figures.OpenLoop.Call;
import dev.wukong.serving.figures.OpenLoop.End;
import dev.wukong.serving.figures.OpenLoop.Kind;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;

/**
 * Whether anything grows in a server that runs for long: half of its capacity in Predict calls, all
 * other kinds of calls, new versions and operators' orders, for half an hour.
 *
 * <p>Java's heap has one size and is touched at the start, so that resident memory shows all that
 * grows outside of it: native memory, rows, buffers, threads, classes, code. What grows inside is
 * seen by the heap that full collections leave at the start and at the end.
 */
public final class SoakBenchmark implements Benchmark {
  private static final String LEAK = "leak";
  private static final LoadModel MODEL = LoadModel.SMALL;
  private static final long ROWS = 100_000;
  private static final double MIB = 1 << 20;
  private static final int HEAP_MIB = 512;
  private static final int CHANNELS = 4;
  private static final long DEADLINE_MILLIS = 1000;
  private static final double CHUNK_SECONDS = 20;

  /** Half of what the other callers make if each call takes no time. */
  private static final double LEAST_CALLS_PER_SECOND = 3;

  private static final long SAMPLE_MILLIS = 1000;

  @Override
  public String name() {
    return "soak";
  }

  @Override
  public String summary() {
    return "half load, swaps, bad requests and operators for half an hour: growth of memory, file"
        + " handles and threads; some 36 minutes; options minutes=N, warm=MINUTES before,"
        + " every=SECONDS between swaps";
  }

  @Override
  public List<String> bugs() {
    return List.of(LEAK);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    double every = context.option("every", 20);
    Path root = context.makeParts().resolve("bundles-" + System.nanoTime());
    Path staged = context.parts().resolve("staged-" + System.nanoTime());
    MODEL.write(root, 1, ROWS);
    ServerUnderTest.Options options =
        new ServerUnderTest.Options(
            CallerCore.SERVER,
            List.of(
                "-Xms" + HEAP_MIB + "m",
                "-Xmx" + HEAP_MIB + "m",
                "-XX:+AlwaysPreTouch",
                // As the image starts it: what sessions of old versions leave is given back.
                "-XX:TrimNativeHeapInterval=15000"),
            List.of("wukong.models=" + MODEL.title(), "wukong.poll=200ms"));
    Path work = context.parts().resolve("work-" + System.nanoTime());
    try (CallerCore _ = CallerCore.take();
        ServerUnderTest server = ServerUnderTest.start(context, root, work, options)) {
      server.awaitServing(MODEL.title());
      List<ManagedChannel> channels = Stream.generate(server::channel).limit(CHANNELS).toList();
      NewVersions versions = new NewVersions(MODEL, staged, root, ROWS);
      Map<String, Object> contextValues = values("u", 0, LoadModel.CONTEXT_FEATURES);
      List<Map<String, Object>> candidates =
          List.of(
              values("c", LoadModel.CONTEXT_FEATURES, LoadModel.CANDIDATE_FEATURES),
              values("c", LoadModel.CONTEXT_FEATURES, LoadModel.CANDIDATE_FEATURES));
      List<PredictRequest> requests =
          LoadRequests.of(MODEL, ROWS, 1000, Criticality.CRITICALITY_NORMAL);
      ClientRequest other =
          ClientRequest.of(MODEL.title(), LoadModel.schemaOf(ROWS), contextValues, candidates);
      String json =
          JsonMapper.shared()
              .writeValueAsString(Map.of("context", contextValues, "candidates", candidates));
      try (SoakCallers callers = new SoakCallers(server, requests, other.infer(), json);
          SoakSwaps swaps = new SoakSwaps(server, MODEL, versions, every, context.planted(LEAK))) {
        return new Run(context, server, channels, requests, callers.turns(), swaps.turns(), every)
            .figures();
      } finally {
        channels.forEach(ManagedChannel::shutdownNow);
      }
    }
  }

  private static Map<String, Object> values(String prefix, int first, int count) {
    Map<String, Object> values = new HashMap<>();
    for (int i = first; i < first + count; i++) {
      values.put(prefix + i, 7L * i);
    }
    return values;
  }

  private static final class Run {
    private final BenchmarkContext context;
    private final ServerUnderTest server;
    private final List<ManagedChannel> channels;
    private final List<PredictRequest> requests;
    private final OpenLoop loop;
    private final SoakTurns callers;
    private final SoakTurns swaps;
    private final double every;
    private final long start = System.nanoTime();
    private final Map<End, Long> ends = new EnumMap<>(End.class);

    Run(
        BenchmarkContext context,
        ServerUnderTest server,
        List<ManagedChannel> channels,
        List<PredictRequest> requests,
        SoakTurns callers,
        SoakTurns swaps,
        double every) {
      this.context = context;
      this.server = server;
      this.channels = channels;
      this.requests = requests;
      this.loop = new OpenLoop(channels, List.of(new Kind(requests, 1)), DEADLINE_MILLIS);
      this.callers = callers;
      this.swaps = swaps;
      this.every = every;
    }

    List<Figure> figures() throws Exception {
      double minutes = context.option("minutes", 30);
      double warm = context.option("warm", 5);
      double cold = Capacity.of(channels.getFirst(), requests, 2, 20);
      double rate = Capacity.of(channels.getFirst(), requests, 2, 10) / 2;
      say("half of the capacity: %.1f requests/s (%.1f at the start)".formatted(rate, cold / 2));
      callers.start();
      swaps.start();
      load(rate, warm, new ArrayList<>());
      double heap = server.liveHeapBytes();
      List<ProcessSample> samples = new ArrayList<>();
      long before = swaps.count();
      load(rate, minutes, samples);
      long swapped = swaps.count() - before;
      double heapAfter = server.liveHeapBytes();
      if (swapped < 0.8 * minutes * 60 / every - 1) {
        throw new BenchmarkException(
            "void: %d swaps in %.0f minutes; %s".formatted(swapped, minutes, swaps.lastFailure()));
      }
      double measured = (samples.getLast().seconds() - samples.getFirst().seconds()) / 60;
      if (callers.count() < LEAST_CALLS_PER_SECOND * (warm + minutes) * 60) {
        throw new BenchmarkException(
            "void: only %d other calls; %s".formatted(callers.count(), callers.lastFailure()));
      }
      long failed =
          ends.getOrDefault(End.FAILED, 0L)
              + ends.getOrDefault(End.LATE, 0L)
              + callers.failures()
              + swaps.failures();
      return List.of(
          // The last sample comes a second before the end.
          Figure.of("minutes", Math.rint(measured * 10) / 10, "min", ">=30", "after " + warm),
          memory(samples),
          growth("fd_slope", samples, ProcessSample::handles),
          growth("thread_slope", samples, ProcessSample::threads),
          Figure.of(
              "heap_growth_percent",
              100 * (heapAfter - heap) / MIB / HEAP_MIB,
              "%",
              "<=1",
              "of its %d MiB; full collections leave %.1f MiB at the start and %.1f at the end"
                  .formatted(HEAP_MIB, heap / MIB, heapAfter / MIB)),
          Figure.of(
              "failed",
              (double) failed,
              "1",
              "<=0",
              "Predict %s; %d other calls, %d swaps. %s %s %s"
                  .formatted(
                      ends,
                      callers.count(),
                      swaps.count(),
                      loop.failure(),
                      callers.lastFailure(),
                      swaps.lastFailure())),
          Figure.of(
              "refused",
              (double) ends.getOrDefault(End.REFUSED, 0L),
              "1",
              "-",
              "Predict calls that would have waited too long"),
          Figure.of("swaps", (double) swapped, "1"));
    }

    private static Figure memory(List<ProcessSample> samples) {
      RobustLine all = ProcessSample.line(samples, ProcessSample::resident);
      RobustLine anonymous = ProcessSample.line(samples, ProcessSample::anonymous);
      RobustLine file = ProcessSample.line(samples, ProcessSample::file);
      double percent = 100 * 3600 / all.start();
      double mega = 3600.0 / MIB;
      return Figure.of(
          "rss_slope_percent_per_hour",
          all.slope() * percent,
          "%",
          "<=2",
          ("95 %% %.1f to %.1f; %.1f MiB at the start of the line, %.1f at its end; MiB an hour:"
                  + " anonymous %.1f (%.1f to %.1f), of files %.1f")
              .formatted(
                  all.low() * percent,
                  all.high() * percent,
                  all.start() / MIB,
                  all.end() / MIB,
                  anonymous.slope() * mega,
                  anonymous.low() * mega,
                  anonymous.high() * mega,
                  file.slope() * mega));
    }

    private static Figure growth(
        String name, List<ProcessSample> samples, ToDoubleFunction<ProcessSample> count) {
      return Figure.of(
          name,
          ProcessSample.growth(samples, count),
          "1",
          "<=0",
          "a swap; %.0f at first, %.0f at last, %.0f to %.0f in between"
              .formatted(
                  count.applyAsDouble(samples.getFirst()),
                  count.applyAsDouble(samples.getLast()),
                  samples.stream().mapToDouble(count).min().orElseThrow(),
                  samples.stream().mapToDouble(count).max().orElseThrow()));
    }

    /** Sends the load for some minutes; samples each second into {@code samples}. */
    private void load(double rate, double minutes, List<ProcessSample> samples) throws Exception {
      Sampler sampler = new Sampler(samples);
      sampler.thread.start();
      try {
        for (double left = minutes * 60; left > 0; left -= CHUNK_SECONDS) {
          double seconds = Math.min(left, CHUNK_SECONDS);
          List<Call> calls = loop.run(rate, seconds).all();
          CallFigures.requireSent(calls, rate * seconds);
          calls.forEach(call -> ends.merge(call.end(), 1L, Long::sum));
          if (!server.process().isAlive()) {
            throw new BenchmarkException("void: the server has ended");
          }
          tell(sample(), calls);
        }
      } finally {
        sampler.stop = true;
        sampler.thread.join();
      }
      if (!sampler.error.isEmpty()) {
        throw new BenchmarkException("void: " + sampler.error);
      }
    }

    private void tell(ProcessSample now, List<Call> calls) {
      say(
          "%6.0f s, %3d swaps: %.1f MiB anonymous, %.1f of files, %d handles, %d threads; p99 %.0f ms"
              .formatted(
                  now.seconds(),
                  now.swaps(),
                  now.anonymous() / MIB,
                  now.file() / MIB,
                  now.handles(),
                  now.threads(),
                  CallFigures.quantile(calls, 0.99)));
    }

    private ProcessSample sample() throws IOException {
      return new ProcessSample(
          (System.nanoTime() - start) / 1e9,
          swaps.count(),
          server.anonymousBytes(),
          server.fileBytes(),
          server.handles(),
          server.threads());
    }

    /** Takes a sample each second until it is told to stop. */
    private final class Sampler {
      private final List<ProcessSample> samples;
      private final Thread thread = new Thread(this::take, "soak-samples");
      private volatile boolean stop;
      private volatile String error = "";

      Sampler(List<ProcessSample> samples) {
        this.samples = samples;
      }

      private void take() {
        while (!stop) {
          try {
            samples.add(sample());
            TimeUnit.MILLISECONDS.sleep(SAMPLE_MILLIS);
          } catch (IOException e) {
            error = e.toString();
            return;
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
          }
        }
      }
    }

    private void say(String line) {
      context.progress().println(line);
      context.progress().flush();
    }
  }
}
