package dev.wukong.serving.events;

import dev.wukong.serving.events.EventMeters.Unlogged;
import dev.wukong.serving.events.FeedbackItem.Outcome;
import dev.wukong.serving.events.WriteQueue.Added;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that appends to a log, and its queue. What comes while a batch is on its way to
 * the disk is the next batch, so that it waits for no timer. Any thread may call; what a thread
 * adds, or what is added after it has seen the outcome of something else, stands in the log in that
 * order.
 *
 * <p>After a write that failed nothing is written any more, and all who wait or come are told so:
 * answers to requests go on without a log.
 */
public final class EventWriter implements EventSink, AutoCloseable {
  private static final Logger logger = LoggerFactory.getLogger(EventWriter.class);
  private static final long BATCH_BYTES = 1 << 20;

  /** Between looks at what is old. */
  private static final Duration SWEEP = Duration.ofMinutes(1);

  /** The same while nothing is logged because of it. */
  private static final Duration SWEEP_FULL = Duration.ofSeconds(1);

  private final EventLog log;
  private final EventRetention retention;
  private final LongSupplier clock;
  private final WriteQueue queue;
  private final EventMeters meters;
  private final Thread thread;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition advanced = lock.newCondition();

  /** Why nothing is written any more. */
  private volatile @Nullable String failure;

  /** Why nothing but what steers training is taken for now. */
  private volatile @Nullable String full;

  private volatile boolean closed;

  /** Since the last look at what is old. The writer's thread only. */
  private long unswept;

  /** Of the last look. The writer's thread only. */
  private long sweptMs;

  /**
   * A writer whose thread runs. It does not close {@code log}.
   *
   * @param room for what waits
   * @param clock milliseconds since 1970-01-01 UTC
   */
  public EventWriter(
      EventLog log,
      EventRetention retention,
      QueueRoom room,
      LongSupplier clock,
      MeterRegistry registry) {
    this(log, retention, room, clock, new EventMeters(registry));
    EventMeters.watch(queue, registry);
    EventMeters.watch(log, registry);
  }

  /**
   * One of which there are others before and after, all of one log: for as long as this process
   * brings streams together. It counts nothing, as whoever sent what comes has.
   */
  public static EventWriter ofStreams(
      EventLog log, EventRetention retention, QueueRoom room, LongSupplier clock) {
    return new EventWriter(log, retention, room, clock, EventMeters.none());
  }

  private EventWriter(
      EventLog log,
      EventRetention retention,
      QueueRoom room,
      LongSupplier clock,
      EventMeters meters) {
    this.log = log;
    this.retention = retention;
    this.clock = clock;
    this.queue = new WriteQueue(room);
    this.meters = meters;
    this.thread = Thread.ofPlatform().name("events").start(this::work);
  }

  @Override
  public boolean offer(EncodedEvent scored) {
    if (full != null) {
      meters.unlogged(Unlogged.QUOTA);
      return false;
    }
    return switch (queue.offer(new WaitingEvent.Scored(scored))) {
      case ADDED -> true;
      case FULL -> {
        meters.unlogged(Unlogged.QUEUE);
        yield false;
      }
      case CLOSED -> {
        meters.unlogged(failure == null ? Unlogged.CLOSED : Unlogged.FAILED);
        yield false;
      }
    };
  }

  @Override
  public boolean submit(FeedbackItem item, Duration patience, Consumer<Outcome> done)
      throws InterruptedException {
    WaitingEvent.Given given = new WaitingEvent.Given(item, done);
    String noRoom = full;
    if (noRoom != null) {
      EventBatch.settle(given, new Outcome.Failed(noRoom), meters);
      return true;
    }
    return switch (queue.put(given, patience)) {
      case ADDED -> true;
      case FULL -> {
        meters.noRoom();
        yield false;
      }
      case CLOSED -> {
        EventBatch.settle(given, new Outcome.Failed(refusal()), meters);
        yield true;
      }
    };
  }

  /**
   * Logs an event that steers training, also where there is no room for others: training must go on
   * to free it. It may be in the log though this is interrupted.
   *
   * @return its position; by then it is on stable storage
   * @throws EventLogException if it cannot be written
   */
  public long append(String model, Event control) throws InterruptedException {
    switch (control) {
      case Event.Boundary _, Event.Frozen _, Event.Ordered _ -> {}
      case Event.Scored _, Event.Exposed _, Event.Labelled _, Event.Sequenced _ ->
          throw new IllegalArgumentException("no event that steers training: " + control);
    }
    CompletableFuture<Long> position = new CompletableFuture<>();
    return await(new WaitingEvent.Control(EncodedEvent.of(model, control), position), position);
  }

