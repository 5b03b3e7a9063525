package dev.wukong.serving.sight;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RefusalRateTest {
  private static final long SECOND = 1_000_000_000L;

  @Test
  void take_moreThanTheRate_saysLaterHowManyWereLeftOut() {
    RefusalRate rate = new RefusalRate(2);
    assertThat(rate.take(-5)).isZero();
    assertThat(rate.take(-4)).isZero();
    assertThat(rate.take(-3)).isEqualTo(RefusalRate.LEFT_OUT);
    assertThat(rate.take(-2)).isEqualTo(RefusalRate.LEFT_OUT);
    assertThat(rate.take(-1)).isEqualTo(RefusalRate.LEFT_OUT);
    assertThat(rate.take(0)).isEqualTo(3);
    assertThat(rate.take(1)).isZero();
    assertThat(rate.take(SECOND - 1)).isEqualTo(RefusalRate.LEFT_OUT);
    assertThat(rate.take(7 * SECOND)).isEqualTo(1);
  }

  @Test
  void take_rateOfNone_leavesAllOut() {
    RefusalRate rate = new RefusalRate(0);
    assertThat(rate.take(0)).isEqualTo(RefusalRate.LEFT_OUT);
    assertThat(rate.take(SECOND)).isEqualTo(RefusalRate.LEFT_OUT);
  }
}
