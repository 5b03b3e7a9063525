package dev.wukong.serving.figures;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * What a broker holds of a cluster, read by who knows the formats of its messages and nothing of
 * the code that writes them.
 */
final class BrokerContents {
  private static final int EXPOSED = 2;

  /** Predictions by id, as hex digits. */
  private final Set<String> predictions = new HashSet<>();

  /** Candidates of each exposed prediction; labels as prediction, position and task. */
  private final Map<String, Set<Long>> exposures = new HashMap<>();

  private final Set<String> labels = new HashSet<>();
  private long commits;
  private long epoch;
  private long stale;
  private long begun;

  private BrokerContents() {}

  /** All of the topics with {@code prefix}. */
  static BrokerContents read(String address, String prefix) {
    BrokerContents contents = new BrokerContents();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, address),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      for (ConsumerRecord<byte[], byte[]> message : all(consumer, prefix + ".features")) {
        contents.predictions.add(HexFormat.of().formatHex(message.key()));
      }
      for (ConsumerRecord<byte[], byte[]> message : all(consumer, prefix + ".labels")) {
        contents.feedback(message);
      }
      for (ConsumerRecord<byte[], byte[]> message : all(consumer, prefix + ".commits")) {
        contents.commit(message.value());
      }
    }
    return contents;
  }

  private static List<ConsumerRecord<byte[], byte[]>> all(
      KafkaConsumer<byte[], byte[]> consumer, String topic) {
    List<TopicPartition> partitions =
        consumer.partitionsFor(topic).stream()
            .map(of -> new TopicPartition(topic, of.partition()))
            .toList();
    consumer.assign(partitions);
    consumer.seekToBeginning(partitions);
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
    List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>();
    while (partitions.stream().anyMatch(of -> consumer.position(of) < ends.getOrDefault(of, 0L))) {
      consumer.poll(Duration.ofMillis(200)).forEach(found::add);
    }
    return found;
  }

  private void feedback(ConsumerRecord<byte[], byte[]> message) {
    String prediction = HexFormat.of().formatHex(message.key());
    ByteBuffer body = ByteBuffer.wrap(message.value()).order(ByteOrder.LITTLE_ENDIAN);
    int kind = body.get();
    body.position(1 + 2 * Long.BYTES);
    long first = number(body);
    if (kind == EXPOSED) {
      Set<Long> positions = exposures.computeIfAbsent(prediction, _ -> new HashSet<>());
      for (long i = 0; i < first; i++) {
        positions.add(number(body));
      }
    } else {
      byte[] task = new byte[(int) number(body)];
      body.get(task);
      labels.add("%s %d %s".formatted(prediction, first, new String(task, StandardCharsets.UTF_8)));
    }
  }

  /** Seven bits a byte, the lowest first. */
  private static long number(ByteBuffer from) {
    long value = 0;
    int shift = 0;
    int next = from.get();
    while (next < 0) {
      value |= (next & 0x7FL) << shift;
      shift += 7;
      next = from.get();
    }
    return value | (long) next << shift;
  }

  private void commit(byte[] value) {
    ByteBuffer record = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    record.position(1);
    boolean begins = record.get() == 1;
    record.position(record.position() + Integer.BYTES + record.getInt(record.position()));
    int _ = record.getInt(); // The part of the model.
    long of = record.getLong();
    if (begins) {
      begun += of > epoch ? 1 : 0;
      epoch = Math.max(epoch, of);
    } else if (of == epoch && record.getLong() == commits + 1) {
      commits++;
    } else {
      stale++;
    }
  }

  /** Examples that a model has learned that has learned from all of it once. */
  long examples() {
    long exposed =
        exposures.entrySet().stream()
            .filter(of -> predictions.contains(of.getKey()))
            .mapToLong(of -> of.getValue().size())
            .sum();
    return exposed
        + labels.stream()
            .filter(of -> predictions.contains(of.substring(0, of.indexOf(' '))))
            .count();
  }

  /** Labels whose prediction is there, and all. */
  long labels() {
    return labels.size();
  }

  /** Labels of predictions that were lost with the process that had answered. */
  long orphans() {
    return labels.stream()
        .filter(of -> !predictions.contains(of.substring(0, of.indexOf(' '))))
        .count();
  }

  long commits() {
    return commits;
  }

  long epochs() {
    return begun;
  }

  /** Commits of those who did not train any more. */
  long stale() {
    return stale;
  }
}
