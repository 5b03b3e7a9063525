package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.client.Prediction;
import dev.wukong.serving.testing.KafkaBroker;
import dev.wukong.serving.testing.Served;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several services that share what they learn, through a real broker. */
class ReplicasTest {
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

  private KafkaBroker broker() throws Exception {
    KafkaBroker broker = KafkaBroker.start(folder.resolve("broker"));
    open.add(broker);
    return broker;
  }

  private LearningService replica(KafkaBroker broker, String name, String... more)
      throws Exception {
    List<String> settings = new ArrayList<>(List.of(more));
    settings.addAll(
        List.of(
            "wukong.rows.store-dir=" + folder.resolve(name + ".store"),
            "wukong.online.events-dir=" + folder.resolve(name + ".events"),
            "wukong.cluster.name=" + name,
            "wukong.cluster.kafka.addresses=" + broker.address(),
            "wukong.cluster.kafka.replication=1",
            "wukong.cluster.kafka.partitions=2"));
    LearningService service = LearningService.start(bundles, 1, settings.toArray(String[]::new));
    open.add(service);
    service.awaitLogging();
    return service;
  }

  private static boolean trains(LearningService service) {
    return service.trainer().status().phase() == OnlineTrainer.Phase.LEARNING;
  }

  @Test
  void click_atAnyReplica_isLearnedByAllAndOutlivesTheTrainer() throws Exception {
    KafkaBroker broker = broker();
    LearningService one = replica(broker, "one");
    Served.await("it trains", () -> trains(one));
    LearningService two = replica(broker, "two");
    Prediction first = two.predict(0);
    assertThat(first.response().getLogged()).isTrue();
    two.click(0, 3, CLICKS);
    one.awaitExamples(CLICKS * LearningService.EXAMPLES);
    Served.await(
        "both are the same",
        () ->
            two.predict(0).response().getVersion().equals(one.predict(0).response().getVersion()));
    assertThat(two.predict(0).probabilities()).containsExactly(one.predict(0).probabilities());
    assertThat(two.predict(0).probabilities()).isNotEqualTo(first.probabilities());
    // Who follows says what has been learned, and that it is another who learns.
    two.awaitExamples(CLICKS * LearningService.EXAMPLES);
    assertThat(trains(two)).isFalse();

    // Made before the trainer ends, and told of after.
    Prediction early = two.predict(5);
    Served.await("the trainer has it", () -> one.trainer().lag() == 0);
    open.remove(one);
    one.close();
    Served.await("the other trains", () -> trains(two));
    long examples = two.trainer().status().mark().examples();
    assertThat(examples).isEqualTo(CLICKS * LearningService.EXAMPLES);
    assertThat(two.report(early).isOk()).isTrue();
    two.awaitExamples(examples + 1);
    two.click(1, 3, CLICKS);
    two.awaitExamples(2 * CLICKS * LearningService.EXAMPLES + 1);
    assertThat(two.predict(0).response().getVersion().getEpoch()).isEqualTo(2);
  }

  @Test
  void predict_noBrokerIsReached_isLearnedFromOnceOneIs() throws Exception {
    KafkaBroker broker = broker();
    LearningService one = replica(broker, "one");
    Served.await("it trains", () -> trains(one));
    one.click(0, 3, 1);
    one.awaitExamples(LearningService.EXAMPLES);

    broker.kill();
    Prediction meanwhile = one.predict(0);
    assertThat(meanwhile.response().getLogged()).isTrue();
    broker.restart();
    assertThat(one.report(meanwhile).isOk()).isTrue();
    one.awaitExamples(LearningService.EXAMPLES + 1);
  }

  @Test
  void start_commitsAreNoMore_beginsWithACheckpoint() throws Exception {
    KafkaBroker broker = broker();
    String[] shared = {
      "wukong.cluster.checkpoints.location=" + folder.resolve("shared"),
      "wukong.cluster.checkpoints.every=50ms"
    };
    LearningService one = replica(broker, "one", shared);
    Served.await("it trains", () -> trains(one));
    LearningService two = replica(broker, "two", shared);
    one.click(0, 3, CLICKS);
    one.awaitExamples(CLICKS * LearningService.EXAMPLES);
    Served.await("both are the same", () -> same(one, two));
    open.remove(two);
    two.close();
    one.click(1, 3, CLICKS);
    one.awaitExamples(2 * CLICKS * LearningService.EXAMPLES);
    Served.await("a checkpoint has it", () -> made(one) == sequence(one));
    broker.forgetAll("wukong.commits");

    // New, and one that has missed what is no more: it needs two starts, as a probe would see to.
    LearningService three = replica(broker, "three", shared);
    Served.await("the new one is the same", () -> same(one, three));
    LearningService again = replica(broker, "two", shared);
    Served.await("it is too old", () -> again.get(LIVE).statusCode() == 503);
    assertThat(again.get(LIVE).body()).contains("commits are missing; a checkpoint has them");
    assertThat(again.predict(0).probabilities()).isNotEmpty();
    open.remove(again);
    again.close();
    LearningService restarted = replica(broker, "two", shared);
    Served.await("it is the same", () -> same(one, restarted));
    assertThat(restarted.get(LIVE).statusCode()).isEqualTo(200);

    one.click(2, 3, CLICKS);
    Served.await("all follow", () -> same(one, restarted) && same(one, three));
  }

  private static final String LIVE = "/actuator/health/liveness";

  private static boolean same(LearningService one, LearningService other) {
    Prediction first = one.predict(0);
    Prediction second = other.predict(0);
    return first.response().getVersion().equals(second.response().getVersion())
        && Arrays.equals(first.probabilities(), second.probabilities());
  }

  private static double made(LearningService service) {
    return service
        .served()
        .bean(MeterRegistry.class)
        .get("wukong.checkpoint.sequence")
        .gauge()
        .value();
  }

  private static double sequence(LearningService service) {
    return service
        .served()
        .bean(MeterRegistry.class)
        .get("wukong.replica.sequence")
        .gauge()
        .value();
  }
}
