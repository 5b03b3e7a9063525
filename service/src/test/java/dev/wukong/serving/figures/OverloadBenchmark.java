package dev.wukong.serving.figures;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.Figure;
import dev.wukong.proto.v1.Criticality;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.serving.figures.OpenLoop.Call;
import dev.wukong.serving.figures.OpenLoop.End;
import dev.wukong.serving.figures.OpenLoop.Kind;
import io.grpc.ManagedChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** What is left of a server that gets much more than it can take. */
public final class OverloadBenchmark implements Benchmark {
  private static final String UNGUARDED = "no-admission";
  private static final String SERVER_CORE = "0";
  private static final LoadModel MODEL = LoadModel.LARGE;
  private static final long ROWS = 1_000_000;
  private static final int REQUESTS = 1000;
  private static final int CHANNELS = 4;
  private static final long DEADLINE_MILLIS = 500;
  private static final int IN_FLIGHT = 2;
  private static final double WARM_SECONDS = 40;

  /** A second of normal load that the server must answer as before to be called recovered. */
  private static final double RECOVERED = 0.99;

  @Override
  public String name() {
    return "overload";
  }

  @Override
  public String summary() {
    return "2 and 10 times the capacity offered: goodput, late answers, classes, memory, recovery;"
        + " some 8 minutes; option seconds=N of each load";
  }

  @Override
  public List<String> bugs() {
    return List.of(UNGUARDED);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    double seconds = context.option("seconds", 60);
    Path bundles = context.makeParts().resolve("bundles");
    MODEL.write(bundles, 1, ROWS);
    List<String> settings = new ArrayList<>();
    settings.add("wukong.models=" + MODEL.title());
    settings.add("wukong.engine.threads=1");
    if (context.planted(UNGUARDED)) {
      settings.add("wukong.batching.max-wait=1h");
      settings.add("wukong.batching.queue-rows=1000000");
    }
    ServerUnderTest.Options options =
        new ServerUnderTest.Options(SERVER_CORE, List.of("-Xmx1g"), settings);
    try (ServerUnderTest server =
        ServerUnderTest.start(context, bundles, context.parts().resolve("work"), options)) {
      server.awaitServing(MODEL.title());
      List<ManagedChannel> channels = Stream.generate(server::channel).limit(CHANNELS).toList();
      try {
        return new Run(context, server, channels, seconds).figures();
      } finally {
        channels.forEach(ManagedChannel::shutdownNow);
      }
    }
  }

  /** One run of all loads against one server. */
  private static final class Run {
    private final BenchmarkContext context;
    private final ServerUnderTest server;
    private final List<ManagedChannel> channels;
    private final double seconds;
    private long late;
    private long accepted;

    Run(
        BenchmarkContext context,
        ServerUnderTest server,
        List<ManagedChannel> channels,
        double seconds) {
      this.context = context;
      this.server = server;
      this.channels = channels;
      this.seconds = seconds;
    }

    List<Figure> figures() throws Exception {
      List<PredictRequest> normal = requests(Criticality.CRITICALITY_NORMAL);
      OpenLoop loop = new OpenLoop(channels, List.of(new Kind(normal, 1)), DEADLINE_MILLIS);
      capacity(normal, WARM_SECONDS);
      double before = capacity(normal, 20);
      loop.run(before / 2, 20); // Memory as it is under an ordinary load.
      long memory = server.residentBytes();
      double twice = goodput(loop, before, 2);
      double recovery = recovery(loop, before);
      double between = capacity(normal, 20);
      double tenfold = goodput(loop, between, 10);
      recovery = Math.max(recovery, recovery(loop, between));
      double growth = 100.0 * (server.residentBytes() - memory) / memory;
      double classes = classes(before);
      double capacity = (before + between) / 2;
      String of = "of %.1f requests/s, %d candidates each, deadline %d ms; server on one core";
      String note = of.formatted(capacity, LoadRequests.CANDIDATES, DEADLINE_MILLIS);
      return List.of(
          Figure.of("goodput_ratio_2x", twice / before, "1", ">=0.90", note),
          Figure.of("goodput_ratio_10x", tenfold / between, "1", ">=0.90", note),
          Figure.of(
              "late_ratio",
              (double) late / Math.max(1, accepted),
              "1",
              "<=0.01",
              "%d of %d requests that were not refused".formatted(late, accepted)),
          Figure.of("class_ratio", classes, "1", ">=9", "critical to sheddable, half of each"),
          Figure.of(
              "rss_growth_percent",
              growth,
              "%",
              "<=5",
              "from %d MiB under half of the capacity".formatted(memory >> 20)),
          Figure.of(
              "recovery_seconds", recovery, "s", "<=5", "until half of the capacity is answered"));
    }

