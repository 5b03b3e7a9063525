package dev.wukong.serving.cluster;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An election by the brokers: of all who are in a group of consumers one gets the topic of commits.
 * One that is not heard of for some seconds loses it.
 */
final class GroupElection implements Election {
  private static final Logger log = LoggerFactory.getLogger(GroupElection.class);
  private static final Duration SESSION = Duration.ofSeconds(10);
  private static final Duration HEARTBEAT = Duration.ofSeconds(2);
  private static final Duration POLL = Duration.ofMillis(500);
  private static final Duration AGAIN = Duration.ofMillis(200);

  private final KafkaSettings settings;
  private final String model;
  private final String client;
  private final Thread thread;
  private volatile BooleanSupplier ready = () -> false;
  private volatile boolean won;
  private volatile boolean closed;
  private final CountDownLatch ended = new CountDownLatch(1);

  GroupElection(KafkaSettings settings, String client, String model) {
    this.settings = settings;
    this.model = model;
    this.client = client;
    thread = Thread.ofPlatform().name("election-" + model).unstarted(this::work);
  }

  @Override
  public void start(BooleanSupplier whenReady) {
    ready = whenReady;
    thread.start();
  }

  private void work() {
    while (!closed) {
      try {
        if (ready.getAsBoolean()) {
          take();
        }
      } catch (WakeupException e) {
        log.debug("the election ends", e);
      } catch (KafkaException e) {
        log.warn("the election of a trainer: {}", KafkaReasons.of(e));
      } finally {
        won = false;
      }
      rest();
    }
  }

  private void rest() {
    try {
      boolean _ = ended.await(AGAIN.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      closed = true;
    }
  }

  private void take() {
    Map<String, Object> properties =
        Map.of(
            ConsumerConfig.GROUP_ID_CONFIG,
            settings.named("trainer." + model),
            ConsumerConfig.CLIENT_ID_CONFIG,
            client,
            ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
            false,
            ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
            "latest",
            ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG,
            List.of(
                CooperativeStickyAssignor.class.getName()), // Who has it keeps it when others come.
            ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG,
            Math.toIntExact(SESSION.toMillis()),
            ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG,
            Math.toIntExact(HEARTBEAT.toMillis()),
            ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG,
            Math.toIntExact(SESSION.toMillis()));
    try (Consumer<byte[], byte[]> consumer = KafkaClients.consumer(settings, properties)) {
      consumer.subscribe(List.of(Topic.COMMITS.in(settings)), new Listener(consumer));
      while (!closed) {
        var _ = consumer.poll(POLL); // Nothing ever comes: what it has is paused.
      }
    }
  }

  /** Told what this process has. */
  private final class Listener implements ConsumerRebalanceListener {
    private final Consumer<byte[], byte[]> consumer;

    Listener(Consumer<byte[], byte[]> consumer) {
      this.consumer = consumer;
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      consumer.pause(partitions);
      if (partitions.stream().anyMatch(of -> of.partition() == 0)) {
        won = true;
      }
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      // Who keeps it is not asked.
      if (partitions.stream().anyMatch(of -> of.partition() == 0)) {
        won = false;
      }
    }
  }

  @Override
  public boolean won() {
    return won;
  }

  @Override
  public long epoch() {
    return 0;
  }

  @Override
  public void close() {
    closed = true;
    ended.countDown();
    try {
      boolean _ = !thread.isAlive() || thread.join(POLL.multipliedBy(10));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
