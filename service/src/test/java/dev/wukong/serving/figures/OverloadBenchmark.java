package dev.wukong.serving.figures;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.Figure;
import dev.wukong.figures.LoadModel;
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
  private static final LoadModel MODEL = LoadModel.LARGE;
  private static final long ROWS = 1_000_000;
  private static final int REQUESTS = 1000;
  private static final int CHANNELS = 4;
  private static final long DEADLINE_MILLIS = 500;
  private static final int IN_FLIGHT = 2;

  /** The capacity is offered so many times. */
  private static final int[] TIMES = {2, 10};

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
        + " some 11 minutes; options pairs=N, seconds=N of each load";
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
        new ServerUnderTest.Options(CallerCore.SERVER, List.of("-Xmx1g"), settings);
    try (CallerCore _ = CallerCore.take();
        ServerUnderTest server =
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
    private long failed;
    private long accepted;
    private long offered;
    private long largest;
    private String failure = "";

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
      double warm = capacity(normal, WARM_SECONDS);
      // Memory as it is under an ordinary load, and what chance does there.
      List<Call> ordinary = loop.run(warm / 2, 20).all();
      String byChance = "%d of %d".formatted(inTime(ordinary).size(), ordinary.size());
      say("half of the capacity, at random times: %s calls answered in time".formatted(byChance));
      long memory = server.residentBytes();
      int pairs = (int) context.option("pairs", 3);
      double[][] capacities = new double[2][pairs];
      double[][] goodputs = new double[2][pairs];
      double recovery = 0;
      for (int pair = 0; pair < pairs; pair++) {
        for (int load = 0; load < 2; load++) {
          double capacity = capacity(normal, 15);
          capacities[load][pair] = capacity;
          goodputs[load][pair] = goodput(loop, capacity, TIMES[load]);
          recovery = Math.max(recovery, recovery(loop, capacity));
        }
      }
      double growth = 100.0 * (largest - memory) / memory;
      double classes = classes(Figure.median(capacities[0]));
      return List.of(
          ratio("goodput_ratio_2x", goodputs[0], capacities[0]),
          ratio("goodput_ratio_10x", goodputs[1], capacities[1]),
          Figure.of(
              "late_ratio",
              (double) late / Math.max(1, accepted),
              "1",
              "<=0.01",
              "%d of %d requests that were not refused".formatted(late, accepted)),
          Figure.of(
              "failed",
              (double) failed,
              "1",
              "<=0",
              "of %d calls: any end but an answer, a typed refusal or a deadline that passed %s"
                  .formatted(offered, failure)),
          Figure.of("class_ratio", classes, "1", ">=9", "critical to sheddable, half of each"),
          Figure.of(
              "rss_growth_percent",
              growth,
              "%",
              "<=5",
              "largest under load, from %d MiB under half of the capacity".formatted(memory >> 20)),
          Figure.of(
              "recovery_seconds",
              recovery,
              "s",
              "<=5",
              ("from the last call of the load until all of half the capacity is answered, sent at"
                      + " even times; at random ones, before any overload, %s were")
                  .formatted(byChance)));
    }

    private static Figure ratio(String name, double[] goodputs, double[] capacities) {
      Figure ratio = Figure.ratio(name, goodputs, capacities, ">=0.90");
      String note =
          "%s requests/s of %d candidates; deadline %d ms; server on one core"
              .formatted(ratio.note(), LoadRequests.CANDIDATES, DEADLINE_MILLIS);
      return Figure.of(name, ratio.value(), "1", ">=0.90", note);
    }

    private List<PredictRequest> requests(Criticality criticality) {
      return LoadRequests.of(MODEL, ROWS, REQUESTS, criticality);
    }

    /** Requests a second that a few callers get who wait for their answers. */
    private double capacity(List<PredictRequest> requests, double length) throws Exception {
      double capacity = Capacity.of(channels.getFirst(), requests, IN_FLIGHT, length);
      say("capacity %.1f requests/s".formatted(capacity));
      return capacity;
    }

    private double goodput(OpenLoop loop, double capacity, int times) throws Exception {
      double cpu = server.cpuSeconds();
      List<Call> calls;
      try (LargestMemory memory = new LargestMemory(server)) {
        calls = loop.run(capacity * times, seconds).all();
        largest = Math.max(largest, memory.stop());
      }
      CallFigures.requireSent(calls, capacity * times * seconds);
      tally(loop, calls);
      long good = inTime(calls).size();
      long passed = late(calls);
      // What was answered after the last call was sent is no part of what a second holds.
      double rate =
          inTime(calls).stream().filter(c -> c.at() + c.nanos() <= seconds * 1e9).count() / seconds;
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

    /** Answers within the deadline, as from when the call was meant to be sent. */
    private static List<Call> inTime(List<Call> calls) {
      return calls.stream()
          .filter(c -> c.end() == End.ANSWERED && c.nanos() <= DEADLINE_MILLIS * 1_000_000)
          .toList();
    }

    private static long late(List<Call> calls) {
      return CallFigures.count(calls, End.LATE)
          + CallFigures.count(calls, End.ANSWERED)
          - inTime(calls).size();
    }

    private void tally(OpenLoop loop, List<Call> calls) {
      offered += calls.size();
      late += late(calls);
      failed += CallFigures.count(calls, End.FAILED);
      accepted += CallFigures.count(calls, End.ANSWERED) + CallFigures.count(calls, End.LATE);
      failure = loop.failure();
    }

    /**
     * Seconds from the last call of the load to the last second in which not all of half the
     * capacity was answered in time. Those calls are sent at even times: of calls at random times a
     * few are refused without any overload, where many happen to come at once.
     */
    private double recovery(OpenLoop loop, double capacity) throws Exception {
      double idle = (System.nanoTime() - loop.lastDue()) / 1e9;
      List<Call> calls = loop.runEvenly(capacity / 2, 10).all();
      int normal = 10;
      for (; normal > 0; normal--) {
        long from = (normal - 1) * 1_000_000_000L;
        List<Call> own =
            calls.stream().filter(c -> c.at() >= from && c.at() < from + 1_000_000_000L).toList();
        if (inTime(own).size() < RECOVERED * own.size()) {
          break;
        }
      }
      double seconds = normal == 0 ? Math.max(idle, 0) : idle + normal;
      say("normal again after %.1f s".formatted(seconds));
      return seconds;
    }

    private double classes(double capacity) throws Exception {
      List<Kind> kinds =
          List.of(
              new Kind(requests(Criticality.CRITICALITY_CRITICAL), 0.5),
              new Kind(requests(Criticality.CRITICALITY_SHEDDABLE), 0.5));
      OpenLoop loop = new OpenLoop(channels, kinds, DEADLINE_MILLIS);
      List<Call> calls = loop.run(capacity * 4, seconds / 2).all();
      CallFigures.requireSent(calls, capacity * 4 * seconds / 2);
      tally(loop, calls);
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
