package dev.wukong.serving.retraining;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Precision;
import dev.wukong.data.EncodedExamples;
import dev.wukong.runtime.Device;
import dev.wukong.serving.gating.GateMode;
import dev.wukong.serving.gating.GatePolicy;
import dev.wukong.serving.joining.JoinPolicy;
import dev.wukong.serving.joining.TaskPolicy;
import dev.wukong.serving.joining.Weighting;
import dev.wukong.serving.lifecycle.RowPolicy;
import dev.wukong.serving.retraining.PoisonTrial.Plan;
import dev.wukong.serving.retraining.PoisonTrial.Probes;
import dev.wukong.serving.retraining.PoisonTrial.Seen;
import dev.wukong.serving.retraining.SimulatedTraffic.Kind;
import dev.wukong.simulator.Simulator;
import dev.wukong.simulator.SimulatorConfig;
import dev.wukong.training.OnlineSession;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.springframework.util.FileSystemUtils;

/**
 * What a model serves while something goes wrong with what it learns from, and for how long: by its
 * normalized entropy on requests whose exact probabilities are known, beside a run of the same
 * traffic in which nothing goes wrong.
 */
public final class PoisonBenchmark implements Benchmark {
  private static final String NO_GATE = "no-gate";

  /** Normalized entropy by which what serves is worse than in the healthy run: it is corrupted. */
  private static final double CORRUPTED = 0.01;

  /** Of what was before, one of so many requests tells when the first model has learned enough. */
  private static final long VALID = 10;

  /** Rows that may come: fewer than a flood of ids would have. */
  private static final long MOST_NEW_ROWS = 5_000;

  private static final long FRESH = 10_000_000;
  private static final Duration WINDOW = Duration.ofSeconds(20);
  private static final int BATCH = 256;

  @Override
  public String name() {
    return "poison";
  }

  @Override
  public String summary() {
    return "what is served while labels, features, ids or settings are wrong; some 30 minutes;"
        + " options before=SECONDS (90), wrong=SECONDS (100), after=SECONDS (150),"
        + " rate=CANDIDATES A SECOND (1000), first=REQUESTS that the first model learns from"
        + " (4000), probes=REQUESTS (200), seed=N, only=SCENARIO, mode=direct or gated";
  }

  @Override
  public List<String> bugs() {
    return List.of(NO_GATE);
  }

  /** One scenario in one mode, beside the healthy run of that mode. */
  private record Row(Poison poison, GateMode mode, Seen seen, Seen healthy) {
    int corrupted() {
      return seen.corrupted(healthy, CORRUPTED);
    }

    int behind() {
      return seen.behind(healthy, CORRUPTED);
    }

    boolean recovered() {
      return !seen.halted() && !seen.quarantinedAtEnd() && seen.last(healthy) <= CORRUPTED;
    }

    /** Whether nothing is left of it: it does as well as if nothing had happened. */
    boolean caughtUp() {
      return recovered() && seen.lastBehind(healthy) <= CORRUPTED;
    }

    String line() {
      return String.format(
          Locale.ROOT,
          "%-16s %-7s NE %.4f, %.4f, %.4f, corrupted %3d s (worst %+.4f), behind %3d s, rollback"
              + " %4d ms, frozen %3d s, quarantined %3d s, promoted %d and %d, refused %d, rows %d,"
              + " at the end %+.4f (%+.4f), %s (%s)%s",
          poison.text(),
          PoisonBenchmark.text(mode),
          seen.entropies().getFirst(),
          seen.entropies().get(seen.begins()),
          seen.entropies().getLast(),
          corrupted(),
          seen.worst(healthy),
          behind(),
          seen.rollbackNanos() / 1_000_000,
          seen.frozen(),
          seen.quarantined(),
          seen.promotedBefore(),
          seen.promotedAfter(),
          seen.refused(),
          seen.rows(),
          seen.last(healthy),
          seen.lastBehind(healthy),
          seen.halted() ? "halted" : caughtUp() ? "well" : recovered() ? "behind" : "not well",
          seen.verdict(),
          seen.takenBack().isEmpty() ? "" : "; taken back at " + seen.takenBack());
    }
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    Plan plan =
        new Plan(
            Duration.ofSeconds(context.option("before", 90)),
            Duration.ofSeconds(context.option("wrong", 100)),
            Duration.ofSeconds(context.option("after", 150)),
            Math.toIntExact(context.option("rate", 1000)));
    SimulatedTraffic traffic =
        new SimulatedTraffic(
            new Simulator(SimulatorConfig.small(context.option("seed", 1))),
            Kind.CLICKS,
            Duration.ofSeconds(2));
    long first = context.option("first", 4_000);
    Path folder = Files.createTempDirectory(context.makeParts(), "poison");
    try {
      Path model =
          FirstModel.train(
              "poison",
              FirstModel.QUICKSTART,
              traffic.schema(),
              () -> traffic.rows(0, first - first / VALID),
              () -> traffic.rows(first - first / VALID, first),
              folder);
      try (Bundle bundle = Bundle.open(model)) {
        return figures(rows(context, bundle, traffic, first, plan));
      }
    } finally {
      FileSystemUtils.deleteRecursively(folder);
    }
  }

  private static String text(GateMode mode) {
    return mode.name().toLowerCase(Locale.ROOT);
  }

