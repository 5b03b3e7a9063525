package dev.wukong.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.BitSet;
import java.util.SplittableRandom;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class ShuffleTest {
  @RepeatedTest(value = 300, name = "seed {currentRepetition}")
  void at_allPlaces_givesEveryRowOnce(RepetitionInfo run) {
    SplittableRandom random = new SplittableRandom(run.getCurrentRepetition());
    // Every small number first: they are the odd ones.
    int rows =
        run.getCurrentRepetition() <= 40 ? run.getCurrentRepetition() : random.nextInt(1, 5001);
    long seed = random.nextLong();
    check(Shuffle.of(rows, seed, 3), rows);
    check(Shuffle.of(rows, seed, 3, 16, 256), rows);
  }

  private static void check(Shuffle shuffle, int rows) {
    BitSet seen = new BitSet();
    for (int place = 0; place < rows; place++) {
      seen.set(Math.toIntExact(shuffle.at(place)));
    }
    assertThat(seen.cardinality()).isEqualTo(rows);
    assertThat(seen.length()).isEqualTo(rows);
  }

  @Test
  void at_sameSeedAndEpoch_isTheSameOrder_elseAnother() {
    long[] first = new long[1000];
    long[] again = new long[1000];
    long[] other = new long[1000];
    Shuffle.of(1000, 1, 0).fill(0, first);
    Shuffle.of(1000, 1, 0).fill(0, again);
    Shuffle.of(1000, 1, 1).fill(0, other);
    assertThat(again).isEqualTo(first);
    assertThat(other).isNotEqualTo(first);
  }

  /** Over many seeds every row comes to every place about as often. */
  @Test
  void at_manySeeds_spreadsRowsEvenly() {
    int rows = 10;
    int seeds = 20_000;
    int[][] counts = new int[rows][rows];
    for (int seed = 0; seed < seeds; seed++) {
      Shuffle shuffle = Shuffle.of(rows, seed, 0);
      for (int place = 0; place < rows; place++) {
        counts[place][(int) shuffle.at(place)]++;
      }
    }
    double expected = (double) seeds / rows;
    for (int[] places : counts) {
      for (int count : places) {
        // Six standard deviations of a binomial.
        assertThat((double) count).isCloseTo(expected, within(6 * Math.sqrt(expected)));
      }
    }
  }

  @Test
  void fill_pastTheEnd_givesWhatIsLeft() {
    assertThat(Shuffle.of(10, 1, 0).fill(8, new long[4])).isEqualTo(2);
    assertThat(Shuffle.of(10, 1, 0).fill(10, new long[4])).isZero();
  }
}
