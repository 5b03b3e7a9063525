package dev.wukong.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Intervals of means, differences and AUCs against their spread over made-up test data. */
class PairedIntervalTest {
  private static final int ROWS = 2000;

  /** Published quantiles of Student's t: 2.228, 2.045, 1.984 and 1.972. */
  @ParameterizedTest
  @CsvSource({"10, 2.228139", "29, 2.045230", "100, 1.983972", "199, 1.971957"})
  void pairedInterval_quantile_isStudents(double freedom, double expected) {
    assertThat(PairedInterval.quantile(freedom)).isCloseTo(expected, within(1e-3));
  }

  /** Of normal differences the interval holds the true mean 95 times in 100. */
  @Test
  void pairedInterval_coversTheTruth() {
    SplittableRandom random = new SplittableRandom(9);
    int covered = 0;
    for (int trial = 0; trial < 1000; trial++) {
      double[] a = new double[200];
      double[] b = new double[200];
      double[] counts = new double[200];
      for (int i = 0; i < 200; i++) {
        counts[i] = 50;
        double common = 10 * random.nextGaussian();
        a[i] = common + 50 * 0.02 + random.nextGaussian();
        b[i] = common;
      }
      PairedInterval interval = PairedInterval.of(a, b, counts);
      covered += interval.low() <= 0.02 && interval.high() >= 0.02 ? 1 : 0;
      // The blocks' common part, ten times as large, is not in it.
      assertThat(interval.high() - interval.low()).isLessThan(0.008);
    }
    // 950 with a standard deviation of 7.
    assertThat(covered).isBetween(915, 985);
  }

  /** Models of one seed see the same signal, each with noise of its own. */
  private static Scored scored(long seed, double apart) {
    SplittableRandom common = new SplittableRandom(seed);
    SplittableRandom own = new SplittableRandom(seed + Double.hashCode(apart));
    Scored scored = new Scored();
    for (int row = 0; row < ROWS; row++) {
      float label = common.nextInt(4) == 0 ? 1 : 0;
      double signal = apart * label + common.nextGaussian() + own.nextGaussian();
      // In two hundredths, so that there are ties.
      float probability = Math.round(50 / (1 + Math.exp(-signal))) / 50f;
      scored.add(row, probability, label, 1 + common.nextInt(2));
    }
    return scored;
  }

  private static double auc(Scored scored) {
    double right = 0;
    double pairs = 0;
    for (int i = 0; i < scored.size(); i++) {
      for (int j = 0; scored.label(i) == 1 && j < scored.size(); j++) {
        double weight = scored.label(j) == 1 ? 0 : scored.weight(i) * scored.weight(j);
        int order = Float.compare(scored.probability(i), scored.probability(j));
        right += weight * (order > 0 ? 1 : order == 0 ? 0.5 : 0);
        pairs += weight;
      }
    }
    return right / pairs;
  }

  /** As far as single trials go: the mean is that of all pairs, and the width is the spread's. */
  @Test
  void pairedInterval_ofAuc_hasTheDifferenceAndItsSpread() {
    SplittableRandom random = new SplittableRandom(12);
    double[] differences = new double[400];
    double width = 0;
    for (int trial = 0; trial < differences.length; trial++) {
      long seed = random.nextLong();
      Scored a = scored(seed, 1.2);
      Scored b = scored(seed, 1.1);
      Placements its = Blocks.of(b, ROWS).placements();
      Placements own = Blocks.of(a, ROWS).placements();
      PairedInterval interval = PairedInterval.ofAuc(own.sums(), its.sums(), own.shares());
      differences[trial] = interval.mean();
      width += (interval.high() - interval.low()) / differences.length;
      if (trial < 5) {
        assertThat(interval.mean()).isCloseTo(auc(a) - auc(b), within(1e-9));
      }
    }
    double mean = Arrays.stream(differences).average().orElseThrow();
    double deviation =
        Math.sqrt(Arrays.stream(differences).map(d -> (d - mean) * (d - mean)).sum() / 399);
    // 400 trials give the deviation to 3.5 %.
    assertThat(width / 2).isCloseTo(1.972 * deviation, withinPercentage(12));
  }

  /** A mean alone: of one run, not of two. */
  @Test
  void pairedInterval_ofOne_hasItsFigureWithin() {
    Scored scored = scored(4, 1.2);
    Blocks blocks = Blocks.of(scored, ROWS);
    PairedInterval loss = PairedInterval.of(blocks.logLoss(), blocks.weights());
    assertThat(loss.mean())
        .isCloseTo(
            Arrays.stream(blocks.logLoss()).sum() / Arrays.stream(blocks.weights()).sum(),
            within(1e-12));
    assertThat(loss.low()).isBetween(loss.mean() - 0.2, loss.mean());
    Placements placements = blocks.placements();
    PairedInterval area = PairedInterval.ofAuc(placements.sums(), placements.shares());
    assertThat(area.mean()).isCloseTo(auc(scored), within(1e-9));
    assertThat(area.high()).isBetween(area.mean(), area.mean() + 0.2);
    assertThat(PairedInterval.ofAuc(new double[0], new double[0]).low()).isNaN();
    assertThat(PairedInterval.of(new double[] {3}, new double[] {6}).low()).isNaN();
  }

  @Test
  void placements_oneClassAlone_areNone() {
    Scored scored = new Scored();
    scored.add(0, 0.5f, 1, 1);
    scored.add(1, 0.6f, 1, 1);
    assertThat(Blocks.of(scored, 2).placements()).isEqualTo(Placements.NONE);
  }
}
