package dev.wukong.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.JsonNodeFactory;

class ScalingTest {
  private final List<RunSpec> runs = new ArrayList<>();
  private final List<Result> results = new ArrayList<>();

  /** A run whose excess entropy is {@code excess}, but for noise that all runs share. */
  private void run(String name, String type, long flops, double excess) {
    runs.add(new RunSpec(name, Optional.empty(), type, Map.of(), List.of()));
    SplittableRandom random = new SplittableRandom(5);
    double[] rows = new double[200];
    double[] sums = new double[200];
    Arrays.fill(rows, 50);
    // What makes a block hard for all, and what differs from run to run: 0 on average.
    SplittableRandom own = new SplittableRandom(name.hashCode());
    for (int b = 0; b < sums.length; b += 2) {
      double noise = 50 * ((random.nextDouble() - 0.5) + 0.01 * own.nextDouble());
      sums[b] = 50 * excess + noise;
      sums[b + 1] = 50 * excess - noise;
    }
    Blocks blocks = new Blocks(rows, new double[200], rows, sums, Placements.NONE);
    JsonNodeFactory json = JsonNodeFactory.instance;
    Result.Identity identity =
        new Result.Identity(
            "s",
            name,
            type,
            1,
            json.objectNode(),
            json.objectNode().put("type", type),
            "",
            new Result.DataPrint("", "", "", "", 1, 1, 1));
    results.add(
        new Outcome(
            identity,
            "click",
            new Outcome.Size(1, 1, 1, 1, flops / 3, flops),
            List.of(),
            List.of(),
            1,
            Map.of(),
            Map.of(
                "click", new Outcome.TaskDetail(List.of(), List.of(), blocks, blocks.meanExcess())),
            new Outcome.Effort(1, 1, 1, 1, "", "", ""),
            ""));
  }

  private Scaling scaling(String series) {
    Study study =
        new Study(
            "s", "s", "", Kind.SWEEP, Optional.empty(), null, Map.of(), runs, 1, List.of(), 0);
    return Scaling.of(study, results, series);
  }

  @Test
  void of_everLargerAndBetter_fallsOverItsDecadesOnTheFrontier() {
    run("large", "wukong", 3_000_000, 0.02);
    run("small", "wukong", 30_000, 0.06);
    run("middle", "wukong", 300_000, 0.04);
    run("cheap", "dlrm", 30_000, 0.07);
    run("dear", "dlrm", 9_000_000, 0.01);
    Scaling scaling = scaling("wukong");
    assertThat(scaling.decades()).isCloseTo(2, within(1e-12));
    assertThat(scaling.falls()).isTrue();
    assertThat(scaling.onFrontier()).isTrue();
    assertThat(scaling.steps()).hasSize(3);
    assertThat(scaling.steps().get(1)).startsWith("middle 0.300 MFLOP 0.04").contains("-0.02");
  }

  @Test
  void of_aStepWithinTheNoise_doesNotFall() {
    run("small", "wukong", 30_000, 0.06);
    run("large", "wukong", 3_000_000, 0.05999);
    assertThat(scaling("wukong").falls()).isFalse();
  }

  @Test
  void of_anotherModelAsCheapAndBetter_isNotOnTheFrontier() {
    run("small", "wukong", 30_000, 0.06);
    run("large", "wukong", 3_000_000, 0.02);
    run("rival", "dlrm", 2_000_000, 0.015);
    Scaling scaling = scaling("wukong");
    assertThat(scaling.falls()).isTrue();
    assertThat(scaling.onFrontier()).isFalse();
    assertThat(scaling.steps().getLast()).contains("behind rival 2.000 MFLOP 0.015");
  }

  @Test
  void of_aSeriesOfOne_isRefused() {
    run("small", "wukong", 30_000, 0.06);
    assertThatThrownBy(() -> scaling("wukong"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("series 'wukong' has 1 runs that ended, want at least 2");
  }
}
