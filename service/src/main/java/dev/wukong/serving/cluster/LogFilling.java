package dev.wukong.serving.cluster;

import dev.wukong.serving.events.EncodedEvent;
import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.EventLog;
import dev.wukong.serving.events.EventLogException;
import dev.wukong.serving.events.PredictionRun;
import dev.wukong.serving.joining.LogPlace;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Makes a log what that of another process was up to a place, as far as training may still read it:
 * each prediction has the position that it had. What else stood there was learned, and is nothing
 * but time now. The thread that appends.
 */
final class LogFilling {
  private static final int RECORDS = 500;
  private static final Duration POLL = Duration.ofSeconds(1);

  /** Messages in memory of one partition, from which on nothing more of it is read for now. */
  private static final int MOST_READ = 2 * RECORDS;

  /** Bytes that are appended together, about, and events. */
  private static final int BATCH_BYTES = 1 << 20;

  private static final int BATCH = 4096;

  private final KafkaSettings settings;
  private final String client;
  private final EventLog log;
  private final BooleanSupplier ends;
  private final EncodedEvent time;
  private final List<EncodedEvent> batch = new ArrayList<>();
  private long batchBytes;

  /** Messages that were read and not used, by partition. */
  private final Map<TopicPartition, Deque<ConsumerRecord<byte[], byte[]>>> read = new HashMap<>();

  private int filled;
  private int lost;

  /**
   * Of {@code log}, which nobody else changes meanwhile.
   *
   * @param ends whether this is to end as soon as it can
   */
  LogFilling(
      KafkaSettings settings, String client, String model, EventLog log, BooleanSupplier ends) {
    this.settings = settings;
    this.client = client;
    this.log = log;
    this.ends = ends;
    this.time = EncodedEvent.of(model, new Event.Boundary());
  }

  /**
   * Has the log end at {@code place}, with all of {@code runs} in it.
   *
   * @param runs by ascending position, all below the place
   * @return false if it was ended before
   */
  boolean to(LogPlace place, List<PredictionRun> runs) {
    long first = runs.isEmpty() ? place.next() : runs.getFirst().position();
    boolean goesOn = log.begin() <= first && log.end() >= first;
    log.rewind(goesOn ? Math.min(log.end(), place.next()) : first, place.lastMs());
    long begin = log.end();
    List<PredictionRun> missing =
        runs.stream().filter(run -> run.position() + run.count() > begin).toList();
    if (!missing.isEmpty() && !read(missing)) {
      return false;
    }
    fill(place.next());
    flush();
    return true;
  }

  /**
   * Forgets what stands in a log from {@code place} on: another process may give it another order.
   */
  static void cut(EventLog log, LogPlace place) {
    if (log.end() > place.next()) {
      log.rewind(place.next(), place.lastMs());
    }
  }

  /** Predictions that were read for it. */
  int filled() {
    return filled;
  }

  /** Predictions that the brokers do not keep any more: what comes of these is no example. */
  int lost() {
    return lost;
  }

  private boolean read(List<PredictionRun> runs) {
    try (Consumer<byte[], byte[]> consumer =
        KafkaClients.reader(settings, client, RECORDS, KafkaClients.WAITS)) {
      Map<TopicPartition, Long> from = new HashMap<>();
      for (PredictionRun run : runs) {
        Object _ = from.putIfAbsent(partition(run), run.offset());
      }
      consumer.assign(from.keySet());
      from.forEach(consumer::seek);
      from.keySet().forEach(of -> read.put(of, new ArrayDeque<>()));
      for (PredictionRun run : runs) {
        for (int i = 0; i < run.count(); i++) {
          if (run.position() + i < end()) {
            continue; // It is there.
          }
          if (ends.getAsBoolean()) {
            return false;
          }
          fill(run.position() + i);
          add(event(consumer, partition(run), run.offset() + i));
        }
      }
      return true;
    }
  }

  private TopicPartition partition(PredictionRun run) {
    return new TopicPartition(Topic.FEATURES.in(settings), run.partition());
  }

  private EncodedEvent event(Consumer<byte[], byte[]> consumer, TopicPartition of, long offset) {
    ConsumerRecord<byte[], byte[]> message = message(consumer, of, offset);
    if (message != null) {
      try {
        filled++;
        return EncodedEvent.received(message.value());
      } catch (EventLogException e) {
        filled--;
      }
    }
    lost++;
    return time;
  }

  /** The message at {@code offset}; null where it is no more. */
  private @Nullable ConsumerRecord<byte[], byte[]> message(
      Consumer<byte[], byte[]> consumer, TopicPartition of, long offset) {
    Deque<ConsumerRecord<byte[], byte[]>> found = deque(of);
    while (true) {
      while (!found.isEmpty() && found.getFirst().offset() < offset) {
        found.remove();
      }
      if (!found.isEmpty()) {
        return found.getFirst().offset() == offset ? found.remove() : null;
      }
      if (consumer.position(of) > offset || ends.getAsBoolean()) {
        return null;
      }
      poll(consumer);
    }
  }

  private Deque<ConsumerRecord<byte[], byte[]>> deque(TopicPartition of) {
    return read.computeIfAbsent(of, _ -> new ArrayDeque<>());
  }

  private void poll(Consumer<byte[], byte[]> consumer) {
    List<TopicPartition> full =
        read.entrySet().stream()
            .filter(one -> one.getValue().size() >= MOST_READ)
            .map(Map.Entry::getKey)
            .toList();
    consumer.pause(full);
    try {
      consumer
          .poll(POLL)
          .forEach(one -> deque(new TopicPartition(one.topic(), one.partition())).add(one));
    } catch (OffsetOutOfRangeException e) {
      consumer.seekToBeginning(e.partitions()); // What was before is lost.
      e.partitions().forEach(of -> consumer.position(of));
    }
    consumer.resume(full);
  }

  private long end() {
    return log.end() + batch.size();
  }

  /** Time alone up to {@code position}. */
  private void fill(long position) {
    while (end() < position) {
      add(time);
    }
  }

  private void add(EncodedEvent event) {
    batch.add(event);
    batchBytes += event.size();
    if (batch.size() >= BATCH || batchBytes >= BATCH_BYTES) {
      flush();
    }
  }

  private void flush() {
    log.append(log.lastMs(), List.copyOf(batch));
    batch.clear();
    batchBytes = 0;
  }
}
