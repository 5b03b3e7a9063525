package dev.wukong.serving.joining;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class DelayCurveTest {
  private static final long DAY = Duration.ofDays(1).toMillis();

  @Test
  void share_noLabels_isAll() {
    assertThat(new DelayCurve().share(0)).isEqualTo(1);
    assertThat(new DelayCurve().share(DAY)).isEqualTo(1);
  }

  @Test
  void share_manyDelays_isTheirPart() {
    SplittableRandom random = new SplittableRandom(6);
    DelayCurve curve = new DelayCurve();
    double meanMs = 600_000;
    for (int i = 0; i < 100_000; i++) {
      curve.add((long) (-meanMs * Math.log(1 - random.nextDouble())), 5 * DAY);
    }
    for (long ms = 1000; ms < DAY; ms = ms * 3 / 2) {
      // A step is a quarter of its delay at most, within which labels are not equally many.
      assertThat(curve.share(ms)).isCloseTo(1 - Math.exp(-(double) ms / meanMs), within(0.01));
    }
  }

  /** Or a window of a second would seem to miss most of what came at once. */
  @Test
  void share_labelsAtOnce_areWithinShortWindows() {
    DelayCurve curve = new DelayCurve();
    for (int i = 0; i < 100; i++) {
      curve.add(i, DAY);
    }
    assertThat(curve.share(50)).isCloseTo(0.5, within(0.02));
    assertThat(curve.share(200)).isEqualTo(1);
    assertThat(curve.share(1000)).isEqualTo(1);
  }

  /** In years labels do not count any more, and the last step is beyond these. */
  @Test
  void share_labelsOfAYear_areApartFromThoseOfADay() {
    DelayCurve curve = new DelayCurve();
    curve.add(DAY, 0);
    curve.add(365 * DAY, 0);
    assertThat(curve.share(100 * DAY)).isEqualTo(0.5);
    assertThat(curve.share(1000 * DAY)).isEqualTo(1);
  }

  @Test
  void share_anyTime_neverFalls() {
    SplittableRandom random = new SplittableRandom(7);
    DelayCurve curve = new DelayCurve();
    for (int i = 0; i < 200; i++) {
      curve.add(1L << random.nextInt(62), 0);
    }
    double before = 0;
    for (int doublings = 0; doublings < 62; doublings++) {
      double share = curve.share(1L << doublings);
      assertThat(share).isBetween(before, 1.0);
      before = share;
    }
    assertThat(before).isEqualTo(1);
  }

  @Test
  void add_daysLater_countsMore() {
    DelayCurve curve = new DelayCurve();
    curve.add(0, 10 * DAY);
    curve.add(0, 10 * DAY);
    curve.add(DAY, 12 * DAY);
    assertThat(curve.labels()).isEqualTo(1.5);
    assertThat(curve.share(DAY / 2)).isCloseTo(1 / 3.0, within(1e-12));
    curve.add(DAY, 4000 * DAY);
    assertThat(curve.share(DAY / 2)).isCloseTo(0, within(1e-12));
  }

  @Test
  void of_itsBytes_isTheSame() {
    DelayCurve curve = new DelayCurve();
    curve.add(5, DAY);
    curve.add(500_000, 3 * DAY);
    DelayCurve same = DelayCurve.of(curve.bytes());
    assertThat(same.share(100_000)).isEqualTo(curve.share(100_000));
    same.add(7, 4 * DAY);
    curve.add(7, 4 * DAY);
    assertThat(same.bytes()).isEqualTo(curve.bytes());
  }

  @Test
  void of_otherBytes_saysWhatIsDamaged() {
    byte[] bytes = new DelayCurve().bytes();
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThatThrownBy(() -> DelayCurve.of(cut))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageStartingWith("a curve of delays is damaged: ");
    }
  }
}
