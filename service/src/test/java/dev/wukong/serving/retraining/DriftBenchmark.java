package dev.wukong.serving.retraining;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Precision;
import dev.wukong.runtime.Device;
import dev.wukong.serving.gating.GateMode;
import dev.wukong.serving.gating.GatePolicy;
import dev.wukong.serving.joining.JoinPolicy;
import dev.wukong.serving.joining.TaskPolicy;
import dev.wukong.serving.joining.Weighting;
import dev.wukong.serving.lifecycle.RowPolicy;
import dev.wukong.serving.retraining.SimulatedTraffic.Kind;
import dev.wukong.simulator.Simulator;
import dev.wukong.simulator.SimulatorConfig;
import dev.wukong.study.PairedInterval;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.springframework.util.FileSystemUtils;

/**
 * What it is worth to follow a world that drifts, and to follow it soon: one model is trained on a
 * simulated day of clicks and serves from every commit, or from that of the last half hour, hour or
 * five hours, or never from any.
 */
public final class DriftBenchmark implements Benchmark {
  private static final String STALE = "stale";

  private static final Duration COMMIT = Duration.ofSeconds(5);
  private static final List<Duration> SERVE =
      List.of(
          COMMIT,
          Duration.ofMinutes(30),
          Duration.ofHours(1),
          Duration.ofHours(5),
          ServedCopy.NEVER);
  private static final List<String> NAMES =
      List.of("ne_online", "ne_30_minutes", "ne_1_hour", "ne_5_hours", "ne_frozen");
  private static final int ONLINE = 0;
  private static final int HOURLY = 2;
  private static final int FROZEN = 4;

  /** Nine times the mean time to a click. */
  private static final Duration WINDOW = Duration.ofMinutes(3);

  private static final long BEFORE = 40_000;
  private static final long VALID = 2_000;
  private static final int CANDIDATES = 10;

  /** Parts of the time that is simulated: hours, where that is a day. */
  private static final int BLOCKS = 24;

  /**
   * Of the bundle's learning rate, in per cent: half of what is taken where nobody says. A model
   * that was trained to its end loses more by steps of that length than it gains by being sooner.
   */
  private static final int RATE = 12;

  @Override
  public String name() {
    return "drift";
  }

  @Override
  public String summary() {
    return "normalized entropy over a day of a world that drifts, by how soon what was learned"
        + " serves; some 10 minutes; options examples=N (8000000), drift=MILLIRADIANS A DAY,"
        + " hours=N (24) of it, rate=PER CENT (12; 0: what suits the batch), batch=N, seed=N,"
        + " before=REQUESTS, window=SECONDS (180; 0: fake negatives)";
  }

  @Override
  public List<String> bugs() {
    return List.of(STALE);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    long perDay = context.option("examples", 8_000_000) / CANDIDATES;
    long hours = context.option("hours", 24);
    long requests = perDay * hours / 24;
    double drift = (double) context.option("drift", 1500) / 1000;
    long before = context.option("before", BEFORE);
    int seed = Math.toIntExact(context.option("seed", 1));
    SimulatorConfig still = SimulatorConfig.small(seed);
    SimulatorConfig world =
        new SimulatorConfig(
            seed,
            still.users(),
            still.items(),
            CANDIDATES,
            still.historyLength(),
            still.userSkew(),
            still.itemSkew(),
            still.clickRate(),
            still.bestNormalizedEntropy(),
            still.conversionRate(),
            still.conversionDelay(),
            drift * 1e6 / perDay);
    SimulatedTraffic traffic =
        new SimulatedTraffic(new Simulator(world), Kind.CLICKS, Duration.ofSeconds(20));
    Path folder = Files.createTempDirectory(context.makeParts(), "drift");
    HourlyLosses losses = new HourlyLosses(SERVE.size(), BLOCKS);
    DecisionsSeen decisions = new DecisionsSeen(context);
    long learned;
    long commits;
    try {
      Path first =
          FirstModel.train(
              "drift",
              FirstModel.QUICKSTART,
              traffic.schema(),
              () -> traffic.rows(0, before - VALID),
              () -> traffic.rows(before - VALID, before),
              folder);
      List<Duration> serve = new ArrayList<>(SERVE);
      if (context.planted(STALE)) {
        serve.set(ONLINE, ServedCopy.NEVER);
      }
      try (Bundle bundle = Bundle.open(first);
          LoopInTime loop =
              new LoopInTime(bundle, options(context, traffic), COMMIT, serve, decisions)) {
        long begin = Duration.ofDays(1000).toMillis();
        Duration over = Duration.ofHours(hours);
        int[] last = {0};
        loop.run(
            traffic.requests(bundle.encoder(), before, before + requests, begin, over),
            (request, given) -> {
              int hour = (int) ((request.atMs() - begin) * BLOCKS / over.toMillis());
              if (hour > last[0]) {
                say(context, losses, last[0]);
                last[0] = hour;
              }
              losses.add(hour, request.truth(), given);
            });
        learned = loop.examples();
        commits = loop.commits();
      }
    } finally {
      FileSystemUtils.deleteRecursively(folder);
    }
    if (learned < 0.8 * losses.count()) {
      throw new BenchmarkException(
          "void: of %,.0f candidates only %,d were learned from; taken back %d times, %s"
              .formatted(losses.count(), learned, decisions.takenBack(), decisions.last()));
    }
    List<Figure> figures = figures(losses, learned, commits, drift * hours / 24);
    figures.add(
        Figure.of(
            "taken_back",
            decisions.takenBack(),
            "1",
            "-",
            "times that what was learned was worse than a lucky healthy state; of these %d"
                    .formatted(decisions.promoted())
                + (decisions.takenBack() > 0 ? "; last: " + decisions.last() : "")));
    return figures;
  }