  private static List<Row> rows(
      BenchmarkContext context, Bundle bundle, SimulatedTraffic traffic, long from, Plan plan)
      throws Exception {
    Probes probes = probes(bundle, traffic, context.option("probes", 200));
    String only = context.options().getOrDefault("only", "");
    String onlyMode = context.options().getOrDefault("mode", "");
    List<Row> rows = new ArrayList<>();
    for (GateMode mode : List.of(GateMode.DIRECT, GateMode.GATED)) {
      if (!onlyMode.isEmpty() && !text(mode).equals(onlyMode)) {
        continue;
      }
      Seen healthy = null;
      for (Poison poison : Poison.values()) {
        if (poison != Poison.NONE && !only.isEmpty() && !poison.text().equals(only)) {
          continue;
        }
        Seen seen =
            PoisonTrial.run(
                bundle,
                traffic,
                from,
                options(bundle, traffic, mode, 1),
                _ -> options(bundle, traffic, mode, Poison.TIMES),
                poison,
                plan,
                probes,
                context.planted(NO_GATE));
        healthy = healthy == null ? seen : healthy;
        Row row = new Row(poison, mode, seen, healthy);
        rows.add(row);
        context.progress().println(row.line());
        context.progress().flush();
        if (seen.entropies().size() < plan.all().toSeconds() * 0.8) {
          throw new BenchmarkException("void: the end was not reached");
        }
      }
    }
    return rows;
  }

  private static Probes probes(Bundle bundle, SimulatedTraffic traffic, long requests) {
    List<TimedRequest> all = new ArrayList<>();
    Iterator<TimedRequest> fresh =
        traffic.requests(bundle.encoder(), FRESH, FRESH + requests, 0, Duration.ofHours(1));
    fresh.forEachRemaining(all::add);
    EncodedExamples rows = new ExampleBlock(bundle.encoder()).of(all);
    double[] truth = all.stream().flatMapToDouble(of -> Arrays.stream(of.truth())).toArray();
    return new Probes(rows, truth);
  }

  private static LearnerOptions options(
      Bundle bundle, SimulatedTraffic traffic, GateMode mode, double times) {
    TaskPolicy policy = new TaskPolicy(WINDOW, Weighting.PLAIN, Optional.empty());
    return new LearnerOptions(
        BATCH,
        1,
        new Device.Cpu(),
        times * OnlineSession.suitingRate(bundle.manifest(), BATCH),
        Duration.ofSeconds(5),
        Precision.FP32,
        new JoinPolicy(
            List.of(traffic.task()),
            Map.of(traffic.task(), policy),
            Duration.ofMinutes(5),
            Duration.ofSeconds(5),
            Duration.ofMinutes(30),
            1),
        new RowPolicy(3, null),
        Duration.ofDays(1),
        1_000_000,
        bundle.manifest().rows() + MOST_NEW_ROWS,
        GatePolicy.usual(mode));
  }

  private static List<Figure> figures(List<Row> all) {
    List<Row> healthy = all.stream().filter(row -> row.poison() == Poison.NONE).toList();
    List<Row> rows = all.stream().filter(row -> row.poison() != Poison.NONE).toList();
    long scenarios = rows.stream().map(Row::poison).distinct().count();
    int exposure = 0;
    int behind = 0;
    int gated = 0;
    long recovered = 0;
    long caughtUp = 0;
    long rollback = 0;
    long rollbacks = 0;
    StringBuilder exposures =
        new StringBuilder(
            "corrupted: worse by more than 0.01 than the healthy run is then, than what served"
                + " before and than the last healthy state of then; direct:");
    for (Row row : rows) {
      if (row.mode() == GateMode.DIRECT) {
        exposure = Math.max(exposure, row.corrupted());
        exposures.append(
            String.format(Locale.ROOT, " %s %d s;", row.poison().text(), row.corrupted()));
      } else {
        gated += row.corrupted();
      }
      behind = Math.max(behind, row.behind());
      recovered += row.recovered() ? 1 : 0;
      caughtUp += row.caughtUp() ? 1 : 0;
      rollback = Math.max(rollback, row.seen().rollbackNanos());
      rollbacks += row.seen().takenBack().size();
    }
    int alarms = 0;
    for (Row row : healthy) {
      Seen seen = row.seen();
      alarms += seen.takenBack().size() + (seen.frozen() > 0 ? 1 : 0);
    }
    return List.of(
        Figure.of("scenarios", (double) scenarios, "1", ">=6", ""),
        Figure.of("exposure_seconds_max", exposure, "s", "<=60", exposures.toString()),
        Figure.of(
            "rollback_seconds_max",
            (double) rollback / 1e9,
            "s",
            "<=1",
            "commit made and in a store of memory; %d rollbacks".formatted(rollbacks)),
        Figure.of(
            "gated_corrupted_served",
            gated,
            "s",
            "0",
            "in %d seconds"
                .formatted(
                    rows.stream()
                        .filter(row -> row.mode() != GateMode.DIRECT)
                        .mapToInt(row -> row.seen().entropies().size())
                        .sum())),
        Figure.of(
            "behind_seconds_max",
            behind,
            "s",
            "-",
            "worse by more than 0.01 than the healthy run is then, however old it is; either mode"),
        Figure.of(
            "false_alarms",
            alarms,
            "1",
            "0",
            "taken back or frozen in %d healthy runs".formatted(healthy.size())),
        Figure.of(
            "recovered",
            (double) recovered,
            "1",
            "-",
            "of %d: at the end it learns, and is not corrupted".formatted(rows.size())),
        Figure.of(
            "caught_up",
            (double) caughtUp,
            "1",
            "-",
            "of these: no worse by 0.01 than the healthy run, either"));
  }
}
