package dev.wukong.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.BitSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ShuffleTest {
  @Property(tries = 300)
  void at_allPlaces_givesEveryRowOnce(
      @ForAll @IntRange(min = 1, max = 5000) int rows, @ForAll long seed) {
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