  /**
   * Logs events that were brought together from streams, one after the other and at once, and waits
   * until they are on stable storage; also where there is no room for others. They may be in the
   * log though this is interrupted.
   *
   * @param events makes them, for the position that the first of them gets; once, on the writer's
   *     thread
   * @throws EventLogException if they cannot be written
   */
  public void append(LongFunction<List<EncodedEvent>> events) throws InterruptedException {
    CompletableFuture<Void> done = new CompletableFuture<>();
    await(new WaitingEvent.Sequence(events, done), done);
  }

  /** Trims what may go, and waits until that is done. */
  void sweepNow() throws InterruptedException {
    CompletableFuture<Void> done = new CompletableFuture<>();
    await(new WaitingEvent.Sweep(done), done);
  }

  private <T> T await(WaitingEvent event, CompletableFuture<T> done) throws InterruptedException {
    if (queue.force(event) == Added.CLOSED) {
      throw new EventLogException(refusal(), null);
    }
    try {
      return done.get();
    } catch (ExecutionException e) {
      throw new EventLogException(refusal(), e);
    }
  }

  private String refusal() {
    String reason = failure;
    return reason == null ? "the event log is closed" : reason;
  }

  /** The same until a restart. */
  @Override
  public Optional<String> failure() {
    return Optional.ofNullable(failure);
  }

  @Override
  public Optional<String> full() {
    return Optional.ofNullable(full);
  }

  /**
   * The end of the log when that is above {@code beyond}, or after so long, or when this is closed.
   */
  public long awaitEnd(long beyond, Duration patience) throws InterruptedException {
    long left = patience.toNanos();
    lock.lockInterruptibly();
    try {
      while (log.end() <= beyond && left > 0 && !closed) {
        left = advanced.awaitNanos(left);
      }
      return log.end();
    } finally {
      lock.unlock();
    }
  }

  private void wake() {
    lock.lock();
    try {
      advanced.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void work() {
    try {
      sweep();
      while (failure == null && !queue.ended()) {
        List<WaitingEvent> taken = queue.take(BATCH_BYTES, full == null ? SWEEP : SWEEP_FULL);
        write(taken);
      }
    } catch (InterruptedException e) {
      fail("its thread was interrupted", e);
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error e) {
      fail(String.valueOf(e.getMessage()), e);
    } finally {
      refuseAll();
    }
  }

  /** Answers what waits when the thread ends: nobody else will. */
  private void refuseAll() {
    queue.close();
    try {
      while (!queue.ended()) {
        queue
            .take(Long.MAX_VALUE, Duration.ZERO)
            .forEach(waiting -> EventBatch.fail(waiting, refusal(), meters, Unlogged.FAILED));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void fail(String reason, Throwable cause) {
    failure = "nothing is logged any more: " + reason;
    queue.close();
    logger.error("the event log has failed; until a restart nothing is logged", cause);
  }

  private void write(List<WaitingEvent> taken) {
    EventBatch batch = new EventBatch(log, meters);
    try {
      taken.forEach(batch::add);
      append(batch.events());
    } catch (RuntimeException | Error e) {
      // Also after errors: whatever was not written, its owner waits for an answer.
      fail(String.valueOf(e.getMessage()), e);
      taken.forEach(waiting -> EventBatch.fail(waiting, refusal(), meters, Unlogged.FAILED));
      return;
    }
    batch.written();
    sweepIfDue(!batch.sweeps().isEmpty());
    batch.sweeps().forEach(sweep -> sweep.done().complete(null));
  }

  private void append(List<EncodedEvent> events) {
    if (events.isEmpty()) {
      return;
    }
    long began = System.nanoTime();
    log.append(Math.max(clock.getAsLong(), log.lastMs()), events);
    meters.wrote(System.nanoTime() - began);
    for (EncodedEvent event : events) {
      unswept += event.size();
    }
    wake();
  }

  private void sweepIfDue(boolean asked) {
    long every = (full == null ? SWEEP : SWEEP_FULL).toMillis();
    // A clock that is set back must not put it off.
    long elapsed = Math.abs(clock.getAsLong() - sweptMs);
    if (asked || unswept > retention.stepBytes() || elapsed >= every) {
      sweep();
    }
  }

  private void sweep() {
    unswept = 0;
    sweptMs = clock.getAsLong();
    try {
      Optional<String> reason = retention.sweep(log);
      if (reason.isPresent() && full == null) {
        logger.error("{}; until that has changed nothing is logged", reason.get());
      }
      full = reason.orElse(null);
    } catch (RuntimeException e) {
      // Old events take room, no more: what comes is logged all the same.
      logger.warn("cannot trim the event log", e);
    }
  }

  /** Writes what waits, and refuses what comes. */
  @Override
  public void close() {
    queue.close();
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    closed = true;
    wake();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
