package dev.wukong.serving.figures;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.Test;

/** Slopes of a long run: what is a leak, and what only comes and goes. */
class ProcessSampleTest {
  private static final int SWAPS = 90;
  private static final int SAMPLES = 10;

  /** Handles by swap, with jitter of up to {@code jitter} on top. */
  private static List<ProcessSample> handles(LongUnaryOperator handles, int jitter) {
    SplittableRandom random = new SplittableRandom(1);
    List<ProcessSample> samples = new ArrayList<>();
    for (int i = 0; i < SWAPS * SAMPLES; i++) {
      long swap = i / SAMPLES;
      long above = random.nextInt(jitter + 1);
      samples.add(
          new ProcessSample(
              2.0 * i, swap, 0, 0, handles.applyAsLong(swap) + (i % SAMPLES == 3 ? 0 : above), 0));
    }
    return samples;
  }

  private static double growth(LongUnaryOperator handles, int jitter) {
    return ProcessSample.growth(handles(handles, jitter), ProcessSample::handles);
  }

  @Test
  void growth_connectionsThatComeAndGo_isNone() {
    assertThat(growth(swap -> 100, 40)).isZero();
    assertThat(growth(swap -> 100 + swap % 7, 40)).isZero();
  }

  @Test
  void growth_aStepWhereverItIs_isNone() {
    for (int at = 0; at < SWAPS; at++) {
      int step = at;
      assertThat(growth(swap -> swap < step ? 100 : 101, 5)).isZero();
    }
  }

  @Test
  void growth_oneInTenSwaps_isSeen() {
    assertThat(growth(swap -> 100 + swap / 10, 40)).isCloseTo(0.1, within(0.02));
    assertThat(growth(swap -> 100 + swap, 40)).isCloseTo(1, within(0.05));
    assertThat(growth(swap -> 100 - swap / 10, 5)).isCloseTo(-0.1, within(0.02));
  }

  @Test
  void line_peaksOfLoads_doNotTurnIt() {
    List<ProcessSample> samples = new ArrayList<>();
    for (int i = 0; i < SWAPS * SAMPLES; i++) {
      long peak = i % SAMPLES < 3 ? 50_000_000L * (i / SAMPLES % 4) : 0;
      samples.add(
          new ProcessSample(2.0 * i, i / SAMPLES, 700_000_000L + 1000L * i + peak, 5, 0, 0));
    }
    RobustLine line = ProcessSample.line(samples, ProcessSample::resident);
    assertThat(line.slope()).isCloseTo(500, within(5.0)); // 1000 bytes each 2 s.
    assertThat(line.low()).isLessThanOrEqualTo(line.slope());
    assertThat(line.high()).isGreaterThanOrEqualTo(line.slope());
    assertThat(line.end() - line.start()).isCloseTo(SWAPS * SAMPLES * 1000.0, within(20_000.0));
  }

  @Test
  void through_noiseWithoutAGrowth_hasZeroInItsInterval() {
    SplittableRandom random = new SplittableRandom(7);
    double[] x = new double[SWAPS];
    double[] y = new double[SWAPS];
    for (int i = 0; i < SWAPS; i++) {
      x[i] = i;
      y[i] = 1000 + random.nextDouble();
    }
    y[80] = 1e9;
    RobustLine line = RobustLine.through(x, y);
    assertThat(line.low()).isNegative();
    assertThat(line.high()).isPositive();
    assertThat(line.high() - line.low()).isLessThan(0.02);
  }

  @Test
  void through_oneOrUnequallyManyPoints_isRefused() {
    assertThatThrownBy(() -> RobustLine.through(new double[1], new double[1]))
        .hasMessageContaining("2 or more points");
    assertThatThrownBy(() -> RobustLine.through(new double[3], new double[2]))
        .hasMessageContaining("3 and 2");
  }
}
