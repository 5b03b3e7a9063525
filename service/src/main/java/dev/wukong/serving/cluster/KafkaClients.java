package dev.wukong.serving.cluster;

import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Makes Kafka's clients, all with what the project rests on. Who makes one closes it. */
final class KafkaClients {
  /** How long a reader usually has the brokers wait for something new. */
  static final Duration WAITS = Duration.ofMillis(100);

  private static final Duration REQUEST = Duration.ofSeconds(5);
  private static final int FETCH_BYTES = 4 << 20;

  private KafkaClients() {}

  /**
   * One whose messages are on all brokers that have to have them when it says so, each once and in
   * order.
   *
   * @param memory for messages that are on their way
   * @param block how long {@code send} may wait
   * @param delivery so long a message is tried to be written: then its sender is told
   */
  static Producer<byte[], byte[]> producer(
      KafkaSettings settings,
      String client,
      long memory,
      Duration linger,
      Duration block,
      Duration delivery) {
    return new KafkaProducer<>(
        settings.with(
            Map.ofEntries(
                Map.entry(ProducerConfig.CLIENT_ID_CONFIG, client),
                Map.entry(ProducerConfig.ACKS_CONFIG, "all"),
                Map.entry(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true),
                Map.entry(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4"),
                Map.entry(ProducerConfig.LINGER_MS_CONFIG, linger.toMillis()),
                Map.entry(ProducerConfig.BUFFER_MEMORY_CONFIG, memory),
                Map.entry(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, Topics.MOST_BYTES),
                Map.entry(ProducerConfig.MAX_BLOCK_MS_CONFIG, block.toMillis()),
                Map.entry(
                    ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, Math.toIntExact(REQUEST.toMillis())),
                Map.entry(
                    ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG,
                    Math.toIntExact(delivery.toMillis())),
                // Where no broker is reached, the client would forget where the topics are and take
                // nothing more, whatever room there is.
                Map.entry(CommonClientConfigs.METADATA_RECOVERY_STRATEGY_CONFIG, "none"),
                // Forgotten otherwise while nothing comes, and then send would wait.
                Map.entry(ProducerConfig.METADATA_MAX_IDLE_CONFIG, Duration.ofDays(1).toMillis()))),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  /**
   * One that is told what to read, and never says to the brokers how far it has come.
   *
   * @param records that one call gives at most
   * @param waits how long the brokers wait for something new before they say that there is nothing
   */
  static Consumer<byte[], byte[]> reader(
      KafkaSettings settings, String client, int records, Duration waits) {
    return consumer(
        settings,
        Map.of(
            ConsumerConfig.CLIENT_ID_CONFIG,
            client,
            ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
            "none",
            ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
            false,
            ConsumerConfig.MAX_POLL_RECORDS_CONFIG,
            records,
            ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG,
            FETCH_BYTES,
            ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG,
            Math.toIntExact(waits.toMillis())));
  }

  /** One with these properties. */
  static Consumer<byte[], byte[]> consumer(KafkaSettings settings, Map<String, Object> properties) {
    return new KafkaConsumer<>(
        settings.with(properties), new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }
}
