package dev.wukong.serving.cluster;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.TopicExistsException;

/** Makes the topics that are not there. Operators may make them, with other properties. */
final class Topics {
  /** The largest message: of a request with thousands of candidates, say. */
  static final int MOST_BYTES = 8 << 20;

  private static final Duration KEPT = Duration.ofDays(7);

  /** Of so many brokers, all but one must have a message before it counts as written. */
  private static final int REDUNDANT = 3;

  private Topics() {}

  /**
   * Makes what is missing.
   *
   * @throws ExecutionException if the brokers refuse that, or are not reached
   */
  static void make(KafkaSettings settings) throws ExecutionException, InterruptedException {
    try (Admin admin = Admin.create(settings.with(Map.of()))) {
      Set<String> there = admin.listTopics().names().get();
      List<NewTopic> missing = new ArrayList<>();
      for (Topic topic : Topic.values()) {
        if (!there.contains(topic.in(settings))) {
          missing.add(
              new NewTopic(
                      topic.in(settings),
                      topic.partitions(settings),
                      (short) settings.replication())
                  .configs(properties(settings)));
        }
      }
      for (var made : admin.createTopics(missing).values().values()) {
        try {
          Object _ = made.get();
        } catch (ExecutionException e) {
          if (!(e.getCause() instanceof TopicExistsException)) {
            throw e;
          }
        }
      }
    }
  }

  private static Map<String, String> properties(KafkaSettings settings) {
    Map<String, String> properties = new HashMap<>();
    // By the broker's clock: those of the replicas may differ.
    properties.put(TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG, "LogAppendTime");
    properties.put(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(MOST_BYTES));
    properties.put(TopicConfig.RETENTION_MS_CONFIG, Long.toString(KEPT.toMillis()));
    properties.put(
        TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG,
        Integer.toString(settings.replication() >= REDUNDANT ? settings.replication() - 1 : 1));
    properties.put(TopicConfig.UNCLEAN_LEADER_ELECTION_ENABLE_CONFIG, "false");
    return properties;
  }
}
