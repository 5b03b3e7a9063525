package dev.wukong.serving.batching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class BatchCostTest {
  @Test
  void sizes_anyLargestBatch_endWithIt() {
    assertThat(new BatchCost(1).sizes()).containsExactly(1);
    assertThat(new BatchCost(8).sizes()).containsExactly(8);
    assertThat(new BatchCost(100).sizes()).containsExactly(8, 16, 32, 64, 100);
  }

  @Test
  void nanos_nothingMeasured_isNothingAndTheLargestIsPreferred() {
    BatchCost cost = new BatchCost(64);
    cost.record(10, 1000);
    assertThat(cost.nanos(10)).isZero();
    assertThat(cost.nanosPerRow()).isZero();
    assertThat(cost.preferredRows()).isEqualTo(64);
  }

  @Test
  void nanos_betweenSizes_isInterpolated() {
    BatchCost cost = new BatchCost(32);
    cost.measured(new double[] {100, 200, 600});
    assertThat(cost.nanos(1)).isEqualTo(100);
    assertThat(cost.nanos(8)).isEqualTo(100);
    assertThat(cost.nanos(12)).isEqualTo(150);
    assertThat(cost.nanos(24)).isEqualTo(400);
    assertThat(cost.nanos(32)).isEqualTo(600);
  }

  @Test
  void preferredRows_differencesWithinNoise_isTheSmaller() {
    BatchCost cost = new BatchCost(64);
    cost.measured(new double[] {100, 163, 320, 639}); // 12.5, 10.2, 10.0 and 9.98 a row.
    assertThat(cost.preferredRows()).isEqualTo(16);
    assertThat(cost.nanosPerRow()).isCloseTo(163 / 16.0, within(0.01));
  }

  @Test
  void record_machineIsTwiceAsSlow_followsAtEverySize() {
    BatchCost cost = new BatchCost(64);
    cost.measured(new double[] {1000, 2000, 4000, 8000});
    for (int i = 0; i < 200; i++) {
      cost.record(16, 4000);
    }
    assertThat(cost.nanos(16)).isCloseTo(4000, within(40L));
    assertThat(cost.nanos(64)).isBetween(9000L, 16_500L);
  }

  @Test
  void record_slowerAndFasterByTurns_movesNoSizeInTheLongRun() {
    BatchCost cost = new BatchCost(2048);
    double[] measured = {1e6, 1.5e6, 2.5e6, 4.5e6, 8.5e6, 16e6, 31e6, 61e6, 120e6};
    cost.measured(measured);
    for (int i = 0; i < 100_000; i++) {
      cost.record(100, (long) (cost.nanos(100) * (i % 2 == 0 ? 1.3 : 1 / 1.3)));
    }
    assertThat(cost.nanos(2048)).isBetween(110_000_000L, 130_000_000L);
    assertThat(cost.nanos(8)).isBetween(900_000L, 1_100_000L);
  }

  @Test
  void sizes_largestIsTheLargestNumber_endWithIt() {
    int[] sizes = new BatchCost(Integer.MAX_VALUE).sizes();
    assertThat(sizes[sizes.length - 1]).isEqualTo(Integer.MAX_VALUE);
  }

  @Test
  void record_onePause_movesLittle() {
    BatchCost cost = new BatchCost(64);
    cost.measured(new double[] {1000, 2000, 4000, 8000});
    cost.record(16, 2_000_000);
    assertThat(cost.nanos(16)).isBetween(2000L, 2700L);
  }
}
