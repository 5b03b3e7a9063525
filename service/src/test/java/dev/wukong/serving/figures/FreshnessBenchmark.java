package dev.wukong.serving.figures;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.figures.LoadModel;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.serving.figures.OpenLoop.Call;
import dev.wukong.serving.figures.OpenLoop.End;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.springframework.util.FileSystemUtils;

/** How soon labels are part of answers, and what learning costs those who ask meanwhile. */
public final class FreshnessBenchmark implements Benchmark {
  /** Commits come so late that labels wait for seconds. */
  static final String LATE = "late-commits";

  /** The server stops for a moment now and then while it learns. */
  static final String PAUSE = "pause";

  private static final LoadModel MODEL = LoadModel.SMALL;
  private static final long ROWS = 100_000;

  /** Compilers are busy for so long with what training runs. */
  private static final double WARM_SECONDS = 120;

  private static final double SETTLE_SECONDS = 5;

  /** Below this share of calls nothing is said. */
  private static final double ANSWERED = 0.8;

  @Override
  public String name() {
    return "freshness";
  }

  @Override
  public String summary() {
    return "from a label to answers that have learned it, at half of the capacity; p99 of Predict"
        + " beside that with training paused; some 10 minutes; options pairs=N, seconds=N,"
        + " examples=N a second, sample=PERCENT";
  }

  @Override
  public List<String> bugs() {
    return List.of(LATE, PAUSE);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    Path work = context.makeParts().resolve("work-" + System.nanoTime());
    LearningLoad load = new LearningLoad(MODEL, ROWS);
    Path bundles = work.resolve("bundles");
    load.write(bundles);
    long percent = context.option("sample", 100);
    List<String> settings = new ArrayList<>();
    settings.add("wukong.models=" + load.title());
    settings.add("wukong.online.model=" + load.title());
    settings.add("wukong.online.events-dir=" + work.resolve("events").toAbsolutePath());
    settings.add("wukong.online.sample=" + percent / 100.0);
    // Short, as load begins here all the time, and nothing is learned for as long then.
    settings.add("wukong.online.window=2s");
    settings.add("wukong.online.grace=2s");
    settings.add("wukong.online.sights=1");
    // Clicks are by chance here: who learns from them is worse than who does not.
    settings.add("wukong.online.gate.harm=1");
    settings.add("wukong.online.gate.jump=100");
    if (context.planted(LATE)) {
      settings.add("wukong.online.commit-every=8s");
    }
    ServerUnderTest.Options options =
        new ServerUnderTest.Options(CallerCore.SERVER, List.of("-Xmx1g"), settings);
    List<Figure> figures;
    try (CallerCore _ = CallerCore.take();
        ServerUnderTest server = ServerUnderTest.start(context, bundles, work, options)) {
      server.awaitServing(load.title());
      try (LearningServer learning =
          new LearningServer(server, load, context.planted(PAUSE) ? 60 : 0)) {
        figures = new Run(context, learning, load).figures();
      }
    }
    boolean _ = FileSystemUtils.deleteRecursively(work); // Gigabytes; what has failed stays.
    return figures;
  }

  /** Pairs of loads against one server. */
  private static final class Run {
    private final BenchmarkContext context;
    private final LearningServer server;
    private final List<PredictRequest> requests;
    private final int pairs;
    private final double seconds;
    private final double wanted;
    private final List<Call> quiet = new ArrayList<>();
    private final List<Call> learning = new ArrayList<>();
    private double rate;

    Run(BenchmarkContext context, LearningServer server, LearningLoad load)
        throws BenchmarkException {
      this.context = context;
      this.server = server;
      this.requests = load.requests();
      this.pairs = Math.toIntExact(context.option("pairs", 5));
      this.seconds = context.option("seconds", 30);
      // A little above the target's 1,000: what comes of it spreads by a tenth.
      this.wanted = context.option("examples", 1100);
    }

