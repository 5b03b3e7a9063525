package dev.wukong.serving.gating;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against figures made from all examples at once, the slow way. */
class TallyTest {
  private static List<Judged> examples(long seed, int count, boolean weighted) {
    SplittableRandom random = new SplittableRandom(seed);
    List<Judged> examples = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      double truth = 1 / (1 + Math.exp(2.5 - random.nextGaussian()));
      float y = random.nextDouble() < truth ? 1 : 0;
      float w = weighted ? 0.5f + random.nextInt(4) : 1;
      float candidate = (float) Math.clamp(truth * Math.exp(0.3 * random.nextGaussian()), 0.001, 1);
      float served = (float) Math.sqrt(truth);
      examples.add(new Judged(0, y, w, (float) truth, candidate, served, new int[] {0}));
    }
    return examples;
  }

  private static Tally tally(List<Judged> examples) {
    Tally tally = new Tally(new Clumping());
    examples.forEach(tally::add);
    return tally;
  }

  private static double loss(double p, double y) {
    double sure = Math.clamp(p, 1e-7, 1 - 1e-7);
    return y > 0 ? -Math.log(sure) : -Math.log(1 - sure);
  }

  private static double entropy(List<Judged> examples) {
    double weight = examples.stream().mapToDouble(e -> e.weight()).sum();
    double mean = examples.stream().mapToDouble(e -> e.weight() * e.label()).sum() / weight;
    return -mean * Math.log(mean) - (1 - mean) * Math.log(1 - mean);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void normalizedEntropyAndCalibration_areThoseOfAllExamples(boolean weighted) {
    List<Judged> examples = examples(1, 5_000, weighted);
    Tally tally = tally(examples);
    double weight = examples.stream().mapToDouble(e -> e.weight()).sum();
    for (Scorer scorer : Scorer.values()) {
      double loss =
          examples.stream().mapToDouble(e -> e.weight() * loss(e.by(scorer), e.label())).sum();
      double said = examples.stream().mapToDouble(e -> e.weight() * e.by(scorer)).sum();
      double came = examples.stream().mapToDouble(e -> e.weight() * e.label()).sum();

      assertThat(tally.normalizedEntropy(scorer))
          .isCloseTo(loss / weight / entropy(examples), within(1e-9));
      assertThat(tally.calibration(scorer)).isCloseTo(said / came, within(1e-6));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void area_isThatOfAllPairs(boolean weighted) {
    List<Judged> examples = examples(2, 3_000, weighted);
    Tally tally = tally(examples);
    for (Scorer scorer : Scorer.values()) {
      double right = 0;
      double pairs = 0;
      for (Judged positive : examples) {
        for (Judged negative : examples) {
          if (positive.label() > 0 && negative.label() == 0) {
            double w = (double) positive.weight() * negative.weight();
            float by = positive.by(scorer) - negative.by(scorer);
            right += by > 0 ? w : by == 0 ? w / 2 : 0;
            pairs += w;
          }
        }
      }

      assertThat(tally.area(scorer)).isCloseTo(right / pairs, within(0.002));
    }
  }

  /** Over many draws, the truth lies within two errors about as often as it should. */
  @Test
  void worseError_holdsTheTruthAsOftenAsItSays() {
    double truth = tally(examples(99, 400_000, true)).worse();
    int held = 0;
    for (int seed = 100; seed < 400; seed++) {
      Tally tally = tally(examples(seed, 1_000, true));
      held += Math.abs(tally.worse() - truth) < 1.96 * tally.worseError() ? 1 : 0;
    }

    assertThat(held).isBetween(270, 297);
  }

  /** As if what came before had had smaller weights. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void fade_countsWhatCameBeforeLess(boolean weighted) {
    Tally faded = new Tally(new Clumping());
    Tally expected = new Tally(new Clumping());
    int parts = 5;
    for (int part = 0; part < parts; part++) {
      for (Judged e : examples(10 + part, 400, weighted)) {
        float weight = e.weight() * (float) Math.pow(0.5, parts - part);
        faded.add(e);
        expected.add(
            new Judged(0, e.label(), weight, e.healthy(), e.candidate(), e.served(), e.slices()));
      }
      faded.fade(0.5);
    }

    assertThat(faded.examples()).isEqualTo(387); // 400 times 31 / 32.
    assertThat(faded.found()).isCloseTo(expected.found(), within(1e-6));
    assertThat(faded.foundError(100)).isCloseTo(expected.foundError(100), within(1e-6));
    assertThat(faded.worse()).isCloseTo(expected.worse(), within(1e-9));
    assertThat(faded.worseError()).isCloseTo(expected.worseError(), within(1e-9));
    for (Scorer scorer : Scorer.values()) {
      assertThat(faded.calibration(scorer)).isCloseTo(expected.calibration(scorer), within(1e-6));
      assertThat(faded.normalizedEntropy(scorer))
          .isCloseTo(expected.normalizedEntropy(scorer), within(1e-9));
      assertThat(faded.normalizedEntropyError(scorer))
          .isCloseTo(expected.normalizedEntropyError(scorer), within(1e-9));
      assertThat(faded.area(scorer)).isCloseTo(expected.area(scorer), within(1e-4));
    }
  }

  @Test
  void read_whatWasWritten_isTheSame() {
    Tally tally = tally(examples(5, 500, true));
    ByteBuffer bytes = ByteBuffer.allocate(Tally.BYTES);
    tally.write(bytes);
    assertThat(bytes.remaining()).isZero();
    Tally read = new Tally(new Clumping());
    read.read(bytes.flip());
    ByteBuffer again = ByteBuffer.allocate(Tally.BYTES);
    read.write(again);

    assertThat(again.array()).isEqualTo(bytes.array());
    assertThat(read.area(Scorer.SERVED)).isEqualTo(tally.area(Scorer.SERVED));
  }
}
