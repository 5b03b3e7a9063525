package dev.wukong.serving.status;

import dev.wukong.serving.batching.Admission;
import dev.wukong.serving.hosting.HostedModel;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.hosting.ServedModel;
import dev.wukong.serving.status.MeterReading.OfModel;
import io.micrometer.core.instrument.MeterRegistry;
import java.math.BigDecimal;
import java.math.MathContext;
import java.time.Clock;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the service's meters once a second and keeps what it saw for some minutes, so that a
 * page which is opened shows the past at once. Requests cost the same with it as without.
 */
final class StatusSampler implements AutoCloseable {
  /** Between two samples. */
  static final Duration EVERY = Duration.ofSeconds(1);

  /** Samples that are kept: five minutes of them. */
  static final int SLOTS = 300;

  private static final Logger log = LoggerFactory.getLogger(StatusSampler.class);

  /** What a line of a chart can show; more would only make answers longer. */
  private static final MathContext DIGITS = new MathContext(4);

  private final ModelHost host;
  private final MeterRegistry registry;
  private final Clock clock;
  private final LongSupplier nanos;
  private final Supplier<ProcessReading> process;
  private final SampleRing ring = new SampleRing(SLOTS);
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("status").factory());

  /** One look, from which the next one counts. */
  private record Look(long nanos, MeterReading meters, ProcessReading process) {}

  /** Of the sampler's thread. */
  private @Nullable Look before;

  /** Of the sampler's thread. */
  private boolean failed;

  /**
   * A sampler that begins with {@link #start}.
   *
   * @param clock what samples are dated by
   * @param nanos what rates are counted by, as of {@link System#nanoTime}
   * @param process what the process uses now
   */
  StatusSampler(
      ModelHost host,
      MeterRegistry registry,
      Clock clock,
      LongSupplier nanos,
      Supplier<ProcessReading> process) {
    this.host = host;
    this.registry = registry;
    this.clock = clock;
    this.nanos = nanos;
    this.process = process;
  }

  /** Begins to look: after a pause of the process once, not as often as it has missed. */
  void start() {
    var _ =
        thread.scheduleWithFixedDelay(this::lookOrSay, 0, EVERY.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** The samples, for any thread. */
  SampleRing samples() {
    return ring;
  }

  private void lookOrSay() {
    try {
      look();
      failed = false;
    } catch (RuntimeException e) {
      // The next look may succeed; a line a second would help nobody.
      if (!failed) {
        log.error("the status page: a look at the meters failed; it goes on", e);
      }
      failed = true;
    }
  }

  /** Adds one sample. Called by one thread. */
  void look() {
    Look now = new Look(nanos.getAsLong(), MeterReading.of(registry), process.get());
    Look since = before;
    before = now;
    double seconds = since == null ? Double.NaN : (now.nanos() - since.nanos()) / 1e9;
    Map<String, Double> refused = new HashMap<>();
    Map<String, Map<ModelFigure, Double>> models = new HashMap<>();
    now.meters()
        .refused()
        .forEach(
            (reason, count) -> {
              double earlier =
                  since == null ? count : since.meters().refused().getOrDefault(reason, 0.0);
              refused.put(reason, since == null ? 0 : round((count - earlier) / seconds));
            });
    for (ServedModel model : host.models()) {
      Map<ModelFigure, Double> figures = new EnumMap<>(ModelFigure.class);
      if (since != null) {
        OfModel earlier = since.meters().model(model.name());
        putChange(figures, now.meters().model(model.name()), earlier, seconds);
      }
      putState(figures, model);
      models.put(model.name(), figures);
    }
    Map<ProcessFigure, Double> used = used(now.process(), since, seconds);
    ring.add(
        new Sample(
            ring.last() + 1,
            clock.millis(),
            used,
            refused,
            models,
            now.meters().shadows(),
            learning(now, since, seconds)));
  }

  private static Map<String, Map<String, Double>> learning(
      Look now, @Nullable Look since, double seconds) {
    Map<String, Map<String, Double>> learning = new HashMap<>();
    now.meters()
        .learning()
        .forEach(
            (model, reading) -> {
              Map<String, Double> figures = new HashMap<>();
              reading.putState((key, value) -> put(figures, key, value));
              if (since != null) {
                LearningReading earlier =
                    since.meters().learning().getOrDefault(model, LearningReading.NOTHING);
                reading.putChange(earlier, seconds, (key, value) -> put(figures, key, value));
              }
              learning.put(model, figures);
            });
    return learning;
  }

  private static Map<ProcessFigure, Double> used(
      ProcessReading now, @Nullable Look since, double seconds) {
    Map<ProcessFigure, Double> figures = new EnumMap<>(ProcessFigure.class);
    if (since != null) {
      put(
          figures,
          ProcessFigure.CPU,
          (now.cpuNanos() - since.process().cpuNanos()) / 1e9 / seconds);
    }
    put(figures, ProcessFigure.RESIDENT, now.residentBytes());
    put(figures, ProcessFigure.HEAP, (double) now.heapBytes());
    put(figures, ProcessFigure.THREADS, now.threads());
    return figures;
  }

  private static void putChange(
      Map<ModelFigure, Double> figures, OfModel now, OfModel before, double seconds) {
    long answered = now.stage(Stage.TOTAL).count() - before.stage(Stage.TOTAL).count();
    put(figures, ModelFigure.ANSWERED, answered / seconds);
    putRate(figures, ModelFigure.CANDIDATES, Counted.CANDIDATES, now, before, seconds);
    putRate(figures, ModelFigure.DROPPED, Counted.DROPPED, now, before, seconds);
    putRate(figures, ModelFigure.DEFAULTED, Counted.DEFAULTED, now, before, seconds);
    putRate(figures, ModelFigure.MISSING, Counted.MISSING, now, before, seconds);
    putRate(figures, ModelFigure.TRUNCATED, Counted.TRUNCATED, now, before, seconds);
    putRate(figures, ModelFigure.FROM_MEMORY, Counted.FROM_MEMORY, now, before, seconds);
    putRate(figures, ModelFigure.FROM_STORE, Counted.FROM_STORE, now, before, seconds);
    putRate(figures, ModelFigure.FROM_NOWHERE, Counted.FROM_NOWHERE, now, before, seconds);
    double memory = now.counted(Counted.FROM_MEMORY) - before.counted(Counted.FROM_MEMORY);
    double store = now.counted(Counted.FROM_STORE) - before.counted(Counted.FROM_STORE);
    double unread = now.counted(Counted.UNREAD) - before.counted(Counted.UNREAD);
    if (memory + store + unread > 0) {
      put(figures, ModelFigure.HIT_RATE, 100 * memory / (memory + store + unread));
    }
    long batches = now.batches() - before.batches();
    put(figures, ModelFigure.BATCHES, batches / seconds);
    if (batches > 0) {
      put(figures, ModelFigure.BATCH_ROWS, (now.batchRows() - before.batchRows()) / batches);
    }
    for (Stage stage : Stage.values()) {
      Histogram until = now.stage(stage);
      Histogram from = before.stage(stage);
      put(figures, stage.half(), until.quantileSince(from, 0.5));
      put(figures, stage.tail(), until.quantileSince(from, 0.99));
    }
  }

  private static void putState(Map<ModelFigure, Double> figures, ServedModel model) {
    Admission admission = model.batcher().admission();
    put(figures, ModelFigure.IN_WORK, admission.rows());
    put(figures, ModelFigure.WAITING, model.batcher().waiting());
    put(figures, ModelFigure.SLOWNESS, admission.slowness());
    HostedModel serving = model.lease();
    if (serving != null) {
      try {
        put(figures, ModelFigure.RESIDENT, (double) serving.residentRows());
        put(figures, ModelFigure.EXPECTED_WAIT, admission.waitNanos(serving.cost()) / 1e6);
      } finally {
        serving.release();
      }
    }
  }

  private static void putRate(
      Map<ModelFigure, Double> figures,
      ModelFigure figure,
      Counted what,
      OfModel now,
      OfModel before,
      double seconds) {
    put(figures, figure, (now.counted(what) - before.counted(what)) / seconds);
  }

  /** Puts it where it is known. */
  private static <F> void put(Map<F, Double> figures, F figure, double value) {
    if (Double.isFinite(value)) {
      figures.put(figure, round(value));
    }
  }

  private static double round(double value) {
    return new BigDecimal(value).round(DIGITS).doubleValue();
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
