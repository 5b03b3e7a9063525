package dev.wukong.serving.cluster;

import dev.wukong.serving.cluster.CommitRecord.Piece;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Shows how a replica stands among the others. Any thread. */
final class ReplicaMeters {
  private final AtomicLong epoch = new AtomicLong();
  private final AtomicLong sequence = new AtomicLong();
  private final AtomicLong trains = new AtomicLong();
  private final AtomicLong behind = new AtomicLong();
  private final AtomicLong stale = new AtomicLong();
  private final DistributionSummary bytes;
  private final Counter applied;
  private final Counter failures;
  private final Timer delay;

  ReplicaMeters(String model, MeterRegistry registry) {
    gauge("wukong.replica.epoch", "Who trains, as far as is known here", epoch, model, registry);
    gauge(
        "wukong.replica.sequence",
        "The last commit that is visible here",
        sequence,
        model,
        registry);
    gauge("wukong.replica.trains", "1 where this replica trains, else 0", trains, model, registry);
    gauge(
        "wukong.replica.behind", "Commit records that were not read here", behind, model, registry);
    gauge(
        "wukong.replica.stale",
        "Records of trainers that were none any more, which were passed over",
        stale,
        model,
        registry);
    applied =
        Counter.builder("wukong.replica.applied")
            .description("Commits that became visible here")
            .tag("model", model)
            .register(registry);
    failures =
        Counter.builder("wukong.replica.failures")
            .description("Times that this replica could not go on and began again")
            .tag("model", model)
            .register(registry);
    delay =
        Timer.builder("wukong.replica.delay")
            .description("From the making of a commit until it is visible here")
            .tag("model", model)
            .publishPercentileHistogram()
            .register(registry);
    bytes =
        DistributionSummary.builder("wukong.replica.commit")
            .description("Size of a commit as it was sent to the others")
            .baseUnit("bytes")
            .tag("model", model)
            .register(registry);
  }

  private static void gauge(
      String name, String description, AtomicLong value, String model, MeterRegistry registry) {
    Gauge.builder(name, value, AtomicLong::doubleValue)
        .description(description)
        .tag("model", model)
        .register(registry);
  }

  void trains(boolean now) {
    trains.set(now ? 1 : 0);
  }

  void behind(long records, long staleRecords) {
    behind.set(records);
    stale.set(staleRecords);
  }

  void failed() {
    failures.increment();
  }

  /** A commit is visible here. */
  void applied(CommitOrder order, long madeMs, long nowMs) {
    applied(order, nowMs);
    delay.record(Math.max(0, nowMs - madeMs), TimeUnit.MILLISECONDS);
  }

  /** One of this replica is. */
  void applied(CommitOrder order, long nowMs) {
    epoch.set(order.epoch());
    sequence.set(order.sequence());
    applied.increment();
  }

  void published(List<Piece> served, List<Piece> remembered) {
    long size = 0;
    for (Piece piece : served) {
      size += piece.size();
    }
    for (Piece piece : remembered) {
      size += piece.size();
    }
    bytes.record((double) size);
  }
}
