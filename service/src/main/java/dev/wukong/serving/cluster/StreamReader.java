package dev.wukong.serving.cluster;

import dev.wukong.serving.events.StreamPlace;
import dev.wukong.serving.events.StreamPlace.Held;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads predictions and feedback from where they were last read, and knows how far time has come in
 * them. One thread.
 */
final class StreamReader implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(StreamReader.class);

  /** Messages that are read together. */
  private static final int RECORDS = 1000;

  private final KafkaSettings settings;
  private final Consumer<byte[], byte[]> consumer;
  private final Set<Held> held;

  /** Up to where all of it was read before, of feedback some of which was held. */
  private final List<Long> heldUpTo;

  /** The next offset of each partition, and the time of the last message; by topic. */
  private final Map<TopicPartition, Long> next = new TreeMap<>(StreamReader::compare);

  private final Map<TopicPartition, Long> lastMs = new HashMap<>();

  /** The time of the earliest message that came last; none: nothing came. */
  private OptionalLong earliestMs = OptionalLong.empty();

  /** Begins at {@code place}. */
  StreamReader(KafkaSettings settings, String client, StreamPlace place) {
    this(settings, KafkaClients.reader(settings, client, RECORDS, KafkaClients.WAITS), place);
  }

  /** The same by {@code consumer}, which is closed with this. */
  StreamReader(KafkaSettings settings, Consumer<byte[], byte[]> consumer, StreamPlace place) {
    this.settings = settings;
    this.held = new HashSet<>(place.held());
    this.heldUpTo = place.feedback();
    this.consumer = consumer;
    boolean done = false;
    try {
      begin(Topic.FEATURES, place.predictions());
      begin(Topic.LABELS, place.feedback());
      consumer.assign(next.keySet());
      next.forEach(consumer::seek);
      // What was held is read once more.
      for (Held one : place.held()) {
        TopicPartition of = new TopicPartition(Topic.LABELS.in(settings), one.partition());
        consumer.seek(of, Math.min(consumer.position(of), one.offset()));
      }
      done = true;
    } finally {
      if (!done) {
        consumer.close();
      }
    }
  }

  private static int compare(TopicPartition a, TopicPartition b) {
    int topics = a.topic().compareTo(b.topic());
    return topics != 0 ? topics : Integer.compare(a.partition(), b.partition());
  }

  private void begin(Topic topic, List<Long> offsets) {
    List<TopicPartition> all = new ArrayList<>();
    for (PartitionInfo of : consumer.partitionsFor(topic.in(settings))) {
      all.add(new TopicPartition(of.topic(), of.partition()));
    }
    Map<TopicPartition, Long> first = consumer.beginningOffsets(all);
    for (TopicPartition of : all) {
      long begin = first.getOrDefault(of, 0L);
      long from = of.partition() < offsets.size() ? offsets.get(of.partition()) : begin;
      if (from < begin) {
        lost(of, from, begin);
      }
      next.put(of, Math.max(from, begin));
    }
  }

  private static void lost(TopicPartition of, long from, long begin) {
    log.error(
        "{}: messages {} to {} are trimmed and were not learned from: the topic is to keep them for"
            + " longer than training may stand still",
        of,
        from,
        begin - 1);
  }

  /** What comes next; nothing where nothing comes in time. */
  ConsumerRecords<byte[], byte[]> poll(Duration patience) {
    ConsumerRecords<byte[], byte[]> messages = read(patience);
    earliestMs = OptionalLong.empty();
    for (ConsumerRecord<byte[], byte[]> message : messages) {
      earliestMs =
          OptionalLong.of(Math.min(earliestMs.orElse(message.timestamp()), message.timestamp()));
    }
    return messages;
  }

  private ConsumerRecords<byte[], byte[]> read(Duration patience) {
    try {
      return consumer.poll(patience);
    } catch (OffsetOutOfRangeException e) {
      Map<TopicPartition, Long> first = consumer.beginningOffsets(e.partitions());
      e.offsetOutOfRangePartitions()
          .forEach(
              (of, from) -> {
                long begin = first.getOrDefault(of, 0L);
                lost(of, from, begin);
                consumer.seek(of, begin);
              });
      return ConsumerRecords.empty();
    }
  }

  /** Has nothing more come for now; {@link #poll} is still to be called. */
  void pause() {
    consumer.pause(consumer.assignment());
  }

  /** Has more come again. */
  void resume() {
    consumer.resume(consumer.paused());
  }

  /** Whether a message is to be taken: some of it was before. It counts as read. */
  boolean take(ConsumerRecord<byte[], byte[]> message) {
    TopicPartition of = new TopicPartition(message.topic(), message.partition());
    lastMs.put(of, message.timestamp());
    next.merge(of, message.offset() + 1, Math::max);
    int partition = message.partition();
    boolean before =
        message.topic().equals(Topic.LABELS.in(settings))
            && partition < heldUpTo.size()
            && message.offset() < heldUpTo.get(partition);
    return !before || held.remove(new Held(partition, message.offset()));
  }

  /** Up to where all was read. */
  StreamPlace place(List<Held> heldNow) {
    List<Held> all = new ArrayList<>(heldNow);
    all.addAll(held); // Not come to once more yet.
    return new StreamPlace(offsets(Topic.FEATURES), offsets(Topic.LABELS), all);
  }

  private List<Long> offsets(Topic topic) {
    List<Long> offsets = new ArrayList<>();
    next.forEach(
        (of, offset) -> {
          if (of.topic().equals(topic.in(settings))) {
            while (offsets.size() < of.partition()) {
              offsets.add(0L);
            }
            offsets.add(offset);
          }
        });
    return offsets;
  }

  /** Messages that were not read, as far as is known. */
  long lag() {
    long lag = 0;
    for (TopicPartition of : next.keySet()) {
      lag += consumer.currentLag(of).orElse(0);
    }
    return lag;
  }

  /**
   * Up to when all that happened was read, by the brokers' clocks; {@code nowMs} where all was.
   * Where that is not known, as each partition has to answer first, the time of what came: else it
   * would be logged as of when the log last was written, or of 1970, and what it waits for would
   * count as missing. Nothing where nothing came.
   */
  OptionalLong readUntilMs(long nowMs) {
    long until = nowMs;
    for (TopicPartition of : next.keySet()) {
      OptionalLong left = consumer.currentLag(of);
      if (left.isEmpty() || left.getAsLong() > 0) {
        Long last = lastMs.get(of);
        if (last == null) {
          return earliestMs;
        }
        until = Math.min(until, last);
      }
    }
    return OptionalLong.of(until);
  }

  @Override
  public void close() {
    consumer.close();
  }
}
