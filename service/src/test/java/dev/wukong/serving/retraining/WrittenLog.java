package dev.wukong.serving.retraining;

import dev.wukong.serving.events.EncodedEvent;
import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.EventLogException;
import dev.wukong.serving.events.EventRetention;
import dev.wukong.serving.events.EventWriter;
import dev.wukong.serving.events.FeedbackItem;
import dev.wukong.serving.events.FeedbackItem.Outcome;
import dev.wukong.serving.events.Logged;
import dev.wukong.serving.events.PredictionId;
import dev.wukong.serving.events.QueueRoom;
import dev.wukong.serving.events.RocksEventLog;
import dev.wukong.serving.testing.FailingEventLog;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;

/** The log of one life of a process, written as callers and training have it written. */
final class WrittenLog implements AutoCloseable {
  private static final Duration LONG = Duration.ofMinutes(1);

  private final List<Logged> events;
  private final AtomicLong nowMs = new AtomicLong();
  private final RocksEventLog disk;
  private final FailingEventLog log;
  private final EventWriter writer;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  /**
   * Opens it.
   *
   * @param events those that are written to it, by the positions at which they refer to each other
   */
  WrittenLog(Path folder, List<Logged> events) {
    this.events = events;
    disk = RocksEventLog.open(folder);
    log = new FailingEventLog(disk);
    writer =
        new EventWriter(
            log,
            new EventRetention(Duration.ofDays(100_000), Long.MAX_VALUE, () -> 0, nowMs::get),
            new QueueRoom(100, 1 << 24),
            nowMs::get,
            registry);
  }

  /** The next write fails, and all after it. */
  void fail(boolean there) {
    log.fail("While fdatasync: Input/output error", there);
  }

  /** Writes an event; what became of it. */
  Outcome write(Logged event) throws InterruptedException {
    nowMs.set(event.atMs());
    return switch (event.event()) {
      case Event.Scored _ -> score(event);
      case Event.Exposed of ->
          report(
              new FeedbackItem.Exposed(id(of.scored()), of.positions(), of.timeMs(), of.source()));
      case Event.Labelled of ->
          report(
              new FeedbackItem.Labelled(
                  id(of.scored()),
                  of.position(),
                  of.task(),
                  of.value(),
                  of.weight(),
                  of.timeMs(),
                  of.source()));
      case Event.Boundary _, Event.Frozen _, Event.Ordered _, Event.Sequenced _ ->
          append(event.event());
    };
  }

  private Outcome score(Logged event) throws InterruptedException {
    long end = log.end();
    boolean taken = writer.offer(EncodedEvent.of(event.model(), event.event()));
    while (taken && writer.failure().isEmpty() && log.end() == end) {
      long _ = writer.awaitEnd(end, Duration.ofMillis(10));
    }
    return log.end() > end ? new Outcome.Durable(end) : failed();
  }

  private Outcome append(Event event) throws InterruptedException {
    try {
      return new Outcome.Durable(writer.append(LearningModel.NAME, event));
    } catch (EventLogException _) {
      return failed();
    }
  }

  private Outcome failed() {
    return new Outcome.Failed(writer.failure().orElse("there was no room"));
  }

  private Outcome report(FeedbackItem item) throws InterruptedException {
    CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    if (!writer.submit(item, LONG, outcome::complete)) {
      throw new AssertionError("there was no room");
    }
    try {
      return outcome.get();
    } catch (ExecutionException e) {
      throw new AssertionError(e);
    }
  }

  private PredictionId id(long scored) {
    if (events.get(Math.toIntExact(scored)).event() instanceof Event.Scored made) {
      return made.request().id();
    }
    throw new AssertionError("no prediction stands at " + scored);
  }

  /** Feedback that was refused for this reason. */
  double refused(String reason) {
    return registry.get("wukong.feedback.refused").tag("reason", reason).counter().count();
  }

  /** All that is in it, also when it is closed. */
  List<Logged> all() {
    List<Logged> all = new ArrayList<>();
    while (all.size() < disk.end()) { // Nothing is ever trimmed.
      disk.read(all.size(), Integer.MAX_VALUE).stream().map(WrittenLog::whole).forEach(all::add);
    }
    return all;
  }

  private static Logged whole(Logged of) {
    return of.event() instanceof Event.Scored made
        ? new Logged(of.position(), of.atMs(), of.model(), new Event.Scored(made.request()))
        : of;
  }

  @Override
  public void close() {
    writer.close();
    disk.close();
  }
}
