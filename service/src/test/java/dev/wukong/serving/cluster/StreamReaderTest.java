package dev.wukong.serving.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.events.StreamPlace;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

/** Time in the streams, by answers of brokers as they may come. */
class StreamReaderTest {
  private static final KafkaSettings SETTINGS =
      new KafkaSettings(List.of("broker:9092"), "test", 1, 1, Map.of());
  private static final TopicPartition FEATURES = new TopicPartition("test.features", 0);
  private static final TopicPartition LABELS = new TopicPartition("test.labels", 0);
  private static final long NOW = 100_000;

  /** What brokers have said of how many messages are left: nothing, at first. */
  private static final class Brokers extends MockConsumer<byte[], byte[]> {
    private final Map<TopicPartition, Long> lag = new HashMap<>();

    Brokers() {
      super("earliest");
      for (TopicPartition of : List.of(FEATURES, LABELS)) {
        Node[] nodes = {Node.noNode()};
        updatePartitions(
            of.topic(), List.of(new PartitionInfo(of.topic(), 0, nodes[0], nodes, nodes)));
      }
      updateBeginningOffsets(Map.of(FEATURES, 0L, LABELS, 0L));
    }

    @Override
    public OptionalLong currentLag(TopicPartition of) {
      Long left = lag.get(of);
      return left == null ? OptionalLong.empty() : OptionalLong.of(left);
    }

    void send(TopicPartition to, long offset, long ms) {
      addRecord(
          new ConsumerRecord<>(
              to.topic(),
              to.partition(),
              offset,
              ms,
              TimestampType.CREATE_TIME,
              0,
              1,
              new byte[0],
              new byte[1],
              new RecordHeaders(),
              Optional.empty()));
    }
  }

  private static int take(StreamReader reader) {
    int taken = 0;
    for (ConsumerRecord<byte[], byte[]> message : reader.poll(Duration.ZERO)) {
      taken += reader.take(message) ? 1 : 0;
    }
    return taken;
  }

  @Test
  void readUntilMs_partitionHasNotAnswered_isTheTimeOfWhatCame() {
    Brokers brokers = new Brokers();
    try (StreamReader reader = new StreamReader(SETTINGS, brokers, StreamPlace.NONE)) {
      assertThat(take(reader)).isZero();
      assertThat(reader.readUntilMs(NOW)).isEmpty();

      brokers.send(FEATURES, 0, 5_200);
      brokers.send(FEATURES, 1, 5_100);
      brokers.lag.put(FEATURES, 3L);
      assertThat(reader.poll(Duration.ZERO)).hasSize(2);
      assertThat(reader.readUntilMs(NOW)).hasValue(5_100);
    }
  }

  @Test
  void readUntilMs_allHaveAnswered_isTheTimeOfWhoIsBehindMost() {
    Brokers brokers = new Brokers();
    try (StreamReader reader = new StreamReader(SETTINGS, brokers, StreamPlace.NONE)) {
      brokers.send(FEATURES, 0, 5_200);
      brokers.send(LABELS, 0, 5_900);
      brokers.lag.putAll(Map.of(FEATURES, 3L, LABELS, 1L));
      assertThat(take(reader)).isEqualTo(2);
      assertThat(reader.readUntilMs(NOW)).hasValue(5_200);
      brokers.lag.put(FEATURES, 0L);
      assertThat(reader.readUntilMs(NOW)).hasValue(5_900);
      brokers.lag.put(LABELS, 0L);
      assertThat(reader.readUntilMs(NOW)).hasValue(NOW);
    }
  }
}
