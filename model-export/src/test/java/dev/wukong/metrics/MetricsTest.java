package dev.wukong.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class MetricsTest {
  private static MetricsCollector collect(double[] p, double[] y, double[] w) {
    MetricsCollector collector = new MetricsCollector();
    for (int i = 0; i < p.length; i++) {
      collector.add(p[i], y[i], w[i]);
    }
    return collector;
  }

  /** The definition of AUC, pair by pair. */
  @RepeatedTest(value = 300, name = "seed {currentRepetition}")
  void auc_manyTiesAndWeights_agreesWithAllPairs(RepetitionInfo run) {
    SplittableRandom random = new SplittableRandom(run.getCurrentRepetition());
    int size = random.nextInt(2, 201);
    int levels = 1 + random.nextInt(40);
    double[] p = new double[size];
    double[] y = new double[size];
    double[] w = new double[size];
    for (int i = 0; i < size; i++) {
      p[i] = random.nextInt(levels) / (double) levels;
      y[i] = i < 2 ? i : random.nextInt(2);
      w[i] = i < 2 ? 1 : random.nextInt(3) * 0.5;
    }
    double right = 0;
    double pairs = 0;
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < size; j++) {
        if (y[i] == 1 && y[j] == 0) {
          pairs += w[i] * w[j];
          right += w[i] * w[j] * (p[i] > p[j] ? 1 : p[i] == p[j] ? 0.5 : 0);
        }
      }
    }
    assertThat(collect(p, y, w).metrics().auc()).isCloseTo(right / pairs, within(1e-12));
  }

  /** The negatives' weight is their own sum, not what is left of all of it. */
  @Test
  void auc_weightsFarApart_isDefined() {
    Metrics metrics =
        collect(new double[] {.8, .4}, new double[] {1, 0}, new double[] {1e9, 1e-8}).metrics();
    assertThat(metrics.auc()).isEqualTo(1);
  }

  /**
   * By hand: loss = -(ln .8 + ln .6 + ln .9 + ln .5) / 4, base rate 1/2, so the entropy is ln 2.
   */
  @Test
  void metrics_fourExamples_areThoseWorkedByHand() {
    Metrics m =
        collect(new double[] {.8, .4, .1, .5}, new double[] {1, 0, 0, 1}, new double[] {1, 1, 1, 1})
            .metrics();
    assertThat(m.logLoss()).isCloseTo(0.3831192, within(1e-6));
    assertThat(m.normalizedEntropy()).isCloseTo(0.3831192 / 0.6931472, within(1e-6));
    assertThat(m.calibration()).isCloseTo(0.9, within(1e-12));
    assertThat(m.auc()).isEqualTo(1);
    assertThat(m.examples()).isEqualTo(4);
  }

  @Test
  void auc_threeOfFourPairsRight_isThreeQuarters() {
    Metrics m =
        collect(
                new double[] {.1, .4, .35, .8},
                new double[] {0, 0, 1, 1},
                new double[] {1, 1, 1, 1})
            .metrics();
    assertThat(m.auc()).isEqualTo(0.75);
  }

  @Test
  void logLoss_certainAndWrong_isClipped() {
    Metrics m = collect(new double[] {0, 1}, new double[] {1, 0}, new double[] {1, 1}).metrics();
    assertThat(m.logLoss()).isCloseTo(-Math.log(1e-7), within(1e-6));
  }

  @Test
  void metrics_baseRatePredicted_hasNormalizedEntropyAndCalibrationOne() {
    double[] p = {.25, .25, .25, .25};
    Metrics m = collect(p, new double[] {1, 0, 0, 0}, new double[] {1, 1, 1, 1}).metrics();
    assertThat(m.normalizedEntropy()).isCloseTo(1, within(1e-12));
    assertThat(m.calibration()).isCloseTo(1, within(1e-12));
    assertThat(m.auc()).isEqualTo(0.5);
  }

  @Test
  void metrics_oneClassOrNothing_isNotANumber() {
    assertThat(collect(new double[] {.5}, new double[] {1}, new double[] {1}).metrics().auc())
        .isNaN();
    assertThat(new MetricsCollector().metrics().logLoss()).isNaN();
  }

  @Test
  void weights_integer_countLikeRepeats() {
    double[] p = {.2, .7, .4};
    double[] y = {0, 1, 1};
    Metrics weighted = collect(p, y, new double[] {2, 1, 3}).metrics();
    MetricsCollector repeated = new MetricsCollector();
    for (int i = 0; i < 3; i++) {
      for (int k = 0; k < new int[] {2, 1, 3}[i]; k++) {
        repeated.add(p[i], y[i]);
      }
    }
    Metrics expected = repeated.metrics();
    assertThat(weighted.logLoss()).isCloseTo(expected.logLoss(), within(1e-12));
    assertThat(weighted.auc()).isCloseTo(expected.auc(), within(1e-12));
    assertThat(weighted.calibration()).isCloseTo(expected.calibration(), within(1e-12));
  }

  @Test
  void add_impossibleValues_areRefusedByName() {
    MetricsCollector collector = new MetricsCollector();
    assertThatThrownBy(() -> collector.add(Double.NaN, 1))
        .hasMessage("example 0: 'NaN' is not a probability, 0 to 1");
    assertThatThrownBy(() -> collector.add(.5, .5))
        .hasMessage("example 0: label '0.5'; 0 or 1 is needed");
    assertThatThrownBy(() -> collector.add(.5, 1, -1))
        .hasMessage("example 0: weight '-1.0'; a finite weight of at least 0 is needed");
  }

  @Test
  void bestNormalizedEntropy_halfCertain_isTheMeanEntropyOverThatOfTheMean() {
    double[] p = {0.5, 0, 1, 0.5};
    assertThat(Metrics.bestNormalizedEntropy(p)).isCloseTo(0.5, within(1e-12));
  }
}