    List<Figure> figures() throws Exception {
      double cold = server.capacity(requests, 30);
      server.react(wanted, cold / 2);
      server.resume();
      boolean _ =
          server.load(requests, cold / 2, WARM_SECONDS).isEmpty(); // Compiles training, too.
      double[] with = new double[pairs];
      double[] without = new double[pairs];
      double[] examples = new double[pairs];
      double[] shares = new double[pairs];
      double[] capacities = new double[pairs];
      for (int pair = 0; pair < pairs; pair++) {
        server.pause();
        capacities[pair] = server.capacity(requests, 10);
        rate = 0.52 * capacities[pair];
        server.react(wanted, rate);
        for (int turn = 0; turn < 2; turn++) {
          if (turn == pair % 2) {
            server.pause();
            boolean _ = load(SETTLE_SECONDS).isEmpty();
            List<Call> calls = load(seconds);
            without[pair] = CallFigures.quantile(calls, 0.99);
            quiet.addAll(calls);
          } else {
            server.resume();
            server.catchUp();
            boolean _ = load(SETTLE_SECONDS).isEmpty(); // Windows close.
            LearningServer.Learned learned = server.learn(requests, rate, seconds);
            requireAnswered(learned.calls(), seconds);
            with[pair] = CallFigures.quantile(learned.calls(), 0.99);
            examples[pair] = learned.examplesPerSecond();
            shares[pair] = learned.answeredPerSecond() / capacities[pair];
            learning.addAll(learned.calls());
            say(learned.note());
          }
        }
        say(
            "pair %d: capacity %.0f/s; p99 %.2f ms learning %.0f examples/s, %.2f paused"
                .formatted(pair + 1, capacities[pair], with[pair], examples[pair], without[pair]));
      }
      return figures(with, without, examples, shares, capacities);
    }

    private List<Call> load(double length) throws Exception {
      List<Call> calls = server.load(requests, rate, length);
      requireAnswered(calls, length);
      return calls;
    }

    /** What was refused or late has no latency: too much of it would hide what the rest had. */
    private void requireAnswered(List<Call> calls, double length) throws BenchmarkException {
      CallFigures.requireSent(calls, rate * length);
      long answered = CallFigures.count(calls, End.ANSWERED);
      if (answered < ANSWERED * calls.size()) {
        throw new BenchmarkException(
            "void: %d of %d calls were answered".formatted(answered, calls.size()));
      }
    }

    private List<Figure> figures(
        double[] with, double[] without, double[] examples, double[] shares, double[] capacities)
        throws BenchmarkException {
      double[] visible = server.labels().seconds();
      if (visible.length == 0) {
        throw new BenchmarkException("void: no label was seen");
      }
      Figure ratio = Figure.ratio("predict_p99_ratio", with, without, "<=1.25");
      return List.of(
          Figure.of(
              "examples_per_second",
              Figure.median(examples),
              "1/s",
              ">=1000",
              "learned from and committed; " + server.losses()),
          Figure.of(
              "predict_load_ratio",
              Figure.median(shares),
              "1",
              ">=0.5",
              "answered a second by the capacity, %.0f requests of %d candidates a second, all of them logged"
                  .formatted(Figure.median(capacities), LoadRequests.CANDIDATES)),
          visible("visible_p50_seconds", visible, 0.5, "<=2"),
          visible("visible_p99_seconds", visible, 0.99, "<=5"),
          Figure.of(
              "predict_p99_ratio",
              ratio.value(),
              "1",
              "<=1.25",
              "%s ms; of %d and %d calls %d and %d were not answered, p99 %.2f learning, %.2f paused; p50 %.2f and %.2f; p99.9 %.1f and %.1f"
                  .formatted(
                      ratio.note(),
                      learning.size(),
                      quiet.size(),
                      learning.size() - CallFigures.count(learning, End.ANSWERED),
                      quiet.size() - CallFigures.count(quiet, End.ANSWERED),
                      CallFigures.quantile(learning, 0.99),
                      CallFigures.quantile(quiet, 0.99),
                      CallFigures.quantile(learning, 0.5),
                      CallFigures.quantile(quiet, 0.5),
                      CallFigures.quantile(learning, 0.999),
                      CallFigures.quantile(quiet, 0.999))));
    }

    private Figure visible(String name, double[] visible, double quantile, String target) {
      return Figure.of(
          name,
          visible[(int) Math.min(visible.length - 1, quantile * visible.length)],
          "s",
          target,
          "from sending a label to the first answer that has learned it; %d labels, %d versions, %s; window 2 s, grace 2 s"
              .formatted(visible.length, server.labels().versions(), server.visibleByServer()));
    }

    private void say(String line) {
      context.progress().println(line);
      context.progress().flush();
    }
  }
}