    private List<PredictRequest> requests(Criticality criticality) {
      return LoadRequests.of(MODEL, ROWS, REQUESTS, criticality);
    }

    /** Requests a second that a few callers get who wait for their answers. */
    private double capacity(List<PredictRequest> requests, double length) throws Exception {
      Capacity capacity = Capacity.of(channels.getFirst(), requests, IN_FLIGHT, length);
      say(
          "capacity %.1f requests/s (%d refused meanwhile)"
              .formatted(capacity.perSecond(), capacity.failed()));
      return capacity.perSecond();
    }

    private double goodput(OpenLoop loop, double capacity, int times) throws Exception {
      double cpu = server.cpuSeconds();
      List<Call> calls = loop.run(capacity * times, seconds).all();
      CallFigures.requireSent(calls, capacity * times * seconds);
      long good = CallFigures.count(calls, End.ANSWERED);
      long passed = CallFigures.count(calls, End.LATE);
      late += passed;
      accepted += good + passed;
      double rate = good / seconds;
      say(
          ("%d times: %d sent, %d answered (%.1f/s), %d refused, %d late, %d failed %s; p50 %.0f"
                  + " ms, p99 %.0f ms; server %.0f %% of its core, slowness %.2f")
              .formatted(
                  times,
                  calls.size(),
                  good,
                  rate,
                  CallFigures.count(calls, End.REFUSED),
                  passed,
                  CallFigures.count(calls, End.FAILED),
                  loop.failure(),
                  CallFigures.quantile(calls, 0.5),
                  CallFigures.quantile(calls, 0.99),
                  100 * (server.cpuSeconds() - cpu) / seconds,
                  server.metric("wukong_batching_slowness", "")));
      return rate;
    }

    /** Seconds of half the capacity until a whole second of it is answered. */
    private double recovery(OpenLoop loop, double capacity) throws Exception {
      List<Call> calls = loop.run(capacity / 2, 10).all();
      int second = 0;
      for (; second < 10; second++) {
        long from = second * 1_000_000_000L;
        List<Call> own =
            calls.stream().filter(c -> c.at() >= from && c.at() < from + 1_000_000_000L).toList();
        if (CallFigures.count(own, End.ANSWERED) >= RECOVERED * own.size()) {
          break;
        }
      }
      say("normal again after %d s".formatted(second));
      return second;
    }

    private double classes(double capacity) throws Exception {
      List<Kind> kinds =
          List.of(
              new Kind(requests(Criticality.CRITICALITY_CRITICAL), 0.5),
              new Kind(requests(Criticality.CRITICALITY_SHEDDABLE), 0.5));
      OpenLoop loop = new OpenLoop(channels, kinds, DEADLINE_MILLIS);
      List<Call> calls = loop.run(capacity * 4, seconds / 2).all();
      long critical =
          CallFigures.count(calls.stream().filter(c -> c.kind() == 0).toList(), End.ANSWERED);
      long sheddable =
          CallFigures.count(calls.stream().filter(c -> c.kind() == 1).toList(), End.ANSWERED);
      say(
          "4 times, half critical: %d critical and %d sheddable answered"
              .formatted(critical, sheddable));
      return critical / (double) Math.max(1, sheddable);
    }

    private void say(String line) {
      context.progress().println(line);
      context.progress().flush();
    }
  }
}
