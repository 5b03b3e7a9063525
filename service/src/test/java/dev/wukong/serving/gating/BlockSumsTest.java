package dev.wukong.serving.gating;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against what is known of sums: where clusters share a part, by Kish's design effect. */
class BlockSumsTest {
  /** Values with a variance of 1, of which clusters in a row share {@code alike}. */
  private static double[] values(long seed, int count, int cluster, double alike) {
    SplittableRandom random = new SplittableRandom(seed);
    double[] values = new double[count];
    double shared = 0;
    for (int i = 0; i < count; i++) {
      shared = i % cluster == 0 ? random.nextGaussian() : shared;
      values[i] = Math.sqrt(alike) * shared + Math.sqrt(1 - alike) * random.nextGaussian();
    }
    return values;
  }

  private static BlockSums sums(double[] values) {
    BlockSums sums = new BlockSums();
    for (double value : values) {
      sums.add(value, 1);
    }
    return sums;
  }

  @ParameterizedTest
  @CsvSource({"1, 0", "16, 0.05", "16, 0.5", "64, 0.2", "64, 1", "300, 0.1"})
  void effect_ofClusters_isThatOfTheFormula(int cluster, double alike) {
    double formula = 1 + (cluster - 1) * alike;

    assertThat(sums(values(1, 1 << 19, cluster, alike)).effect(100_000))
        .isBetween(0.8 * formula, 1.15 * formula);
  }

  /** Fewer than a cluster has are alike one with another alone. */
  @ParameterizedTest
  @ValueSource(ints = {2, 8, 64, 256})
  void effect_ofAPartOfACluster_isOfAsMany(int examples) {
    double alike = 0.3;

    assertThat(sums(values(2, 1 << 19, 1024, alike)).effect(examples))
        .isCloseTo(1 + (examples - 1) * alike, within(0.12 * examples * alike));
  }

  /** Whatever the mean is: it is not chance. */
  @Test
  void effect_ofIndependentValuesWithAMean_isOne() {
    SplittableRandom random = new SplittableRandom(3);
    BlockSums sums = new BlockSums();
    for (int i = 0; i < 1 << 19; i++) {
      sums.add(5 + random.nextGaussian(), 0.5 + random.nextInt(4));
    }

    assertThat(sums.effect(100_000)).isBetween(1.0, 1.2);
  }

  /** As where one of ten negatives is kept, and weighs as ten. */
  @Test
  void effect_ofIndependentValuesThatWeighByWhatTheyAre_isOne() {
    SplittableRandom random = new SplittableRandom(3);
    BlockSums sums = new BlockSums();
    for (int i = 0; i < 1 << 19; i++) {
      boolean positive = random.nextInt(2) == 0;
      sums.add(positive ? 0.9 : -0.1, positive ? 1 : 10);
    }
    BlockSums before = new BlockSums();
    before.take(sums, 2);
    before.fade(0.5);

    assertThat(sums.effect(100_000)).isBetween(1.0, 1.2);
    assertThat(before.effect(100_000)).isBetween(1.0, 1.2);
  }

  /** Chance makes it no more where few blocks are known, on the average. */
  @ParameterizedTest
  @ValueSource(ints = {10, 100, 1_000, 10_000})
  void effect_ofIndependentValues_isAboutOne(int examples) {
    double sum = 0;
    int more = 0;
    for (int seed = 0; seed < 400; seed++) {
      double effect = sums(values(seed, examples, 1, 0)).effect(examples);
      sum += effect;
      more += effect > 2 ? 1 : 0;
    }

    assertThat(sum / 400).isBetween(1.0, 1.25);
    assertThat(more).isLessThan(28);
  }

  /** Clusters at least as long as all that was seen: more would say nothing new. */
  @Test
  void effect_ofMoreThanIsKnown_goesOnAsItBegan() {
    double sum = 0;
    for (int seed = 0; seed < 50; seed++) {
      sum += sums(values(seed, 4_000, 128, 0.3)).effect(1_000);
    }

    double ofAsMany = 1 + 999 * 0.3;
    assertThat(sum / 50).isBetween(0.5 * ofAsMany, 1.2 * ofAsMany);
  }

