package dev.wukong.serving.joining;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** Counts what the join of a model makes of its events. Any thread. */
public final class JoinMeters {
  /** What becomes of a label. */
  enum LabelOutcome {
    /** It decided about its candidate. */
    JOINED,
    /** It came after its candidate was taken for one without. */
    LATE,
    /**
     * No example was made of it: no window of its task closes then, at the beginning and after a
     * silence.
     */
    UNPAIRED,
    /** Its candidate had one. */
    DUPLICATE,
    /** Nothing is known any more of its prediction, or ever was; or there is no such task. */
    ORPHAN,
    /** Its candidate was not exposed. */
    UNEXPOSED,
    /** The task that its own depends on had no positive label. */
    UNGIVEN
  }

  /** What becomes of an exposed candidate. */
  enum ExposureOutcome {
    /** It is followed from now on. */
    JOINED,
    /** It was before. */
    DUPLICATE,
    /** Its prediction is not in the log, or too old, or has no such candidate. */
    UNJOINABLE
  }

  /** Seconds, a minute, hours and days. */
  private static final double[] DELAYS = {
    seconds(Duration.ofSeconds(10)),
    seconds(Duration.ofMinutes(1)),
    seconds(Duration.ofMinutes(10)),
    seconds(Duration.ofHours(1)),
    seconds(Duration.ofHours(6)),
    seconds(Duration.ofDays(1)),
    seconds(Duration.ofDays(7))
  };

  /** The meters of a task. */
  private static final class OfTask {
    private final Map<Example.Kind, Counter> examples;
    private final Counter unpaired;
    private final DistributionSummary delay;
    private volatile double within = 1;
    private volatile long waiting;

    OfTask(String model, String task, MeterRegistry registry) {
      examples =
          counters(
              Example.Kind.class,
              kind ->
                  Counter.builder("wukong.join.examples")
                      .description("Examples that came out, by how they came about")
                      .tag("model", model)
                      .tag("task", task)
                      .tag("kind", tag(kind))
                      .register(registry));
      unpaired =
          Counter.builder("wukong.join.unpaired")
              .description("Candidates without a label of which no example was made: in a silence")
              .tag("model", model)
              .tag("task", task)
              .register(registry);
      delay =
          DistributionSummary.builder("wukong.join.delay")
              .description("Time from exposure, or what the task depends on, to a positive label")
              .baseUnit("seconds")
              .tag("model", model)
              .tag("task", task)
              .serviceLevelObjectives(DELAYS)
              .register(registry);
      gauge("wukong.join.within", model, task, of -> of.within)
          .description("Share of positive labels that come within the window")
          .register(registry);
      gauge("wukong.join.waiting", model, task, of -> (double) of.waiting)
          .description("Candidates whose label is waited for")
          .register(registry);
    }

    private Gauge.Builder<OfTask> gauge(
        String name, String model, String task, ToDoubleFunction<OfTask> value) {
      return Gauge.builder(name, this, value).tag("model", model).tag("task", task);
    }
  }

  private final String model;
  private final MeterRegistry registry;
  private final Map<String, OfTask> tasks = new HashMap<>();
  private final SourceMeters sources;
  private final Map<LabelOutcome, Counter> labels;
  private final Map<ExposureOutcome, Counter> exposures;
  private final AtomicLong watermarkMs = new AtomicLong();
  private volatile boolean frozen;

  /** The meters of one model, whatever its versions: a gauge keeps to the first that has it. */
  public JoinMeters(String model, MeterRegistry registry) {
    this.model = model;
    this.registry = registry;
    sources = new SourceMeters(model, registry);
    labels =
        counters(
            LabelOutcome.class,
            outcome ->
                Counter.builder("wukong.join.labels")
                    .description("Labels, by what became of them")
                    .tag("model", model)
                    .tag("outcome", tag(outcome))
                    .register(registry));
    exposures =
        counters(
            ExposureOutcome.class,
            outcome ->
                Counter.builder("wukong.join.exposures")
                    .description("Exposed candidates, by what became of them")
                    .tag("model", model)
                    .tag("outcome", tag(outcome))
                    .register(registry));
    Gauge.builder("wukong.join.watermark", watermarkMs, ms -> ms.doubleValue() / 1000)
        .description("Time up to which the log is joined, since 1970-01-01 UTC")
        .baseUnit("seconds")
        .tag("model", model)
        .register(registry);
    Gauge.builder("wukong.join.frozen", this, of -> of.frozen ? 1 : 0)
        .description("Whether labels are missing, so that no window closes")
        .tag("model", model)
        .register(registry);
  }

  /** These tasks are joined from now on. The training thread's. */
  public JoinMeters joining(List<String> names) {
    tasks.forEach((task, of) -> of.waiting = names.contains(task) ? of.waiting : 0);
    names.forEach(task -> tasks.computeIfAbsent(task, name -> new OfTask(model, name, registry)));
    return this;
  }

  private static double seconds(Duration duration) {
    return (double) duration.toMillis() / 1000;
  }

  private static String tag(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  private static <E extends Enum<E>> Map<E, Counter> counters(
      Class<E> type, Function<E, Counter> counter) {
    Map<E, Counter> counters = new EnumMap<>(type);
    for (E value : type.getEnumConstants()) {
      counters.put(value, counter.apply(value));
    }
    return counters;
  }

  private OfTask of(String task) {
    OfTask meters = tasks.get(task);
    if (meters == null) {
      throw new IllegalArgumentException(
          "no meters of task '%s', there are those of %s"
              .formatted(task, tasks.keySet().stream().sorted().toList()));
    }
    return meters;
  }

  /** What callers say. The training thread's. */
  SourceMeters sources() {
    return sources;
  }

  void example(String task, Example.Kind kind) {
    count(of(task).examples, kind, 1);
  }

  /** A window has closed, and no example was made. */
  void unpaired(String task) {
    of(task).unpaired.increment();
  }

  void label(LabelOutcome outcome) {
    count(labels, outcome, 1);
  }

  void exposures(ExposureOutcome outcome, int candidates) {
    count(exposures, outcome, candidates);
  }

  private static <E> void count(Map<E, Counter> counters, E value, int times) {
    Counter counter = counters.get(value);
    if (counter != null && times > 0) {
      counter.increment(times);
    }
  }

  void delay(String task, Duration delay) {
    of(task).delay.record(seconds(delay));
  }

  void within(String task, double share) {
    of(task).within = share;
  }

  void waiting(String task, long candidates) {
    of(task).waiting = candidates;
  }

  void frozen(boolean is) {
    frozen = is;
  }

  void watermark(long ms) {
    watermarkMs.set(ms);
  }
}
