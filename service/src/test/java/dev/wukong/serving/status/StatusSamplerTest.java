package dev.wukong.serving.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.bundle.Precision;
import dev.wukong.serving.batching.BatchPolicy;
import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RowFormat;
import dev.wukong.serving.embedding.RowThreads;
import dev.wukong.serving.engine.EngineOptions;
import dev.wukong.serving.gating.Figures;
import dev.wukong.serving.gating.GateMode;
import dev.wukong.serving.gating.GatePhase;
import dev.wukong.serving.gating.GateReport;
import dev.wukong.serving.gating.Scorer;
import dev.wukong.serving.hosting.BatchersHealthIndicator;
import dev.wukong.serving.hosting.BundleWatcher;
import dev.wukong.serving.hosting.HostingOptions;
import dev.wukong.serving.hosting.LearnedWeights;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.hosting.ModelsHealthIndicator;
import dev.wukong.serving.hosting.TrainingState;
import dev.wukong.serving.hosting.TrainingStates;
import dev.wukong.serving.hosting.WatcherHealthIndicator;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.health.contributor.Health;

/** Samples over the registry that the service has, at times that the test sets. */
class StatusSamplerTest {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  @TempDir private Path folder = Path.of("");

  private final MeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final AtomicLong nanos = new AtomicLong();
  private final AtomicLong cpuNanos = new AtomicLong();
  private final Clock clock =
      new Clock() {
        @Override
        public Instant instant() {
          return START.plusNanos(nanos.get());
        }

        @Override
        public ZoneOffset getZone() {
          return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(java.time.ZoneId zone) {
          return this;
        }
      };
  private final ModelHost host =
      new ModelHost(
          new BatchPolicy(4, 16, Duration.ofMillis(150), 1),
          System::nanoTime,
          clock,
          registry,
          _ -> {});
  private final StatusSampler sampler =
      new StatusSampler(
          host,
          registry,
          clock,
          nanos::get,
          () -> new ProcessReading(cpuNanos.get(), Double.NaN, 123_456_789, 7));
  private @Nullable BundleWatcher watcher;
  private Health online = Health.up().build();

  /** A model that no version of is there: made by a watcher which never begins. */
  @BeforeEach
  void model() {
    watcher =
        new BundleWatcher(
            host,
            new HostingOptions(
                folder,
                List.of("tiny"),
                Duration.ofSeconds(1),
                EngineOptions.cpu(1, false, Precision.FP32),
                RowFormat.FP32,
                1,
                Map.of(),
                Optional.empty(),
                4),
            new HeapRowStore(),
            RowThreads.none(),
            LearnedWeights.NONE,
            registry,
            nanos::get);
  }

  @AfterEach
  void close() {
    sampler.close();
    host.close();
  }

  private Sample look() {
    sampler.look();
    return sampler.samples().after(sampler.samples().last() - 1).getFirst();
  }

  private static Map<ModelFigure, Double> tiny(Sample sample) {
    return Objects.requireNonNull(sample.models().get("tiny"));
  }

  private void pass(Duration time) {
    nanos.addAndGet(time.toNanos());
  }

  private Timer requests(String version) {
    return Timer.builder("wukong.predict.duration")
        .tag("model", "tiny")
        .tag("version", version)
        .publishPercentileHistogram()
        .minimumExpectedValue(Duration.ofNanos(20_000))
        .maximumExpectedValue(Duration.ofSeconds(10))
        .register(registry);
  }

  private Counter found(String from, String table) {
    return registry.counter("wukong.embedding.rows", "model", "tiny", "from", from, "table", table);
  }

  @Test
  void look_first_knowsStatesAndNoRates() {
    requests("1").record(Duration.ofMillis(3));
    Sample first = look();
    assertThat(first.number()).isZero();
    assertThat(first.atMillis()).isEqualTo(START.toEpochMilli());
    assertThat(first.process())
        .containsOnly(
            Map.entry(ProcessFigure.HEAP, 1.235e8), Map.entry(ProcessFigure.THREADS, 7.0));
    assertThat(tiny(first))
        .containsOnlyKeys(ModelFigure.IN_WORK, ModelFigure.WAITING, ModelFigure.SLOWNESS);
  }

  @Test
  void look_afterTwoSeconds_hasRatesOfThatTimeOnly() {
    Timer old = requests("1");
    Timer next = requests("2");
    for (int i = 0; i < 500; i++) {
      old.record(Duration.ofMillis(900)); // Long ago.
    }
    look();
    for (int i = 0; i < 10; i++) {
      old.record(Duration.ofMillis(2));
      next.record(Duration.ofMillis(2));
    }
    registry.counter("wukong.predict.candidates", "model", "tiny").increment(4000);
    registry.counter("wukong.predict.ids", "model", "tiny", "kind", "defaulted").increment(6);
    registry.counter("wukong.predict.refusals", "reason", "overloaded").increment(5);
    found("memory", "user").increment(30);
    found("memory", "item").increment(60);
    found("store", "item").increment(20);
    found("unread", "item").increment(10);
    DistributionSummary batches =
        DistributionSummary.builder("wukong.batching.rows").tag("model", "tiny").register(registry);
    batches.record(100);
    batches.record(300);
    cpuNanos.addAndGet(Duration.ofSeconds(3).toNanos());
    pass(Duration.ofSeconds(2));
    Sample second = look();
    assertThat(second.atMillis() - START.toEpochMilli()).isEqualTo(2000);
    assertThat(second.process()).containsEntry(ProcessFigure.CPU, 1.5);
    assertThat(second.refused()).containsExactly(Map.entry("overloaded", 2.5));
    assertThat(tiny(second))
        .containsEntry(ModelFigure.ANSWERED, 10.0)
        .containsEntry(ModelFigure.CANDIDATES, 2000.0)
        .containsEntry(ModelFigure.DEFAULTED, 3.0)
        .containsEntry(ModelFigure.MISSING, 0.0)
        .containsEntry(ModelFigure.BATCHES, 1.0)
        .containsEntry(ModelFigure.BATCH_ROWS, 200.0)
        .containsEntry(ModelFigure.FROM_STORE, 10.0)
        .containsEntry(ModelFigure.HIT_RATE, 75.0)
        .doesNotContainKey(ModelFigure.QUEUE_P50);
    // Within the bucket that holds 2 ms, far from the 900 ms of before.
    assertThat(tiny(second).get(ModelFigure.TOTAL_P50)).isCloseTo(2, within(0.5));
    assertThat(tiny(second).get(ModelFigure.TOTAL_P99)).isCloseTo(2, within(0.5));

    pass(Duration.ofSeconds(1));
    Sample quiet = look();
    assertThat(tiny(quiet))
        .containsEntry(ModelFigure.ANSWERED, 0.0)
        .doesNotContainKeys(ModelFigure.TOTAL_P50, ModelFigure.BATCH_ROWS, ModelFigure.HIT_RATE);
    assertThat(quiet.refused()).containsExactly(Map.entry("overloaded", 0.0));
  }

  @Test
  void report_afterASample_holdsWhatIsNewerWithGaps() {
    StatusReports reports =
        new StatusReports(
            host,
            TrainingStates.NONE,
            sampler.samples(),
            headline(true),
            List.of("cuda:0"),
            clock,
            START.toEpochMilli());
    assertThat(reports.after(-1).last()).isEqualTo(-1);
    look();
    pass(Duration.ofSeconds(1));
    look();
    StatusReport all = reports.after(-1);
    assertThat(all.last()).isEqualTo(1);
    assertThat(all.process().devices()).containsExactly("cuda:0");
    assertThat(all.times()).containsExactly(START.toEpochMilli(), START.toEpochMilli() + 1000);
    StatusReport.Model tiny = all.models().getFirst();
    assertThat(tiny.name()).isEqualTo("tiny");
    assertThat(tiny.serving()).isZero();
    assertThat(tiny.allowedWaitMillis()).isEqualTo(150);
    assertThat(tiny.figures()).hasSize(ModelFigure.values().length);
    assertThat(tiny.figures().get("answered")).containsExactly(null, 0.0);
    assertThat(tiny.figures().get("resident")).containsExactly(null, null);
    StatusReport newer = reports.after(0);
    assertThat(newer.times()).hasSize(1);
    assertThat(newer.last()).isEqualTo(1);
    // Of a process before this one: the page sees that the numbers went back, and begins anew.
    assertThat(reports.after(99).last()).isEqualTo(1);
  }

  private void copied(String label, double answered, double shadow) {
    registry
        .counter("wukong.shadow.requests", "model", "tiny", "label", label, "outcome", "scored")
        .increment();
    registry
        .summary("wukong.shadow.difference", "model", "tiny", "label", label)
        .record(Math.abs(answered - shadow));
    registry
        .summary("wukong.shadow.probability", "model", "tiny", "label", label, "of", "answered")
        .record(answered);
    registry
        .summary("wukong.shadow.probability", "model", "tiny", "label", label, "of", "shadow")
        .record(shadow);
  }

  private static ShadowReading next(Sample sample) {
    return Objects.requireNonNull(Objects.requireNonNull(sample.shadows().get("tiny")).get("next"));
  }

  @Test
  void look_copiesAreScored_countsThoseOfTheTimeBetweenByLabel() {
    copied("next", 0.9, 0.1);
    Sample before = look();
    assertThat(next(before).mean("difference", next(before))).isNull();
    copied("next", 0.2, 0.25);
    copied("next", 0.4, 0.55);
    copied("other", 0.5, 1);
    registry
        .counter("wukong.shadow.requests", "model", "tiny", "label", "next", "outcome", "dropped")
        .increment(7);
    pass(Duration.ofSeconds(1));
    Sample after = look();
    assertThat(next(after).copies("scored", next(before))).isEqualTo(2);
    assertThat(next(after).copies("dropped", next(before))).isEqualTo(7);
    assertThat(next(after).copies("failed", next(before))).isZero();
    assertThat(next(after).mean("difference", next(before))).isCloseTo(0.1, within(1e-9));
    assertThat(next(after).mean("answered", next(before))).isCloseTo(0.3, within(1e-9));
    assertThat(next(after).mean("shadow", next(before))).isCloseTo(0.4, within(1e-9));
    assertThat(next(after).copies("scored", ShadowReading.NOTHING)).isEqualTo(3);
  }

  @Test
  void report_aModelLearns_hasItsFiguresByTaskAndHowItStands() {
    double[] entropy = {0.91};
    Gauge.builder("wukong.online.normalized.entropy", () -> entropy[0])
        .tags("model", "tiny", "task", "click", "by", "learner")
        .register(registry);
    Gauge.builder("wukong.online.calibration", () -> Double.NaN) // Not known yet.
        .tags("model", "tiny", "task", "click", "by", "learner")
        .register(registry);
    Counter learned =
        registry.counter("wukong.online.examples", "model", "tiny", "outcome", "learned");
    registry
        .counter("wukong.online.examples", "model", "tiny", "outcome", "foreign")
        .increment(1000);
    Timer visible =
        Timer.builder("wukong.online.visible")
            .tag("model", "tiny")
            .serviceLevelObjectives(Duration.ofSeconds(1), Duration.ofSeconds(2))
            .register(registry);
    look();
    learned.increment(500);
    visible.record(Duration.ofMillis(1500));
    registry.timer("wukong.online.commit", "model", "tiny").record(Duration.ofMillis(3));
    entropy[0] = 0.9;
    pass(Duration.ofSeconds(2));
    look();
    TrainingState state =
        new TrainingState(
            TrainingState.Phase.PAUSED, "operators", 7, 100, 12, 3, 40, 5000, Optional.empty());
    StatusReport.Model tiny =
        new StatusReports(
                host,
                model -> model.equals("tiny") ? Optional.of(state) : Optional.empty(),
                sampler.samples(),
                headline(true),
                List.of("cuda:0"),
                clock,
                0)
            .after(-1)
            .models()
            .getFirst();
    assertThat(tiny.training())
        .isEqualTo(
            new StatusReport.Training("paused", "operators", 7, 3, 40, 0, 5000, 12, false, null));
    assertThat(tiny.figures().get("entropy:learner:click")).containsExactly(0.91, 0.9);
    assertThat(tiny.figures()).doesNotContainKey("calibration:learner:click");
    assertThat(tiny.figures().get("learned")).containsExactly(null, 250.0);
    assertThat(tiny.figures().get("commits")).containsExactly(null, 0.5);
    assertThat(Objects.requireNonNull(tiny.figures().get("visibleP50")).getLast())
        .isBetween(1.0, 2.0);
  }

  @Test
  void report_aGateHasDecided_saysWhatItFound() {
    for (String phase : List.of("open", "holding")) {
      Gauge.builder("wukong.online.gate", () -> phase.equals("holding") ? 1 : 0)
          .tags("model", "tiny", "phase", phase)
          .register(registry);
    }
    Gauge.builder("wukong.online.worse", () -> -0.0002)
        .tags("model", "tiny", "task", "click", "end", "low")
        .register(registry);
    Gauge.builder("wukong.online.worse", () -> Double.NaN) // Not known yet.
        .tags("model", "tiny", "task", "click", "end", "high")
        .register(registry);
    double[] frozen = {1};
    Gauge.builder("wukong.join.frozen", () -> frozen[0]).tags("model", "tiny").register(registry);
    look();
    GateReport report =
        new GateReport(
            GateMode.CANARY,
            GatePhase.HOLDING,
            0.1,
            GateReport.Kind.OPEN,
            "too few",
            2,
            List.of(new GateReport.State(0, 1000, 0, 0), new GateReport.State(3, 9000, 40, 5000)),
            List.of(
                figures("all", Map.of(Scorer.SERVED, new Figures.Of(0.9, 0.8, 1, 1.1, 0.7))),
                figures("first place", Map.of())));
    TrainingState state =
        new TrainingState(
            TrainingState.Phase.LEARNING, "", 7, 100, 12, 3, 40, 5000, Optional.of(report));
    StatusReports reports =
        new StatusReports(
            host,
            _ -> Optional.of(state),
            sampler.samples(),
            headline(true),
            List.of("cuda:0"),
            clock,
            0);
    StatusReport.Model tiny = reports.after(-1).models().getFirst();
    StatusReport.Training training = Objects.requireNonNull(tiny.training());
    assertThat(training.frozen()).isTrue();
    assertThat(training.gate())
        .isEqualTo(
            new GateStatus(
                "canary",
                "holding",
                0.1,
                "open",
                "too few",
                2,
                2,
                9000,
                List.of(
                    new GateStatus.OfTask(
                        "click",
                        100,
                        10,
                        new GateStatus.OfModel(0.9, 0.8, 1.0, 1.1, 0.7),
                        null,
                        null,
                        0.001,
                        -0.0002,
                        null))));
    assertThat(tiny.figures())
        .containsEntry("gate:open", List.of(0.0))
        .containsEntry("gate:holding", List.of(1.0))
        .containsEntry("worse:low:click", List.of(-0.0002))
        .doesNotContainKey("worse:high:click");
    frozen[0] = 0;
    look();
    assertThat(Objects.requireNonNull(reports.after(-1).models().getFirst().training()).frozen())
        .isFalse();
  }

  private static Figures figures(String slice, Map<Scorer, Figures.Of> by) {
    return new Figures("click", slice, 100, 10, by, 0.001, -0.0002, Double.NaN);
  }

  @Test
  void headline_nothingIsLearnedOrLogged_isSaidAndTakesNoReadiness() {
    online =
        Health.status("NOT_LOGGING")
            .withDetail("training", "HALTED")
            .withDetail("reason", "the disk is gone")
            .withDetail("log", "the log is full")
            .build();
    assertThat(headline(true).say(List.of()).reasons())
        .contains(
            "feedback is refused: the log is full",
            "online training has halted, predictions go on: the disk is gone");
  }

  private Headline headline(boolean accepting) {
    return new Headline(
        host,
        new ModelsHealthIndicator(host),
        new BatchersHealthIndicator(host),
        new WatcherHealthIndicator(Objects.requireNonNull(watcher)),
        () -> online,
        () -> accepting);
  }

  @Test
  void headline_nothingServes_isNotReadyAndSaysWhy() {
    Headline.Said said = headline(false).say(List.of());
    assertThat(said.state()).isEqualTo(Headline.State.NOT_READY);
    assertThat(said.reasons())
        .contains(
            "the service does not take calls: it starts or stops",
            "model 'tiny' has no version that serves yet");
  }

  @Test
  void headline_refusals_areToldOfWhereTheCauseLiesHere() {
    List<Sample> recent =
        List.of(
            new Sample(0, 0, Map.of(), Map.of("overloaded", 9.0), Map.of(), Map.of(), Map.of()),
            new Sample(
                1,
                2000,
                Map.of(),
                Map.of("overloaded", 6.0, "bad_request", 5.0),
                Map.of(),
                Map.of(),
                Map.of()));
    assertThat(headline(true).say(recent).reasons())
        .contains("about 12 requests got no answer in the last 30 s: overloaded")
        .noneMatch(reason -> reason.contains("bad_request"));
  }
}
