package dev.wukong.serving.lifecycle;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.List;

/** Counts which ids of a model get rows and lose them. Any thread. */
public final class LifecycleMeters {
  /** Minute, hour, day, week and month, and some between them. */
  private static final double[] AGES = {
    seconds(Duration.ofMinutes(1)),
    seconds(Duration.ofMinutes(10)),
    seconds(Duration.ofHours(1)),
    seconds(Duration.ofHours(6)),
    seconds(Duration.ofDays(1)),
    seconds(Duration.ofDays(7)),
    seconds(Duration.ofDays(30))
  };

  private final Counter admitted;
  private final Counter full;
  private final Counter expired;
  private final Counter crowded;
  private final List<DistributionSummary> ages;

  /**
   * The meters of one model.
   *
   * @param tables names, by ordinal
   */
  public LifecycleMeters(String model, List<String> tables, MeterRegistry registry) {
    admitted = admission(model, "admitted", registry);
    full = admission(model, "full", registry);
    expired = removal(model, "age", registry);
    crowded = removal(model, "cap", registry);
    ages = tables.stream().map(table -> ages(model, table, registry)).toList();
  }

  private static double seconds(Duration duration) {
    return (double) duration.toSeconds();
  }

  private static Counter admission(String model, String verdict, MeterRegistry registry) {
    return Counter.builder("wukong.embedding.admission")
        .description(
            "Ids that were seen often enough and got a row; or found no room, to be counted also")
        .tag("model", model)
        .tag("verdict", verdict)
        .register(registry);
  }

  private static Counter removal(String model, String reason, MeterRegistry registry) {
    return Counter.builder("wukong.embedding.removed")
        .description("Rows that are no more: not learned from for long, or too many")
        .tag("model", model)
        .tag("reason", reason)
        .register(registry);
  }

  private static DistributionSummary ages(String model, String table, MeterRegistry registry) {
    return DistributionSummary.builder("wukong.embedding.row.age")
        .description("Time since rows were last learned from; each row once a pass")
        .baseUnit("seconds")
        .tag("model", model)
        .tag("table", table)
        .serviceLevelObjectives(AGES)
        .register(registry);
  }

  void admitted() {
    admitted.increment();
  }

  void full() {
    full.increment();
  }

  void expired() {
    expired.increment();
  }

  void crowdedOut() {
    crowded.increment();
  }

  void age(int table, Duration age) {
    ages.get(table).record(seconds(age));
  }
}
