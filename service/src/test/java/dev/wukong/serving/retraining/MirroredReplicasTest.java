package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.client.Prediction;
import dev.wukong.serving.testing.KafkaBroker;
import dev.wukong.serving.testing.RedisCluster;
import dev.wukong.serving.testing.Served;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Services that keep no rows, and serve what another one learns from a real Redis cluster. */
class MirroredReplicasTest {
  private static final int CLICKS = 20;

  @TempDir Path folder;
  private Path bundles = Path.of("");
  private final List<AutoCloseable> open = new ArrayList<>();

  @BeforeEach
  void train() throws Exception {
    bundles = LearningModel.train(folder);
  }

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable one : open.reversed()) {
      one.close();
    }
  }

  private <T extends AutoCloseable> T opened(T one) {
    open.add(one);
    return one;
  }

  private LearningService replica(
      KafkaBroker broker, RedisCluster redis, String name, String... more) throws Exception {
    List<String> settings = new ArrayList<>(List.of(more));
    settings.addAll(
        List.of(
            "wukong.rows.store-dir=" + folder.resolve(name + ".store"),
            "wukong.rows.redis.addresses=" + String.join(",", redis.addresses()),
            "wukong.rows.resident=32KB", // So that rows are read from where they are.
            "wukong.online.events-dir=" + folder.resolve(name + ".events"),
            "wukong.cluster.name=" + name,
            "wukong.cluster.kafka.addresses=" + broker.address(),
            "wukong.cluster.kafka.replication=1",
            "wukong.cluster.kafka.partitions=2"));
    LearningService service =
        opened(LearningService.start(bundles, 1, settings.toArray(String[]::new)));
    service.awaitLogging();
    return service;
  }

  private LearningService trainer(KafkaBroker broker, RedisCluster redis, String name)
      throws Exception {
    LearningService service = replica(broker, redis, name, "wukong.cluster.mirror=true");
    Served.await(
        "it trains", () -> service.trainer().status().phase() == OnlineTrainer.Phase.LEARNING);
    return service;
  }

  private LearningService follower(KafkaBroker broker, RedisCluster redis, String name)
      throws Exception {
    return replica(broker, redis, name, "wukong.rows.store=redis", "wukong.cluster.election=never");
  }

  private static void learn(LearningService at, LearningService trainer, int number)
      throws Exception {
    long before = trainer.trainer().status().mark().examples();
    at.click(number, 3, CLICKS);
    trainer.awaitExamples(before + CLICKS * LearningService.EXAMPLES);
  }

  private static void awaitSame(LearningService one, LearningService other) throws Exception {
    Served.await("both are the same", () -> same(one, other, 0));
    for (int number = 1; number < 20; number++) {
      assertThat(same(one, other, number)).as("request %d", number).isTrue();
    }
  }

  private static boolean same(LearningService one, LearningService other, int number) {
    Prediction first = one.predict(number);
    Prediction second = other.predict(number);
    return first.response().getVersion().equals(second.response().getVersion())
        && second.response().getQuality().getDefaultedIds()
            == first.response().getQuality().getDefaultedIds()
        && Arrays.equals(first.probabilities(), second.probabilities());
  }

  private static double count(LearningService service, String counter) {
    return service.served().bean(MeterRegistry.class).get(counter).counter().count();
  }

  @Test
  void click_replicaServesFromRedis_seesWhatIsLearnedWhoeverTrains() throws Exception {
    KafkaBroker broker = opened(KafkaBroker.start(folder.resolve("broker")));
    RedisCluster redis = opened(RedisCluster.start(folder.resolve("redis"), Duration.ofSeconds(2)));
    LearningService one = trainer(broker, redis, "one");
    LearningService two = follower(broker, redis, "two");
    awaitSame(one, two);
    Prediction first = two.predict(0);
    learn(two, one, 0);
    awaitSame(one, two);
    assertThat(two.predict(0).probabilities()).isNotEqualTo(first.probabilities());
    two.awaitExamples(CLICKS * LearningService.EXAMPLES);

    // One that comes later begins where Redis is, and has no store of its own.
    LearningService three = follower(broker, redis, "three");
    awaitSame(one, three);
    assertThat(folder.resolve("three.store")).doesNotExist();

    // Another one trains, with a store that has to catch up, and goes on in Redis.
    open.remove(one);
    one.close();
    LearningService four = trainer(broker, redis, "four");
    learn(three, four, 1);
    awaitSame(four, two);
    awaitSame(four, three);
    assertThat(count(four, "wukong.mirror.bundles")).isZero();
    assertThat(count(four, "wukong.mirror.commits")).isPositive();
  }

  @Test
  void click_nodesFailAndAreEmptied_rowsComeAgain() throws Exception {
    KafkaBroker broker = opened(KafkaBroker.start(folder.resolve("broker")));
    RedisCluster redis = opened(RedisCluster.start(folder.resolve("redis"), Duration.ofSeconds(2)));
    LearningService one = trainer(broker, redis, "one");
    LearningService two = follower(broker, redis, "two");
    learn(two, one, 0);
    awaitSame(one, two);

    int master = redis.masters().getFirst();
    redis.kill(master);
    learn(two, one, 1);
    awaitSame(one, two);
    redis.restart(master);
    redis.awaitWhole();

    for (int node : redis.masters()) {
      redis.empty(node);
    }
    learn(two, one, 2);
    Served.await("all rows came again", () -> count(one, "wukong.mirror.bundles") > 1);
    awaitSame(one, two);
  }
}
