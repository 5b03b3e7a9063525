package dev.wukong.serving.retraining;

import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.hosting.ModelCommit;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Counts what a trainer commits, and how far it is behind. Any thread. */
final class TrainerMeters {
  private final Timer commits;
  private final DistributionSummary rows;
  private final Counter halts;

  /**
   * The meters of one model.
   *
   * @param behind events of the log that it has not learned from
   * @param stands where it stands
   */
  TrainerMeters(
      String model,
      MeterRegistry registry,
      Supplier<Number> behind,
      Supplier<OnlineTrainer.Phase> stands) {
    commits =
        Timer.builder("wukong.online.commit")
            .description("Making what was learned durable and visible, from the last step on")
            .tag("model", model)
            .publishPercentileHistogram()
            .register(registry);
    rows =
        DistributionSummary.builder("wukong.online.commit.rows")
            .description("Rows that a commit changes")
            .tag("model", model)
            .register(registry);
    halts =
        Counter.builder("wukong.online.halts")
            .description("How often training has stopped by itself until operators look at it")
            .tag("model", model)
            .register(registry);
    Gauge.builder("wukong.online.log.lag", behind)
        .description("Events of the log that training has not come to")
        .baseUnit("events")
        .tag("model", model)
        .register(registry);
    for (OnlineTrainer.Phase phase : OnlineTrainer.Phase.values()) {
      Gauge.builder("wukong.online.phase", () -> stands.get() == phase ? 1 : 0)
          .description("Whether this is where training stands")
          .tag("model", model)
          .tag("phase", phase.name().toLowerCase(Locale.ROOT))
          .register(registry);
    }
  }

  void committed(long nanos, ModelCommit commit) {
    commits.record(nanos, TimeUnit.NANOSECONDS);
    rows.record(
        commit.rows().stream()
            .mapToInt((RowCommit.Changes of) -> of.keys().length + of.removed().length)
            .sum());
  }

  void halted() {
    halts.increment();
  }
}
