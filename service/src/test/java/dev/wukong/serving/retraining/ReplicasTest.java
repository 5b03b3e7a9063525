package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.client.Prediction;
import dev.wukong.serving.testing.KafkaBroker;
import dev.wukong.serving.testing.Served;
import java.nio.file.Path;
import java.util.ArrayList;
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

  private LearningService replica(KafkaBroker broker, String name) throws Exception {
    LearningService service =
        LearningService.start(
            bundles,
            1,
            "wukong.rows.store-dir=" + folder.resolve(name + ".store"),
            "wukong.online.events-dir=" + folder.resolve(name + ".events"),
            "wukong.cluster.name=" + name,
            "wukong.cluster.kafka.addresses=" + broker.address(),
            "wukong.cluster.kafka.replication=1",
            "wukong.cluster.kafka.partitions=2");
    open.add(service);
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

    open.remove(one);
    one.close();
    Served.await("the other trains", () -> trains(two));
    long examples = two.trainer().status().mark().examples();
    assertThat(examples).isEqualTo(CLICKS * LearningService.EXAMPLES);
    two.click(1, 3, CLICKS);
    two.awaitExamples(2 * CLICKS * LearningService.EXAMPLES);
    assertThat(two.predict(0).response().getVersion().getEpoch()).isEqualTo(2);
  }
}
