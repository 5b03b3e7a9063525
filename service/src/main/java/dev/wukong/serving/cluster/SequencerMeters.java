package dev.wukong.serving.cluster;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.atomic.AtomicLong;

/** Counts what comes from the streams where this process trains. Any thread. */
final class SequencerMeters {
  private final Counter predictions;
  private final Counter feedback;
  private final Counter orphans;
  private final Counter invalid;
  private final Counter damaged;
  private final AtomicLong held = new AtomicLong();
  private final AtomicLong lag = new AtomicLong();

  SequencerMeters(MeterRegistry registry) {
    predictions = sequenced("scored", registry);
    feedback = sequenced("feedback", registry);
    orphans = dropped("orphan", registry);
    invalid = dropped("invalid", registry);
    damaged = dropped("damaged", registry);
    Gauge.builder("wukong.stream.held", held, AtomicLong::doubleValue)
        .description("Feedback that waits for its prediction")
        .register(registry);
    Gauge.builder("wukong.stream.lag", lag, AtomicLong::doubleValue)
        .description("Messages of predictions and feedback that were not read, where this trains")
        .register(registry);
  }

  private static Counter sequenced(String kind, MeterRegistry registry) {
    return Counter.builder("wukong.stream.sequenced")
        .description("Messages that were brought into the order in which they are learned")
        .tag("kind", kind)
        .register(registry);
  }

  private static Counter dropped(String reason, MeterRegistry registry) {
    return Counter.builder("wukong.stream.dropped")
        .description(
            "Messages that cannot be learned from: feedback without its prediction above all")
        .tag("reason", reason)
        .register(registry);
  }

  void sequenced(int scored, int other) {
    predictions.increment(scored);
    feedback.increment(other);
  }

  void orphans(int count) {
    orphans.increment(count);
  }

  void invalid() {
    invalid.increment();
  }

  void damaged() {
    damaged.increment();
  }

  void waiting(long heldNow, long lagNow) {
    held.set(heldNow);
    lag.set(lagNow);
  }
}
