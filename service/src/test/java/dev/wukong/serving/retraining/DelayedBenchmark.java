package dev.wukong.serving.retraining;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
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
import dev.wukong.serving.retraining.SimulatedTraffic.Kind;
import dev.wukong.simulator.Simulator;
import dev.wukong.simulator.SimulatorConfig;
import dev.wukong.study.PairedInterval;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.springframework.util.FileSystemUtils;

/**
 * How far off the mean prediction gets where most positive labels come long after the window in
 * which they are waited for, by what is done about it.
 */
public final class DelayedBenchmark implements Benchmark {
  private static final String IGNORED = "weights-ignored";

  private static final int BEFORE = 4000;
  private static final int FRESH = 500;
  private static final Duration DELAY = Duration.ofHours(4);
  private static final Duration WINDOW = DELAY.dividedBy(10);
  private static final Duration GRACE = Duration.ofMinutes(1);
  private static final Duration HORIZON = Duration.ofDays(1);

  /** The last of the simulated days is measured, every hour. */
  private static final int MEASURED = 24;

  private static final String MODEL =
      """
      model:
        type: wukong
        embedding: {width: 8, deviation: 0.01}
        layers: 1
        fm_mlp: {hidden: [16]}
        head: {hidden: [16]}
      training:
        batch: 256
        epochs: 6
        seed: 7
        threads: 1
        dense: {optimizer: adam, learning_rate: 0.001}
        rows: {mode: touched, optimizer: row_wise_adagrad, learning_rate: 0.02}
        clip_norm: 10
        plateau: {factor: 0.5, stop_after: 2, watch: mean}
      """;

  /** What is done about late labels. */
  private enum Way {
    /** Late positives are learned, after they were negatives; all weigh the same. */
    NAIVE(Weighting.PLAIN, WINDOW, HORIZON),
    /** Nothing later than the window is taken. */
    DROPPED(Weighting.PLAIN, WINDOW, WINDOW.plus(GRACE)),
    /** Not waited for at all, and weighed. */
    FAKE_NEGATIVE(Weighting.FAKE_NEGATIVE, Duration.ZERO, HORIZON),
    /** Waited for, and weighed. */
    CONSTANT_WAIT(Weighting.CONSTANT_WAIT, WINDOW, HORIZON),
    /** Waited for until nearly all have come: what learning itself is off by. */
    PATIENT(Weighting.PLAIN, HORIZON.minus(GRACE), HORIZON);

    private final Weighting weighting;
    private final Duration window;
    private final Duration horizon;

    Way(Weighting weighting, Duration window, Duration horizon) {
      this.weighting = weighting;
      this.window = window;
      this.horizon = horizon;
    }

    JoinPolicy policy(String task, boolean ignored) {
      TaskPolicy of =
          new TaskPolicy(window, ignored ? Weighting.PLAIN : weighting, Optional.empty());
      Duration exposure = Duration.ofMinutes(10);
      Duration grace = window.isZero() ? Duration.ZERO : GRACE;
      return new JoinPolicy(List.of(task), Map.of(task, of), exposure, grace, horizon, 1);
    }
  }

  @Override
  public String name() {
    return "delayed";
  }

  @Override
  public String summary() {
    return "calibration where most conversions come after the window, by what is done about it;"
        + " 5 minutes; options seeds=N, days=N, examples=N A DAY, commit=SECONDS, batch=N,"
        + " rate=PER CENT";
  }

  @Override
  public List<String> bugs() {
    return List.of(IGNORED);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    int seeds = Math.toIntExact(context.option("seeds", 5));
    Trial trial =
        new Trial(
            context.planted(IGNORED),
            Math.toIntExact(context.option("days", 3)),
            context.option("examples", 60_000),
            Duration.ofSeconds(context.option("commit", 300)),
            Math.toIntExact(context.option("batch", 256)),
            (double) context.option("rate", 100) / 100);
    Map<Way, double[]> off = new EnumMap<>(Way.class);
    for (Way way : Way.values()) {
      off.put(way, new double[seeds]);
    }
    Path folder = Files.createTempDirectory(context.makeParts(), "delayed");
    try {
      for (int seed = 0; seed < seeds; seed++) {
        Map<Way, Double> errors = trial.run(seed + 1, folder);
        for (Map.Entry<Way, double[]> each : off.entrySet()) {
          double error = errors.getOrDefault(each.getKey(), Double.NaN);
          each.getValue()[seed] = error;
          context.progress().printf("seed %d, %s: %+.4f%n", seed + 1, each.getKey(), error);
          context.progress().flush();
        }
      }
    } finally {
      FileSystemUtils.deleteRecursively(folder);
    }
    double fake = error(off, Way.FAKE_NEGATIVE);
    double wait = error(off, Way.CONSTANT_WAIT);
    Way worse = fake > wait ? Way.FAKE_NEGATIVE : Way.CONSTANT_WAIT;
    return List.of(
        figure("calibration_error_naive", off, Way.NAIVE, ">=0.10"),
        figure("calibration_error_weighted", off, worse, "<=0.02"),
        figure("calibration_error_fake_negative", off, Way.FAKE_NEGATIVE, "-"),
        figure("calibration_error_constant_wait", off, Way.CONSTANT_WAIT, "-"),
        figure("calibration_error_dropped", off, Way.DROPPED, "-"),
        figure("calibration_error_patient", off, Way.PATIENT, "-"));
  }

