package dev.wukong.serving.retraining;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Precision;
import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.NumberFeature;
import dev.wukong.data.Pooling;
import dev.wukong.data.RowSource;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Task;
import dev.wukong.data.Transform;
import dev.wukong.data.ValueType;
import dev.wukong.metrics.Metrics;
import dev.wukong.metrics.MetricsCollector;
import dev.wukong.runtime.Device;
import dev.wukong.serving.gating.GateMode;
import dev.wukong.serving.gating.GatePolicy;
import dev.wukong.serving.joining.JoinPolicy;
import dev.wukong.serving.joining.TaskPolicy;
import dev.wukong.serving.joining.Weighting;
import dev.wukong.serving.lifecycle.RowPolicy;
import dev.wukong.study.PairedInterval;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.springframework.util.FileSystemUtils;

/**
 * MovieLens 100K in the order of its times: a model of the first half of the ratings, which stays
 * as it is, against the same model that goes on learning; both score each later rating before it is
 * learned from.
 */
public final class DriftRealBenchmark implements Benchmark {
  private static final String STALE = "stale";
  private static final String FILE = "ml100k/timeline.csv.gz";
  private static final long ROWS = 100_000;
  private static final int BLOCKS = 50;

  private static final String MODEL =
      """
      model:
        type: wukong
        embedding: {width: 16, deviation: 0.01}
        layers: 2
        fm_embeddings: 8
        linear_embeddings: 8
        rank: 8
        fm: low_rank
        fm_mlp: {hidden: [64]}
        head: {hidden: [64]}
      training:
        batch: 256
        epochs: 10
        seed: 2021
        threads: 1
        dense: {optimizer: adam, learning_rate: 0.001}
        rows: {mode: touched, optimizer: row_wise_adagrad, learning_rate: 0.02}
        clip_norm: 10
        plateau: {factor: 0.1, stop_after: 1, measure: log_loss, watch: like, restore: true}
      """;

  @Override
  public String name() {
    return "drift-real";
  }

  @Override
  public String summary() {
    return "MovieLens 100K in time order, a model that learns against one that does not; a minute"
        + " or two; options before=ROWS (50000), commit=SECONDS, batch=N, rate=PER CENT";
  }

  @Override
  public List<String> bugs() {
    return List.of(STALE);
  }

  /** Users and films that nobody knew before come all the time: what they are called is hashed. */
  private static Schema schema() {
    IdMapping any = new IdMapping.Hash(0);
    IdMapping known = new IdMapping.Vocabulary(1);
    List<Feature> features =
        List.of(
            id("user", Scope.CONTEXT, ValueType.INT64, any, 1),
            new NumberFeature("age", Scope.CONTEXT, "age", 1, Transform.LOG1P, false),
            id("gender", Scope.CONTEXT, ValueType.STRING, known, 1),
            id("occupation", Scope.CONTEXT, ValueType.STRING, known, 1),
            id("zip", Scope.CONTEXT, ValueType.STRING, any, 1),
            id("item", Scope.CANDIDATE, ValueType.INT64, any, 1),
            id("year", Scope.CANDIDATE, ValueType.STRING, any, 1),
            id("genres", Scope.CANDIDATE, ValueType.STRING, known, 6));
    Task like = new Task(TimelineTraffic.TASK, "label", Optional.empty(), Optional.empty());
    return new Schema("timeline", features, List.of(like));
  }

  private static IdFeature id(
      String name, Scope scope, ValueType type, IdMapping mapping, int most) {
    return new IdFeature(
        name, scope, name, type, mapping, name, most, Pooling.MEAN, Optional.empty());
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    TimelineTraffic traffic = new TimelineTraffic(context.data(FILE));
    long before = context.option("before", ROWS / 2);
    if (before < 100 || before > ROWS - 100) {
      throw new BenchmarkException("option 'before' is %d, must be 100 to 99900".formatted(before));
    }
    Duration commitEvery = Duration.ofSeconds(context.option("commit", 60));
    LearnerOptions options =
        new LearnerOptions(
            Math.toIntExact(context.option("batch", 64)),
            1,
            new Device.Cpu(),
            (double) context.option("rate", 100) / 100,
            Duration.ofSeconds(5),
            Precision.FP32,
            new JoinPolicy(
                List.of(TimelineTraffic.TASK),
                Map.of(
                    TimelineTraffic.TASK,
                    new TaskPolicy(Duration.ofMinutes(1), Weighting.EXPLICIT, Optional.empty())),
                Duration.ofMinutes(5),
                Duration.ZERO,
                Duration.ofHours(1),
                1),
            new RowPolicy(1, null),
            Duration.ofDays(1),
            100_000,
            1_000_000,
            GatePolicy.usual(GateMode.DIRECT));
    Path folder = Files.createTempDirectory(context.makeParts(), "timeline");
    MetricsCollector online = new MetricsCollector();
    MetricsCollector frozen = new MetricsCollector();
    double[][] losses = new double[2][BLOCKS];
    double[] counts = new double[BLOCKS];
    DecisionsSeen decisions = new DecisionsSeen(context);
    long learned;
    try {
      Path first =
          FirstModel.train(
              "timeline",
              MODEL,
              schema(),
              () -> traffic.rows(0, before * 9 / 10),
              () -> traffic.rows(before * 9 / 10, before),
              folder);
      List<Duration> serve =
          List.of(context.planted(STALE) ? ServedCopy.NEVER : commitEvery, ServedCopy.NEVER);
      try (Bundle bundle = Bundle.open(first);
          RowSource rows = traffic.rows(before, ROWS);
          LoopInTime loop = new LoopInTime(bundle, options, commitEvery, serve, decisions)) {
        loop.run(
            traffic.requests(rows, bundle.encoder()),
            (request, given) -> {
              int block = (int) ((long) online.size() * BLOCKS / (ROWS - before));
              double label = request.truth()[0];
              online.add(given.get(0)[0], label);
              frozen.add(given.get(1)[0], label);
              for (int copy = 0; copy < losses.length; copy++) {
                losses[copy][block] += Metrics.crossEntropy(given.get(copy)[0], label);
              }
              counts[block]++;
            });
        learned = loop.examples();
      }
    } finally {
      FileSystemUtils.deleteRecursively(folder);
    }
    if (online.size() != ROWS - before || learned < 0.8 * (ROWS - before)) {
      throw new BenchmarkException(
          "void: of %,d ratings %,d were scored and %,d learned from; taken back %d times, %s"
              .formatted(
                  ROWS - before, online.size(), learned, decisions.takenBack(), decisions.last()));
    }
    Metrics on = online.metrics();
    Metrics off = frozen.metrics();
    double percent = 100 / off.logLoss();
    PairedInterval gain = PairedInterval.of(losses[1], losses[0], counts).times(percent);
    return List.of(
        Figure.of(
            "progressive_auc_gain",
            on.auc() - off.auc(),
            "1",
            ">0",
            String.format(
                Locale.ROOT,
                "online %.5f, frozen %.5f; %,d ratings after the first %,d, %,d of"
                    + " them learned from",
                on.auc(),
                off.auc(),
                on.examples(),
                before,
                learned)),
        Figure.of(
            "progressive_logloss_gain_percent",
            gain.mean(),
            "%",
            ">0",
            String.format(
                Locale.ROOT,
                "[%.3f, %.3f] by %d blocks in time; online %.5f, frozen %.5f; calibration %.3f and"
                    + " %.3f",
                gain.low(),
                gain.high(),
                BLOCKS,
                on.logLoss(),
                off.logLoss(),
                on.calibration(),
                off.calibration())));
  }
}
