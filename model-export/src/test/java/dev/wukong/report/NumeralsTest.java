package dev.wukong.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class NumeralsTest {
  @Test
  void text_ofEverydayNumbers_isPlain() {
    assertThat(Numerals.text(0.9845)).isEqualTo("0.9845");
    assertThat(Numerals.text(0.00012)).isEqualTo("0.00012");
    assertThat(Numerals.text(-0.0)).isEqualTo("0");
    assertThat(Numerals.text(20_000_000)).isEqualTo("20000000");
    assertThat(Numerals.text(3e-9)).isEqualTo("3.0E-9");
    assertThat(Numerals.text(2e22)).isEqualTo("2.0E22");
    assertThat(Numerals.text(Double.NaN)).isEqualTo("–");
    assertThat(Numerals.text(Double.NEGATIVE_INFINITY)).isEqualTo("−∞");
  }

  @Test
  void text_ofAnyNumber_givesItBack() {
    Random random = new Random(7);
    for (int i = 0; i < 20_000; i++) {
      double value = random.nextGaussian() * Math.pow(10, random.nextInt(-20, 20));
      assertThat(Double.parseDouble(Numerals.text(value))).isEqualTo(value);
    }
  }
}
