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
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** What new versions do to the answers of those who ask meanwhile. */
public final class SwapBenchmark implements Benchmark {
  private static final String PAUSE = "pause";
  private static final long ROWS = 100_000;
  private static final int REQUESTS = 1000;
  private static final int CHANNELS = 4;
  private static final long DEADLINE_MILLIS = 1000;
  private static final int ROUNDS = 6;
  private static final double SECONDS = 20;

  @Override
  public String name() {
    return "swap";
  }

  @Override
  public String summary() {
    return "new versions under half load: failed requests, p99 beside that without; some 10"
        + " minutes; options large=1, seconds=N";
  }

  @Override
  public List<String> bugs() {
    return List.of(PAUSE);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    LoadModel model = context.option("large", 0) == 1 ? LoadModel.LARGE : LoadModel.SMALL;
    Path root = context.makeParts().resolve("bundles-" + System.nanoTime());
    Path staged = context.parts().resolve("staged-" + System.nanoTime());
    model.write(root, 1, ROWS);
    List<PredictRequest> requests =
        LoadRequests.of(model, ROWS, REQUESTS, Criticality.CRITICALITY_NORMAL);
    ServerUnderTest.Options options =
        new ServerUnderTest.Options(
            CallerCore.SERVER,
            List.of("-Xmx1g"),
            List.of("wukong.models=" + model.title(), "wukong.poll=100ms"));
    Path work = context.parts().resolve("work-" + System.nanoTime());
    try (CallerCore _ = CallerCore.take();
        ServerUnderTest server = ServerUnderTest.start(context, root, work, options)) {
      server.awaitServing(model.title());
      List<ManagedChannel> channels = Stream.generate(server::channel).limit(CHANNELS).toList();
      try {
        Swaps swaps =
            new Swaps(
                new NewVersions(model, staged, root, ROWS),
                context.planted(PAUSE) ? server.process().pid() : 0);
        return new Run(context, server, channels, requests, swaps).figures();
      } finally {
        channels.forEach(ManagedChannel::shutdownNow);
      }
    }
  }

  /** Versions in place of each other, and the defect where it is planted. */
  private static final class Swaps {
    private final NewVersions versions;
    private final long paused;

    Swaps(NewVersions versions, long paused) {
      this.versions = versions;
      this.paused = paused;
    }

    void prepare(int count) throws IOException {
      versions.prepare(count);
    }

    void next() {
      try {
        versions.next();
        if (paused > 0) {
          signal("STOP");
          LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(300));
          signal("CONT");
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private void signal(String name) throws IOException {
      try {
        new ProcessBuilder("kill", "-" + name, Long.toString(paused)).start().waitFor();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static final class Run {
    private final BenchmarkContext context;
    private final ServerUnderTest server;
    private final List<ManagedChannel> channels;
    private final List<PredictRequest> requests;
    private final OpenLoop loop;
    private final Swaps swaps;
    private final double seconds;
    private double rate;
    private long failed;
    private final Map<End, Integer> ends = new EnumMap<>(End.class);
    private long calls;

    Run(
        BenchmarkContext context,
        ServerUnderTest server,
        List<ManagedChannel> channels,
        List<PredictRequest> requests,
        Swaps swaps)
        throws BenchmarkException {
      this.context = context;
      this.server = server;
      this.channels = channels;
      this.requests = requests;
      this.swaps = swaps;
      this.seconds = context.option("seconds", (long) SECONDS);
      this.loop = new OpenLoop(channels, List.of(new Kind(requests, 1)), DEADLINE_MILLIS);
    }

    List<Figure> figures() throws Exception {
      double cold = Capacity.of(channels.getFirst(), requests, 2, 30);
      rate = Capacity.of(channels.getFirst(), requests, 2, 10) / 2;
      say("half of the capacity: %.1f requests/s (%.1f at the start)".formatted(rate, cold / 2));
      swaps.prepare(4);
      load(10, 2.5); // What a swap needs is compiled, too.
      Figure rare = compare("p99_ratio_10s", "<=1.1", 10);
      Figure often = compare("p99_ratio_1s", "<=1.25", 1);
      int versions = loop.versions().size() - 1;
      String note = "versions that answered; the large ones of %d rows in all".formatted(ROWS);
      return List.of(
          Figure.of("swaps", versions, "1", ">=100", note),
          Figure.of(
              "failed",
              (double) failed,
              "1",
              "<=0",
              "of %d calls; %s %s".formatted(calls, ends, loop.failure())),
          rare,
          often);
    }

    /** The p99 with a swap each {@code every} seconds beside that without, by turns, in pairs. */
    private Figure compare(String name, String target, double every) throws Exception {
      List<Call> quiet = new ArrayList<>();
      List<Call> swapping = new ArrayList<>();
      double[] with = new double[ROUNDS];
      double[] without = new double[ROUNDS];
      for (int round = 0; round < ROUNDS; round++) {
        swaps.prepare((int) Math.ceil(seconds / every));
        boolean quietFirst = round % 2 == 0;
        List<Call> first = load(seconds, quietFirst ? 0 : every);
        List<Call> second = load(seconds, quietFirst ? every : 0);
        without[round] = CallFigures.quantile(quietFirst ? first : second, 0.99);
        with[round] = CallFigures.quantile(quietFirst ? second : first, 0.99);
        say(
            "pair %d: p99 %.2f ms with a swap each %.0f s, %.2f without"
                .formatted(round + 1, with[round], every, without[round]));
        quiet.addAll(quietFirst ? first : second);
        swapping.addAll(quietFirst ? second : first);
      }
      Figure ratio = Figure.ratio(name, with, without, target);
      String note =
          "%s ms; of all calls p99 %.2f with a swap each %.0f s, %.2f without; p50 %.2f and %.2f; p99.9 %.1f and %.1f"
              .formatted(
                  ratio.note(),
                  CallFigures.quantile(swapping, 0.99),
                  every,
                  CallFigures.quantile(quiet, 0.99),
                  CallFigures.quantile(swapping, 0.5),
                  CallFigures.quantile(quiet, 0.5),
                  CallFigures.quantile(swapping, 0.999),
                  CallFigures.quantile(quiet, 0.999));
      say(note);
      return Figure.of(name, ratio.value(), "1", target, note);
    }

    private List<Call> load(double length, double every) throws Exception {
      Thread swapper = Thread.ofPlatform().unstarted(() -> swap(length, every));
      if (every > 0) {
        swapper.start();
      }
      List<Call> all = loop.run(rate, length).all();
      swapper.join();
      CallFigures.requireSent(all, rate * length);
      calls += all.size();
      for (Call call : all) {
        if (call.end() != End.ANSWERED) {
          failed++;
          ends.merge(call.end(), 1, Integer::sum);
        }
      }
      if (!server.process().isAlive()) {
        throw new BenchmarkException("void: the server has ended");
      }
      return all;
    }

    private void swap(double length, double every) {
      long start = System.nanoTime();
      for (double at = every / 2; at < length; at += every) {
        long due = start + (long) (at * 1e9);
        for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
          LockSupport.parkNanos(left);
        }
        swaps.next();
      }
    }

    private void say(String line) {
      context.progress().println(line);
      context.progress().flush();
    }
  }
}
