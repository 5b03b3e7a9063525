package dev.wukong.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FigureTest {
  @ParameterizedTest
  @CsvSource({
    ">=0.90, 0.9, true",
    ">=0.90, 0.89, false",
    "<=1e-6, 1e-6, true",
    "<=1e-6, 2e-6, false",
    ">0, 0, false",
    ">0, 1e-9, true",
    "<5, 5, false",
    "28860, 28860, true",
    "0, 1, false",
    "<=-1.5, -2, true"
  })
  void target_everyForm_judgesTheValue(String target, double value, boolean met) {
    assertThat(new Target(target).met(value)).contains(met);
  }

  @Test
  void target_none_judgesNothing() {
    assertThat(Target.NONE.met(1)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "=1", "about 3", ">= 1", "=>1", "NaN", ">=0.9 (aim 1)"})
  void target_anyOtherForm_isRefusedByName(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Target(text))
        .withMessageContaining("'" + text + "'");
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY})
  void figure_noNumber_isRefusedByName(double value) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Figure.of("p99_ratio", value, "1"))
        .withMessageContaining("p99_ratio")
        .withMessageContaining(String.valueOf(value));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "P99", "p99-ratio", "9p", "p99 ratio"})
  void figure_nameOfOtherLetters_isRefused(String name) {
    assertThatIllegalArgumentException().isThrownBy(() -> Figure.of(name, 1, "1"));
  }

  @Test
  void ratio_pairs_isTheMedianOfTheRatiosWithItsSpread() {
    // The ratios are 2, 0.5 and 1.25: not the ratio 1 of the medians.
    Figure figure = Figure.ratio("a_vs_b", new double[] {4, 2, 5}, new double[] {2, 4, 4}, "<=1.3");

    assertThat(figure.value()).isCloseTo(1.25, within(1e-12));
    assertThat(figure.note())
        .isEqualTo("median of 3 pairs, 0.500 to 2.000; medians 4.00000 and 4.00000");
    assertThat(figure.target().met(figure.value())).contains(true);
  }

  @Test
  void ratio_sidesOfUnequalLength_isRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Figure.ratio("a", new double[] {1, 2}, new double[] {1}, "-"))
        .withMessageContaining("2 and 1");
  }

  @Test
  void median_evenCount_isTheMeanOfTheMiddle() {
    double[] values = {9, 1, 3, 5};
    assertThat(Figure.median(values)).isEqualTo(4);
    assertThat(values).containsExactly(9, 1, 3, 5);
  }
}
