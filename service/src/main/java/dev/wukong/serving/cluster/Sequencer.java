package dev.wukong.serving.cluster;

import dev.wukong.serving.cluster.HeldFeedback.Waiting;
import dev.wukong.serving.events.EncodedEvent;
import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.EventLog;
import dev.wukong.serving.events.EventLogException;
import dev.wukong.serving.events.EventWriter;
import dev.wukong.serving.events.FeedbackEvents;
import dev.wukong.serving.events.FeedbackItem;
import dev.wukong.serving.events.PredictionId;
import dev.wukong.serving.events.PredictionRun;
import dev.wukong.serving.events.StreamPlace;
import dev.wukong.serving.events.StreamPlace.Held;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings all that happens in a cluster into one order, in the log of the process that trains: some
 * messages at a time, in one write with up to where the streams were read for them. So what is
 * learned from that log is learned once, whoever goes on with it.
 *
 * <p>Time in the log is that up to which all partitions were read: while many messages wait, as
 * after a change of trainer, no label counts as missing that is among them.
 */
final class Sequencer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Sequencer.class);

  private static final Duration POLL = Duration.ofMillis(100);

  /** Feedback that waits for its prediction. */
  private static final int MOST_HELD = 1 << 16;

  private static final Duration HELD = Duration.ofMinutes(5);
  private static final Duration CLOSE = Duration.ofSeconds(10);

  private final KafkaSettings settings;
  private final String model;
  private final EventLog events;
  private final LongSupplier clock;
  private final SequencerMeters meters;
  private final HeldFeedback held = new HeldFeedback(MOST_HELD, HELD.toMillis());
  private final AtomicLong untilMs;
  private final Thread thread;
  private final StreamPlace from;
  private final String client;
  private volatile @Nullable EventWriter writer;
  private volatile boolean closed;
  private volatile @Nullable Throwable failure;

  /**
   * One that begins with {@link #start}.
   *
   * @param from where the streams were read last
   * @param events the log; what is in it tells which predictions are known
   * @param clock milliseconds since 1970-01-01 UTC
   */
  Sequencer(
      KafkaSettings settings,
      String client,
      String model,
      StreamPlace from,
      EventLog events,
      LongSupplier clock,
      SequencerMeters meters) {
    this.settings = settings;
    this.client = client;
    this.model = model;
    this.from = from;
    this.events = events;
    this.clock = clock;
    this.meters = meters;
    this.untilMs = new AtomicLong(events.lastMs());
    this.thread = Thread.ofPlatform().name("sequencer").unstarted(this::work);
  }

  /** Begins to append to the log by {@code into}, whose clock is {@link #nowMs}. */
  void start(EventWriter into) {
    writer = into;
    thread.start();
  }

  /** Time, as far as all is in the log that happened before. Any thread. */
  long nowMs() {
    return untilMs.get();
  }

  /** Why it has ended before it was closed. */
  Optional<Throwable> failure() {
    return Optional.ofNullable(failure);
  }

  private void work() {
    EventWriter into = writer;
    if (into == null) {
      throw new IllegalStateException("it was not started");
    }
    try (StreamReader reader = new StreamReader(settings, client, from)) {
      while (!closed) {
        if (into.full().isPresent()) {
          reader.pause(); // The brokers keep what comes meanwhile.
        } else {
          reader.resume();
        }
        step(reader, into);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (KafkaException | EventLogException e) {
      failure = e;
      log.warn("the streams are not read any more: {}", KafkaReasons.of(e));
    }
  }

  private void step(StreamReader reader, EventWriter into) throws InterruptedException {
    ConsumerRecords<byte[], byte[]> messages = reader.poll(POLL);
    OptionalLong until = reader.readUntilMs(clock.getAsLong());
    if (until.isPresent()) {
      untilMs.accumulateAndGet(until.getAsLong(), Math::max);
    }
    meters.orphans(held.expire(nowMs()));
    if (!messages.isEmpty()) {
      into.append(first -> new Block(first, reader).of(messages));
    }
    meters.waiting(held.size(), reader.lag());
  }

  /**
   * Some messages as they come into the log. The writer's thread, while that of the reader waits.
   */
  private final class Block {
    private final StreamReader reader;
    private final long header;
    private final List<EncodedEvent> found = new ArrayList<>();
    private final List<PredictionRun> runs = new ArrayList<>();
    private final Map<PredictionId, EventLog.Place> fresh = new HashMap<>();
    private int feedback;

    Block(long header, StreamReader reader) {
      this.header = header;
      this.reader = reader;
    }

    private long next() {
      return header + 1 + found.size();
    }

    List<EncodedEvent> of(ConsumerRecords<byte[], byte[]> messages) {
      // Predictions first: what became of them may be among the rest.
      messages.records(Topic.FEATURES.in(settings)).forEach(this::scored);
      List<Waiting> come = new ArrayList<>();
      fresh.keySet().forEach(id -> come.addAll(held.take(id)));
      come.forEach(one -> feedback(one.place(), one.item(), one.sinceMs()));
      messages.records(Topic.LABELS.in(settings)).forEach(this::labelled);
      meters.sequenced(found.size() - feedback, feedback);
      List<EncodedEvent> all = new ArrayList<>(found.size() + 1);
      all.add(
          EncodedEvent.of(
              model, new Event.Sequenced(found.size(), reader.place(held.places()), runs)));
      all.addAll(found);
      return all;
    }

    private void scored(ConsumerRecord<byte[], byte[]> message) {
      boolean _ = reader.take(message);
      EncodedEvent event;
      try {
        event = EncodedEvent.received(message.value());
      } catch (EventLogException e) {
        damaged(message, e);
        return;
      }
      PredictionId id = event.prediction();
      if (id == null || !event.model().equals(model)) {
        return;
      }
      run(message);
      fresh.put(id, new EventLog.Place(next(), model, event.candidates()));
      found.add(event);
    }

    private void run(ConsumerRecord<byte[], byte[]> message) {
      PredictionRun last = runs.isEmpty() ? null : runs.getLast();
      if (last != null
          && last.partition() == message.partition()
          && last.offset() + last.count() == message.offset()
          && last.position() + last.count() == next()) {
        runs.set(
            runs.size() - 1,
            new PredictionRun(last.position(), last.partition(), last.offset(), last.count() + 1));
      } else {
        runs.add(new PredictionRun(next(), message.partition(), message.offset(), 1));
      }
    }

    private void labelled(ConsumerRecord<byte[], byte[]> message) {
      if (!reader.take(message)) {
        return;
      }
      FeedbackItem item;
      try {
        item = FeedbackEvents.of(message.value());
      } catch (EventLogException e) {
        damaged(message, e);
        return;
      }
      feedback(new Held(message.partition(), message.offset()), item, message.timestamp());
    }

    private void feedback(Held at, FeedbackItem item, long sinceMs) {
      EventLog.Place here = fresh.get(item.prediction());
      EventLog.Place place = here == null ? events.find(item.prediction()).orElse(null) : here;
      if (place == null) {
        meters.orphans(held.add(new Waiting(at, item, sinceMs)));
        return;
      }
      if (FeedbackEvents.wrong(item, place.candidates()).isPresent()) {
        meters.invalid();
        return;
      }
      found.add(EncodedEvent.of(place.model(), FeedbackEvents.event(item, place.position())));
      feedback++;
    }

    private void damaged(ConsumerRecord<byte[], byte[]> message, EventLogException why) {
      meters.damaged();
      log.warn(
          "message {} of {}-{} is passed over: {}",
          message.offset(),
          message.topic(),
          message.partition(),
          why.getMessage());
    }
  }

  /** Ends after the write under way. */
  @Override
  public void close() {
    closed = true;
    try {
      if (thread.isAlive() && !thread.join(CLOSE)) {
        log.warn("the sequencer does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
