package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.batching.BatchCost;
import dev.wukong.serving.batching.BatchModel;
import dev.wukong.serving.batching.BatchScores;
import dev.wukong.serving.batching.Batcher;
import dev.wukong.serving.batching.Job;
import dev.wukong.serving.batching.PartInputs;
import dev.wukong.serving.testing.OneCandidate;
import dev.wukong.serving.testing.Served;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.Status;

class BatchersHealthIndicatorTest {
  /** Ends the thread that runs it, by an interrupt: nothing else is known to. */
  private static final class Ending implements BatchModel {
    @Override
    public int tasks() {
      return 1;
    }

    @Override
    public BatchCost cost() {
      return new BatchCost(1);
    }

    @Override
    public void run(List<? extends PartInputs> parts, Consumer<BatchScores> scores) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("told to fail");
    }
  }

  @Test
  void health_aBatchThreadHasEnded_isDownAndNamesTheModel() throws Exception {
    try (ModelHost host = Hosted.host()) {
      BatchersHealthIndicator indicator = new BatchersHealthIndicator(host);
      host.add("good");
      Batcher bad = host.add("bad").batcher();
      assertThat(indicator.health().getStatus()).isEqualTo(Status.UP);

      bad.submit(
          new Job(new Ending(), List.of(new OneCandidate()), 1, Long.MAX_VALUE / 2, () -> {}));
      Served.await("the thread ends", () -> !bad.works());

      Health health = indicator.health();
      assertThat(health.getStatus()).isEqualTo(Status.DOWN);
      assertThat(health.getDetails()).containsEntry("models", List.of("bad"));
    }
  }

  @Test
  void health_hostIsClosed_staysUp() {
    ModelHost host = Hosted.host();
    host.add("good");
    host.close();
    assertThat(new BatchersHealthIndicator(host).health().getStatus()).isEqualTo(Status.UP);
  }
}
