package dev.wukong.serving.events;

import dev.wukong.serving.events.FeedbackItem.Outcome;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts what is logged, and what is not. Any thread. */
public final class EventMeters {
  private static final Logger logger = LoggerFactory.getLogger(EventMeters.class);

  /** Why a scored request is not in the log. */
  public enum Unlogged {
    /** Too many wait. */
    QUEUE,
    /** The disk's share is used up. */
    QUOTA,
    /** Nothing can be written any more. */
    FAILED,
    /** The process ends. */
    CLOSED
  }

  private final Map<EventKind, Counter> logged = new EnumMap<>(EventKind.class);
  private final Map<Unlogged, Counter> unlogged = new EnumMap<>(Unlogged.class);
  private final Counter unknown;
  private final Counter invalid;
  private final Counter failed;
  private final Counter noRoom;
  private final Timer write;

  /** None of anything so far. */
  public EventMeters(MeterRegistry registry) {
    for (EventKind kind : EventKind.values()) {
      logged.put(
          kind,
          Counter.builder("wukong.events.logged")
              .description("Events that are in the log")
              .tag("kind", kind.label())
              .register(registry));
    }
    unlogged.put(Unlogged.QUEUE, unlogged("queue", registry));
    unlogged.put(Unlogged.QUOTA, unlogged("quota", registry));
    unlogged.put(Unlogged.FAILED, unlogged("failed", registry));
    unlogged.put(Unlogged.CLOSED, unlogged("closed", registry));
    unknown = refused("unknown", registry);
    invalid = refused("invalid", registry);
    failed = refused("failed", registry);
    noRoom = refused("room", registry);
    write =
        Timer.builder("wukong.events.write")
            .description("Writing a batch of events until it is on stable storage")
            .register(registry);
  }

  /** Counts for nobody: what one process counts another need not count again. */
  static EventMeters none() {
    return new EventMeters(new CompositeMeterRegistry());
  }

  /** Shows how much waits. */
  static void watch(WriteQueue queue, MeterRegistry registry) {
    Gauge.builder("wukong.events.queue", queue, WriteQueue::size)
        .description("Events that wait to be written")
        .register(registry);
  }

  /** Shows how large a log is. */
  public static void watch(EventLog log, MeterRegistry registry) {
    Gauge.builder("wukong.events.bytes", log, EventLog::bytes)
        .description("What the log takes on disk")
        .baseUnit("bytes")
        .register(registry);
  }

  private static Counter unlogged(String reason, MeterRegistry registry) {
    return Counter.builder("wukong.events.unlogged")
        .description("Scored requests that are not in the log: nobody can learn from them")
        .tag("reason", reason)
        .register(registry);
  }

  private static Counter refused(String reason, MeterRegistry registry) {
    return Counter.builder("wukong.feedback.refused")
        .description("Exposures and labels that are not in the log, as their callers were told")
        .tag("reason", reason)
        .register(registry);
  }

  private static <K> Counter of(Map<K, Counter> counters, K key) {
    Counter counter = counters.get(key);
    if (counter == null) {
      throw new IllegalStateException("no counter of " + key);
    }
    return counter;
  }

  void logged(EventKind kind) {
    of(logged, kind).increment();
  }

  /** A scored request is in the log. */
  public void scored() {
    logged(EventKind.SCORED);
  }

  /** Feedback is in the log. */
  public void logged(FeedbackItem item) {
    logged(
        switch (item) {
          case FeedbackItem.Exposed _ -> EventKind.EXPOSED;
          case FeedbackItem.Labelled _ -> EventKind.LABELLED;
        });
  }

  /** A scored request is not in the log, and will not be. */
  public void unlogged(Unlogged reason) {
    of(unlogged, reason).increment();
  }

  /** Feedback was refused since too much waits. */
  public void noRoom() {
    noRoom.increment();
  }

  /** Counts what became of feedback and tells it. */
  public void settle(Outcome outcome, Consumer<Outcome> done) {
    settled(outcome);
    try {
      done.accept(outcome);
    } catch (RuntimeException e) {
      // One who cannot be told must not keep it from the others.
      logger.error("who gave feedback cannot be told what became of it", e);
    }
  }

  /** Counts feedback that was refused; what is durable is counted as logged. */
  private void settled(Outcome outcome) {
    switch (outcome) {
      case Outcome.Durable _ -> {}
      case Outcome.Unknown _ -> unknown.increment();
      case Outcome.Invalid _ -> invalid.increment();
      case Outcome.Failed _ -> failed.increment();
    }
  }

  /** A batch of events has come to stable storage in so long. */
  public void wrote(long nanos) {
    write.record(nanos, TimeUnit.NANOSECONDS);
  }
}