  private static double error(Map<Way, double[]> off, Way way) {
    return Arrays.stream(off.getOrDefault(way, new double[0]))
        .map(Math::abs)
        .average()
        .orElseThrow();
  }

  private static Figure figure(String name, Map<Way, double[]> off, Way way, String target) {
    double[] signed = off.getOrDefault(way, new double[0]);
    double[] ones = new double[signed.length];
    Arrays.fill(ones, 1);
    PairedInterval mean = PairedInterval.of(signed, ones);
    String note =
        String.format(
            Locale.ROOT,
            "%s: mean over %d seeds of the size of the last day's error; with sign %+.4f"
                + " [%+.4f, %+.4f]",
            way.name().toLowerCase(Locale.ROOT),
            signed.length,
            mean.mean(),
            mean.low(),
            mean.high());
    return Figure.of(name, error(off, way), "1", target, note);
  }

  /**
   * One world, one first model, and what becomes of it in each way.
   *
   * @param ignored whether weights are left out
   * @param perDay clicked candidates a day
   * @param rate multiplies the learning rates
   */
  private record Trial(
      boolean ignored, int days, long perDay, Duration commitEvery, int batch, double rate) {
    /** By way: mean prediction by mean probability over the last day, less 1. */
    Map<Way, Double> run(int seed, Path folder) throws IOException {
      double clickRate = 0.5;
      int shown = 10;
      SimulatorConfig world =
          new SimulatorConfig(
              seed, 2000, 1000, shown, 8, 0.8, 1.05, clickRate, 0.8, 0.22, DELAY, 0);
      SimulatedTraffic traffic =
          new SimulatedTraffic(new Simulator(world), Kind.CONVERSIONS, Duration.ZERO);
      Path first =
          FirstModel.train(
              "delayed",
              MODEL,
              traffic.schema(),
              () -> traffic.rows(0, BEFORE),
              () -> traffic.rows(BEFORE, BEFORE + BEFORE / 4),
              folder);
      long from = BEFORE + BEFORE / 4;
      long requests = Math.round((double) perDay * days / (shown * clickRate));
      Map<Way, Double> found = new EnumMap<>(Way.class);
      try (Bundle bundle = Bundle.open(first)) {
        List<TimedRequest> fresh = new ArrayList<>();
        traffic
            .requests(bundle.encoder(), from + requests, from + requests + FRESH, 0, Duration.ZERO)
            .forEachRemaining(fresh::add);
        EncodedExamples block = new ExampleBlock(bundle.encoder()).of(fresh);
        double truth = fresh.stream().flatMapToDouble(r -> Arrays.stream(r.truth())).sum();
        for (Way way : Way.values()) {
          long begin = Duration.ofDays(1000).toMillis();
          Iterator<TimedRequest> stream =
              traffic.requests(
                  bundle.encoder(), from, from + requests, begin, Duration.ofDays(days));
          found.put(way, last(bundle, way, stream, begin, block, truth));
        }
      }
      return found;
    }

    private double last(
        Bundle bundle,
        Way way,
        Iterator<TimedRequest> stream,
        long beginMs,
        EncodedExamples fresh,
        double truth)
        throws IOException {
      String task = bundle.manifest().schema().tasks().getFirst().name();
      LearnerOptions options =
          new LearnerOptions(
              batch,
              1,
              new Device.Cpu(),
              rate,
              Duration.ofSeconds(5),
              Precision.FP32,
              way.policy(task, ignored),
              new RowPolicy(1, null),
              Duration.ofDays(1),
              100_000,
              1_000_000,
              GatePolicy.usual(GateMode.DIRECT));
      long hourMs = Duration.ofHours(1).toMillis();
      long[] next = {beginMs + Duration.ofDays(days - 1L).toMillis() + hourMs};
      double[] sum = new double[2];
      try (LoopInTime loop = new LoopInTime(bundle, options, commitEvery, List.of(commitEvery))) {
        loop.run(
            stream,
            (request, _) -> {
              if (request.atMs() >= next[0]) {
                next[0] += hourMs;
                for (float probability : loop.score(0, fresh)) {
                  sum[0] += probability;
                }
                sum[1] += truth;
              }
            });
        if (sum[1] < (MEASURED - 2) * truth) {
          throw new IllegalStateException("the last day was not measured");
        }
      }
      return sum[0] / sum[1] - 1;
    }
  }
}
