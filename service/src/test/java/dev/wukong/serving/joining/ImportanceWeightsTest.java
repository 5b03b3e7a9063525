package dev.wukong.serving.joining;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.serving.joining.Example.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ImportanceWeightsTest {
  private static double of(Weighting weighting, Kind kind, double within, double p) {
    return ImportanceWeights.of(weighting, kind, within, p);
  }

  @ParameterizedTest
  @CsvSource({
    "PLAIN, POSITIVE, 0.5, 0.2, 1",
    "PLAIN, NEGATIVE, 0.5, 0.2, 1",
    "PLAIN, LATE, 0.5, 0.2, 1",
    "FAKE_NEGATIVE, POSITIVE, 0.5, 0.2, 1.2",
    "FAKE_NEGATIVE, NEGATIVE, 0.5, 0.2, 0.96",
    "CONSTANT_WAIT, POSITIVE, 0.5, 0.2, 1.1",
    "CONSTANT_WAIT, LATE, 0.5, 0.2, 1.1",
    "CONSTANT_WAIT, NEGATIVE, 0.5, 0.2, 0.9777778",
    "CONSTANT_WAIT, POSITIVE, 0.99, 0.2, 1",
    "CONSTANT_WAIT, NEGATIVE, 1, 1, 1",
    "CONSTANT_WAIT, NEGATIVE, 0.9, 1, 0",
    "CONSTANT_WAIT, NEGATIVE, 0, 1, 0",
    "CONSTANT_WAIT, LATE, 0, 1, 2",
    "EXPLICIT, POSITIVE, 0.2, 0.5, 1",
    "EXPLICIT, NEGATIVE, 0.2, 0.5, 1"
  })
  void of_anyExample_isItsFormula(
      Weighting weighting, Kind kind, double within, double p, double weight) {
    assertThat(of(weighting, kind, within, p)).isCloseTo(weight, within(1e-7));
  }

  /**
   * What is trained on, with these weights, has as many positives as there are: of the shown, a
   * share of {@code p} is positive, and of these one of {@code within} is labelled in time.
   */
  @ParameterizedTest
  @EnumSource(
      value = Weighting.class,
      names = {"FAKE_NEGATIVE", "CONSTANT_WAIT"})
  void of_allThatIsTrainedOn_hasTheTrueShareOfPositives(Weighting weighting) {
    double p = 0.3;
    double within = weighting == Weighting.FAKE_NEGATIVE ? 0 : 0.6;
    double positives =
        p * within * of(weighting, Kind.POSITIVE, within, p)
            + p
                * (1 - within)
                * of(
                    weighting,
                    weighting == Weighting.FAKE_NEGATIVE ? Kind.POSITIVE : Kind.LATE,
                    within,
                    p);
    double negatives = (1 - p * within) * of(weighting, Kind.NEGATIVE, within, p);
    assertThat(positives / (positives + negatives)).isCloseTo(p, within(1e-12));
  }

  @Test
  void of_noProbability_isWithinBounds() {
    assertThat(of(Weighting.FAKE_NEGATIVE, Kind.POSITIVE, 1, 50)).isEqualTo(10);
    assertThat(of(Weighting.FAKE_NEGATIVE, Kind.NEGATIVE, 1, 50)).isZero();
  }
}
