package dev.wukong.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RowKeyTest {
  /** How ids of a table may lie. */
  enum Ids {
    CONSECUTIVE,
    FAR_APART,
    ODD,
    HIGH,
    HASHED;

    long nth(long i) {
      return switch (this) {
        case CONSECUTIVE -> i;
        case FAR_APART -> i << 20;
        case ODD -> 2 * i + 1;
        case HIGH -> RowKey.ID_LIMIT - 1 - i;
        case HASHED -> new SplittableRandom(i).nextLong(RowKey.ID_LIMIT);
      };
    }
  }

  /**
   * As many keys as places: random ones would take 1 - 1/e of them, 63 %. The low bits say the
   * place, as in hash tables here.
   */
  @ParameterizedTest
  @EnumSource
  void spread_sameIdsOfManyTables_takeAsManyPlacesAsRandomOnes(Ids ids) {
    int tables = 32;
    int places = 1 << 18;
    BitSet taken = new BitSet(places);
    for (int table = 0; table < tables; table++) {
      for (long i = 0; i < places / tables; i++) {
        taken.set(RowKey.spread(RowKey.of(table, ids.nth(i))) & (places - 1));
      }
    }
    assertThat(taken.cardinality()).isGreaterThan(places * 60 / 100);
  }

  @Test
  void of_largestTableAndId_keepsBoth() {
    long key = RowKey.of(0x7FFF, RowKey.ID_LIMIT - 1);
    assertThat(RowKey.table(key)).isEqualTo(0x7FFF);
    assertThat(RowKey.id(key)).isEqualTo(RowKey.ID_LIMIT - 1);
  }
}
