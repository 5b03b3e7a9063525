package dev.wukong.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DistinctIdsTest {
  /** Draws ids, and counts those that came. */
  private static double drawn(int ids, double skew, int draws) {
    double[] upTo = new double[ids];
    double all = 0;
    for (int i = 0; i < ids; i++) {
      all += Math.pow(i + 1, -skew);
      upTo[i] = all;
    }
    SplittableRandom random = new SplittableRandom(5);
    boolean[] came = new boolean[ids];
    int count = 0;
    for (int i = 0; i < draws; i++) {
      int found = Arrays.binarySearch(upTo, random.nextDouble() * all);
      int id = Math.min(ids - 1, found < 0 ? -found - 1 : found);
      count += came[id] ? 0 : 1;
      came[id] = true;
    }
    return count;
  }

  @ParameterizedTest
  @CsvSource({
    "3704, 1.05, 400",
    "3704, 1.05, 40000",
    "200000, 1.05, 50000",
    "1000000, 0.8, 300000",
    "1000000, 1.3, 300000",
    "500000, 0, 100000"
  })
  void of_draws_isAboutWhatIsDrawn(int ids, double skew, int draws) {
    assertThat(DistinctIds.of(ids, skew, draws))
        .isCloseTo(drawn(ids, skew, draws), Percentage.withPercentage(4));
  }

  @Test
  void of_bounds_areKept() {
    assertThat(DistinctIds.of(1, 1.05, 1)).isCloseTo(1, within(1e-9));
    assertThat(DistinctIds.of(1_000_000_000_000L, 1.05, 1)).isCloseTo(1, within(0.01));
    assertThat(DistinctIds.of(100, 1.05, 1e9)).isCloseTo(100, within(1e-6));
    assertThat(DistinctIds.of(100, 1.05, 0)).isZero();
  }
}
