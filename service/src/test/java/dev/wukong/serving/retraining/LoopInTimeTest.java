package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Precision;
import dev.wukong.metrics.Metrics;
import dev.wukong.runtime.Device;
import dev.wukong.serving.gating.GateMode;
import dev.wukong.serving.gating.GatePolicy;
import dev.wukong.serving.joining.JoinPolicy;
import dev.wukong.serving.joining.TaskPolicy;
import dev.wukong.serving.joining.Weighting;
import dev.wukong.serving.lifecycle.RowPolicy;
import dev.wukong.serving.retraining.SimulatedTraffic.Kind;
import dev.wukong.simulator.Simulator;
import dev.wukong.simulator.SimulatorConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** That a loop in simulated time learns what changes. */
class LoopInTimeTest {
  private static final int BEFORE = 2000;
  private static final int REQUESTS = 3000;

  /** A world of few users and items, which within the test's requests becomes quite another. */
  private static final SimulatorConfig WORLD =
      new SimulatorConfig(5, 50, 30, 4, 4, 0.8, 1.05, 0.3, 0.6, 0.12, Duration.ofHours(4), 500);

  @TempDir Path folder;

  /** Sums of the expected log loss of every copy, over the last half. */
  private double[] losses() throws Exception {
    SimulatedTraffic traffic =
        new SimulatedTraffic(new Simulator(WORLD), Kind.CLICKS, Duration.ofSeconds(5));
    Path first =
        FirstModel.train(
            "loop",
            FirstModel.QUICKSTART.replace("batch: 1024", "batch: 128"),
            traffic.schema(),
            () -> traffic.rows(0, BEFORE),
            () -> traffic.rows(BEFORE, BEFORE + 200),
            folder);
    LearnerOptions options =
        new LearnerOptions(
            64,
            1,
            new Device.Cpu(),
            2,
            Duration.ofSeconds(5),
            Precision.FP32,
            new JoinPolicy(
                List.of(traffic.task()),
                Map.of(
                    traffic.task(),
                    new TaskPolicy(Duration.ofSeconds(20), Weighting.PLAIN, Optional.empty())),
                Duration.ofMinutes(1),
                Duration.ofSeconds(5),
                Duration.ofMinutes(5),
                1),
            new RowPolicy(1, null),
            Duration.ofHours(1),
            1000,
            100_000,
            GatePolicy.usual(GateMode.DIRECT));
    double[] losses = new double[3];
    try (Bundle bundle = Bundle.open(first);
        LoopInTime loop =
            new LoopInTime(
                bundle,
                options,
                Duration.ofSeconds(5),
                List.of(Duration.ofSeconds(5), Duration.ofMinutes(20), ServedCopy.NEVER))) {
      int[] seen = {0};
      loop.run(
          traffic.requests(
              bundle.encoder(), BEFORE, BEFORE + REQUESTS, 1_000_000, Duration.ofHours(1)),
          (request, given) -> {
            if (seen[0]++ < REQUESTS / 2) {
              return;
            }
            for (int copy = 0; copy < losses.length; copy++) {
              for (int i = 0; i < request.truth().length; i++) {
                double p = request.truth()[i];
                double q = given.get(copy)[i];
                losses[copy] +=
                    p * Metrics.crossEntropy(q, 1) + (1 - p) * Metrics.crossEntropy(q, 0);
              }
            }
          });
      assertThat(seen[0]).isEqualTo(REQUESTS);
      // All but those of the last windows, which are open.
      assertThat(loop.examples()).isBetween(4L * (REQUESTS - 100), 4L * REQUESTS);
    }
    return losses;
  }

  @Test
  void loop_worldThatChanges_servesBestWhatFollowsSoonest() throws Exception {
    double[] losses = losses();
    assertThat(losses[0]).isLessThan(losses[1]);
    assertThat(losses[1]).isLessThan(losses[2]);
  }
}
