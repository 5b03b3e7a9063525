package dev.wukong.serving.cluster;

import dev.wukong.serving.events.EncodedEvent;
import dev.wukong.serving.events.EventMeters;
import dev.wukong.serving.events.EventMeters.Unlogged;
import dev.wukong.serving.events.EventSink;
import dev.wukong.serving.events.FeedbackEvents;
import dev.wukong.serving.events.FeedbackItem;
import dev.wukong.serving.events.FeedbackItem.Outcome;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends what happens here to the brokers, where whoever trains finds it. Feedback is acknowledged
 * once all brokers have it that must. Any thread.
 *
 * <p>While no broker is reached, predictions go on. What was predicted waits, and so does feedback
 * for its acknowledgement: two minutes, and as far as there is room. Beyond that predictions are
 * not logged, and feedback is refused: its callers send it again.
 */
final class KafkaEventSink implements EventSink, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(KafkaEventSink.class);

  /** Bytes that may be on their way. */
  private static final int ROOM = 64 << 20;

  /** What a message takes besides its bytes, about. */
  private static final int FEW = 256;

  /** Of the producer: it counts in blocks. */
  private static final long MEMORY = 2L * ROOM;

  private static final Duration LINGER = Duration.ofMillis(5);

  /**
   * For a prediction that was given up its feedback would be learned from no more: as long as there
   * is room, it waits for brokers that are away.
   */
  private static final Duration DELIVERY = Duration.ofMinutes(2);

  private static final Duration AGAIN = Duration.ofSeconds(1);
  private static final Duration CLOSE = Duration.ofSeconds(5);

  private final KafkaSettings settings;
  private final Producer<byte[], byte[]> producer;
  private final EventMeters meters;
  private final Semaphore room = new Semaphore(ROOM);
  private final Thread finder;

  /** Whether the brokers have been reached once: before, sending would wait for that. */
  private volatile boolean found;

  private volatile boolean closed;
  private volatile @Nullable String failure;

  KafkaEventSink(KafkaSettings settings, String replica, MeterRegistry registry) {
    this.settings = settings;
    this.meters = new EventMeters(registry);
    this.producer =
        KafkaClients.producer(
            settings, replica + "-events", MEMORY, LINGER, Duration.ofMillis(100), DELIVERY);
    failure = "no broker of %s was reached yet".formatted(settings.addresses());
    finder = Thread.ofPlatform().name("events-brokers").daemon().start(this::find);
  }

  /** Until the producer knows where the topics are. */
  private void find() {
    while (!closed) {
      try {
        Topics.make(settings);
        if (!producer.partitionsFor(Topic.FEATURES.in(settings)).isEmpty()
            && !producer.partitionsFor(Topic.LABELS.in(settings)).isEmpty()) {
          failure = null;
          found = true;
          log.info("events are logged by the brokers of {}", settings.addresses());
          return;
        }
      } catch (ExecutionException | KafkaException e) {
        failure = "the brokers of %s: %s".formatted(settings.addresses(), KafkaReasons.of(e));
        log.warn("nothing is logged yet: {}", failure);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
      try {
        Thread.sleep(AGAIN);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  @Override
  public boolean offer(EncodedEvent scored) {
    if (closed || !found) {
      meters.unlogged(closed ? Unlogged.CLOSED : Unlogged.FAILED);
      return false;
    }
    int size = Math.addExact(scored.size(), FEW);
    if (!room.tryAcquire(size)) {
      meters.unlogged(Unlogged.QUEUE);
      return false;
    }
    ProducerRecord<byte[], byte[]> message =
        new ProducerRecord<>(
            Topic.FEATURES.in(settings),
            Objects.requireNonNull(scored.prediction()).bytes(),
            scored.body());
    Future<?> sent =
        send(
            message,
            size,
            (_, problem) -> {
              if (problem == null) {
                meters.scored();
              } else {
                meters.unlogged(Unlogged.FAILED);
              }
            });
    if (sent == null) {
      meters.unlogged(Unlogged.FAILED);
      return false;
    }
    return !hasFailed(sent);
  }

  @Override
  public boolean submit(FeedbackItem item, Duration patience, Consumer<Outcome> done)
      throws InterruptedException {
    if (closed || !found) {
      settle(item, new Outcome.Failed(refusal()), done);
      return true;
    }
    byte[] body = FeedbackEvents.bytes(item);
    int size = body.length + FEW;
    if (!room.tryAcquire(size, patience.toNanos(), TimeUnit.NANOSECONDS)) {
      meters.noRoom();
      return false;
    }
    ProducerRecord<byte[], byte[]> message =
        new ProducerRecord<>(Topic.LABELS.in(settings), item.prediction().bytes(), body);
    Future<?> sent =
        send(
            message,
            size,
            (place, problem) ->
                settle(
                    item,
                    problem == null
                        ? new Outcome.Durable(place.offset())
                        : new Outcome.Failed(KafkaReasons.of(problem)),
                    done));
    if (sent == null) {
      settle(item, new Outcome.Failed(refusal()), done);
    }
    return true;
  }

  /** Whether it was given up at once: of that, too, who sent it is told by the callback alone. */
  private static boolean hasFailed(Future<?> sent) {
    return sent.isDone() && sent.state() == Future.State.FAILED;
  }

  /** What {@code done} is told of, unless it was not taken at all: null. */
  private @Nullable Future<?> send(
      ProducerRecord<byte[], byte[]> message, int size, Callback done) {
    try {
      return producer.send(
          message,
          (place, problem) -> {
            room.release(size);
            failure =
                problem == null
                    ? null
                    : "the brokers do not take events: " + KafkaReasons.of(problem);
            done.onCompletion(place, problem);
          });
    } catch (KafkaException | IllegalStateException e) {
      room.release(size);
      failure = "events cannot be sent: " + KafkaReasons.of(e);
      return null;
    }
  }

  private void settle(FeedbackItem item, Outcome outcome, Consumer<Outcome> done) {
    if (outcome instanceof Outcome.Durable) {
      meters.logged(item);
    }
    meters.settle(outcome, done);
  }

  private String refusal() {
    String reason = failure;
    return closed || reason == null ? "the service stops" : reason;
  }

  @Override
  public Optional<String> failure() {
    return Optional.ofNullable(failure);
  }

  /** Never: the brokers keep what comes for as long as they are told to. */
  @Override
  public Optional<String> full() {
    return Optional.empty();
  }

  /** Sends what is on its way, and refuses what comes. */
  @Override
  public void close() {
    closed = true;
    finder.interrupt();
    producer.close(CLOSE);
  }
}