  /** Over many draws, the truth lies within two errors about as often as it should. */
  @Test
  void effect_ofClusters_makesIntervalsThatHoldTheTruth() {
    int held = 0;
    int plain = 0;
    for (int seed = 0; seed < 300; seed++) {
      double[] values = values(seed, 20_000, 200, 0.1);
      double mean = 0;
      for (double value : values) {
        mean += value / values.length;
      }
      double error = 1 / Math.sqrt(values.length);
      double effect = sums(values).effect(values.length);
      plain += Math.abs(mean) < 1.96 * error ? 1 : 0;
      held += Math.abs(mean) < 1.96 * Math.sqrt(effect) * error ? 1 : 0;
    }

    assertThat(plain).isLessThan(150);
    assertThat(held).isBetween(265, 298);
  }

  private static byte[] bytes(DesignEffect effect) {
    ByteBuffer to = ByteBuffer.allocate(DesignEffect.BYTES);
    effect.write(to);
    return to.array();
  }

  @Test
  void keep_inParts_isAsOfAllAtOnce() {
    double[] values = values(4, 50_000, 100, 0.2);
    DesignEffect parts = new DesignEffect();
    SplittableRandom random = new SplittableRandom(5);
    for (double value : values) {
      parts.add(value, 1);
      if (random.nextInt(70) == 0) {
        parts.keep();
      }
    }
    parts.keep();
    parts.keep();

    double atOnce = Math.sqrt(sums(values).effect(2_000));
    assertThat(parts.ofError(2_000)).isCloseTo(atOnce, within(0.1 * atOnce));
  }

  /** A minute in which all went wrong makes nobody blind for hours. */
  @Test
  void keep_whatWasManyTimesAsMuch_countsAsOfAsMany() {
    DesignEffect effect = new DesignEffect();
    for (double value : values(6, 500_000, 1, 0)) {
      effect.add(value, 1);
    }
    effect.keep();
    effect.keep();
    for (double value : values(7, 3_000, 3_000, 0.5)) {
      effect.add(1_000 * value, 1);
    }
    effect.keep();
    assertThat(effect.ofError(2_000)).isLessThan(1.1);
    effect.keep();

    assertThat(effect.ofError(100)).isLessThan(1.5);
    assertThat(effect.ofError(2_000)).isLessThan(4.0);
  }

  /** One person who does a hundred things at once, after a few of others. */
  @Test
  void ofError_littleIsKnown_isByWhatCameLast() {
    DesignEffect effect = new DesignEffect();
    for (double value : values(12, 8, 1, 0)) {
      effect.add(value, 1);
    }
    effect.keep();
    for (double value : values(13, 400, 50, 0.9)) {
      effect.add(value, 1);
    }
    effect.keep();
    assertThat(effect.ofError(100)).isGreaterThan(2);
  }

  @Test
  void drop_isAsIfItHadNotBeen() {
    DesignEffect effect = new DesignEffect();
    for (double value : values(8, 10_001, 10, 0.2)) {
      effect.add(value, 1);
    }
    effect.keep();
    effect.keep();
    byte[] before = bytes(effect);
    for (double value : values(9, 1_001, 10, 1)) {
      effect.add(100 * value, 1);
    }
    effect.keep();
    effect.add(1_000, 1);

    effect.drop();

    assertThat(bytes(effect)).isEqualTo(before);
  }

  @Test
  void read_whatWasWritten_goesOnTheSame() {
    DesignEffect one = new DesignEffect();
    DesignEffect other = new DesignEffect();
    for (double value : values(10, 12_345, 10, 0.2)) {
      one.add(value, 0.5);
    }
    other.read(ByteBuffer.wrap(bytes(one)));
    for (double value : values(11, 12_345, 10, 0.2)) {
      one.add(value, 2);
      other.add(value, 2);
    }
    one.keep();
    other.keep();

    assertThat(other.ofError(5_000)).isEqualTo(one.ofError(5_000));
  }
}
