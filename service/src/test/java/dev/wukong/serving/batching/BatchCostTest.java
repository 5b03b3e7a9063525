package dev.wukong.serving.batching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.SplittableRandom;
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
    cost.record(10, 64, 1000, 1000);
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
    cost.measured(new double[] {100, 162, 322, 645}); // 12.5, 10.13, 10.06, 10.08 a row.
    assertThat(cost.preferredRows()).isEqualTo(16);
    assertThat(cost.nanosPerRow()).isCloseTo(162 / 16.0, within(0.01));
  }

  @Test
  void record_machineIsTwiceAsSlow_followsAtEverySize() {
    BatchCost cost = new BatchCost(64);
    cost.measured(new double[] {1000, 1600, 3200, 6400});
    for (int i = 0; i < 200; i++) {
      cost.record(16, 16, 3200, 3200);
    }
    assertThat(cost.nanos(16)).isCloseTo(3200, within(32L));
    assertThat(cost.nanos(64)).isCloseTo(12_800, within(128L));
    assertThat(cost.preferredRows()).isEqualTo(16);
  }

  @Test
  void record_trialOfAnotherSize_movesThatSizeAlone() {
    BatchCost cost = new BatchCost(64);
    cost.measured(new double[] {1000, 1600, 3200, 6400});
    for (int i = 0; i < 200; i++) {
      cost.record(32, 32, 4000, 4000);
    }
    assertThat(cost.nanos(16)).isEqualTo(1600);
    assertThat(cost.nanos(32)).isCloseTo(4000, within(40L));
    assertThat(cost.nanos(64)).isEqualTo(6400);
  }

  @Test
  void record_trialThatFoundTooFewRows_saysNothingOfItsSize() {
    BatchCost cost = new BatchCost(64);
    cost.measured(new double[] {1000, 1600, 3200, 6400});
    for (int i = 0; i < 200; i++) {
      cost.record(8, 32, 1000, 1000);
    }
    assertThat(cost.nanos(32)).isEqualTo(3200);
  }

  @Test
  void record_slowerAndFasterByTurns_movesNoSizeInTheLongRun() {
    BatchCost cost = new BatchCost(2048);
    double[] measured = {1e6, 1.5e6, 2.5e6, 4.5e6, 8.5e6, 16e6, 31e6, 61e6, 120e6};
    cost.measured(measured);
    for (int i = 0; i < 100_000; i++) {
      long took = (long) (cost.nanos(100) * (i % 2 == 0 ? 1.3 : 1 / 1.3));
      cost.record(100, 2048, took, took);
    }
    assertThat(cost.nanos(2048)).isBetween(110_000_000L, 130_000_000L);
    assertThat(cost.nanos(8)).isBetween(900_000L, 1_100_000L);
  }

  @Test
  void record_machineSlowForLong_prefersTheSameSize() {
    BatchCost cost = new BatchCost(128);
    cost.measured(new double[] {1600, 2400, 3200, 5800, 11_600}); // 32: 100 a row; 64: 91.
    assertThat(cost.preferredRows()).isEqualTo(64);
    for (int i = 0; i < 500; i++) {
      cost.record(60, 64, 20_000, 20_000);
    }
    assertThat(cost.preferredRows()).isEqualTo(64);
    assertThat(cost.nanos(60)).isCloseTo(20_000, within(2000L));
  }

  @Test
  void record_preferredSizeIsDearerThanThought_prefersTheCheapest() {
    double[] truth = {200, 160, 120, 100, 115, 130};
    assertThat(settled(new double[] {200, 160, 140, 130, 120, 110}, truth)).isEqualTo(64);
    assertThat(settled(new double[] {100, 110, 120, 130, 140, 150}, truth)).isEqualTo(64);
  }

  /**
   * The size that is preferred after many requests of 200 candidates, on a machine that is now
   * faster and now slower; costs are nanoseconds a row in batches of 8, 16, ... 256.
   */
  private static int settled(double[] thoughtByRow, double[] trueByRow) {
    BatchCost cost = costingByRow(thoughtByRow);
    BatchCost truth = costingByRow(trueByRow);
    SplittableRandom random = new SplittableRandom(1);
    for (int request = 0; request < 50_000; request++) {
      int rows = cost.nextRows();
      int count = (200 + rows - 1) / rows;
      for (int part = 0; part < count; part++) {
        double speed = request / 1000 % 2 == 0 ? 1 : 1.5;
        double noise = Math.exp(0.2 * (random.nextDouble() - 0.5));
        long worked = (long) (truth.nanos(200 / count) * speed * noise);
        // A pause of 10 us now and then: it meets few short batches, and is long for those.
        long pause = random.nextDouble() < worked / 50_000.0 ? 10_000 : 0;
        cost.record(200 / count, rows, worked + pause, worked);
      }
    }
    return cost.preferredRows();
  }

  private static BatchCost costingByRow(double[] nanosByRow) {
    BatchCost cost = new BatchCost(256);
    int[] sizes = cost.sizes();
    double[] nanos = new double[sizes.length];
    Arrays.setAll(nanos, i -> nanosByRow[i] * sizes[i]);
    cost.measured(nanos);
    return cost;
  }

  @Test
  void nextRows_manyRequests_areNowAndThenOfTheSizesBeside() {
    BatchCost cost = new BatchCost(128);
    cost.measured(new double[] {1600, 2400, 3200, 5800, 11_600});
    int[] counts = new int[129];
    for (int i = 0; i < 6400; i++) {
      counts[cost.nextRows()]++;
    }
    assertThat(counts[32]).isEqualTo(100);
    assertThat(counts[64]).isEqualTo(6200);
    assertThat(counts[128]).isEqualTo(100);
  }

  @Test
  void nextRows_preferredIsTheLargestOrNothingIsKnown_areNeverMore() {
    BatchCost cost = new BatchCost(16);
    for (int i = 0; i < 100; i++) {
      assertThat(cost.nextRows()).isEqualTo(16);
    }
    cost.measured(new double[] {1000, 1200});
    for (int i = 0; i < 100; i++) {
      assertThat(cost.nextRows()).isIn(8, 16);
    }
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
    cost.record(16, 8, 2_000_000, 2_000_000);
    assertThat(cost.nanos(16)).isBetween(2000L, 2700L);
  }
}