  private static LearnerOptions options(BenchmarkContext context, SimulatedTraffic traffic)
      throws BenchmarkException {
    Duration window = Duration.ofSeconds(context.option("window", WINDOW.toSeconds()));
    Weighting weighting = window.isZero() ? Weighting.FAKE_NEGATIVE : Weighting.PLAIN;
    TaskPolicy policy = new TaskPolicy(window, weighting, Optional.empty());
    return new LearnerOptions(
        Math.toIntExact(context.option("batch", 256)),
        1,
        new Device.Cpu(),
        (double) context.option("rate", RATE) / 100,
        Duration.ofSeconds(5),
        Precision.FP32,
        new JoinPolicy(
            List.of(traffic.task()),
            Map.of(traffic.task(), policy),
            Duration.ofMinutes(5),
            Duration.ofMinutes(1),
            Duration.ofMinutes(30),
            1),
        new RowPolicy(3, null),
        Duration.ofDays(1),
        1_000_000,
        100_000_000,
        GatePolicy.usual(GateMode.DIRECT));
  }

  private static void say(BenchmarkContext context, HourlyLosses losses, int hour) {
    StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "part %2d:", hour));
    for (int model = 0; model < SERVE.size(); model++) {
      line.append(String.format(Locale.ROOT, " %.4f", losses.normalized(model, hour)));
    }
    context
        .progress()
        .printf("%s, closed %.1f %%%n", line, 100 * losses.closed(ONLINE, FROZEN, hour));
    context.progress().flush();
  }

  private static List<Figure> figures(
      HourlyLosses losses, long learned, long commits, double drift) {
    PairedInterval closed = losses.closed(ONLINE, FROZEN).times(100);
    PairedInterval hourly = losses.gain(ONLINE, HOURLY);
    List<Figure> figures = new ArrayList<>();
    figures.add(
        Figure.of(
            "gap_closed_percent",
            closed.mean(),
            "%",
            ">=70",
            note("of what frozen lacks to the best; by hours, or 24ths", closed)));
    figures.add(Figure.of("gap_closed_ci_low", closed.low(), "%"));
    figures.add(
        Figure.of(
            "ne_gain_over_hourly_ci_low",
            hourly.low(),
            "1",
            ">0",
            note("normalized entropy, over serving the commit of the last full hour", hourly)));
    boolean ordered = true;
    StringBuilder steps = new StringBuilder("each sooner one ahead of the next, by hours:");
    for (int model = 0; model < FROZEN; model++) {
      PairedInterval gain = losses.gain(model, model + 1);
      ordered &= gain.low() > 0;
      steps.append(note("", gain)).append(';');
    }
    steps.append(
        " the Monolith paper (arXiv 2209.07663, section 3.2) has AUC 79.66, 79.78 and 79.80 for"
            + " 5 h, 1 h and 30 min");
    figures.add(Figure.of("sooner_is_better", ordered ? 1 : 0, "1", "-", steps.toString()));
    figures.add(
        Figure.of(
            "ne_best",
            losses.best(),
            "1",
            "-",
            "of the exact probabilities, mean %.4f".formatted(losses.rate())));
    for (int model = 0; model < SERVE.size(); model++) {
      figures.add(Figure.of(NAMES.get(model), losses.normalized(model), "1"));
    }
    figures.add(
        Figure.of(
            "examples",
            (double) learned,
            "1",
            "-",
            "learned of %,.0f scored, in %,d commits; %.2f radians of drift in all; scored by"
                    .formatted(losses.count(), commits, drift)
                + " sessions over the rows and weights of the commit that serves"));
    return figures;
  }

  private static String note(String what, PairedInterval interval) {
    return String.format(
        Locale.ROOT,
        "%s %.5g [%.5g, %.5g]",
        what,
        interval.mean(),
        interval.low(),
        interval.high());
  }
}
