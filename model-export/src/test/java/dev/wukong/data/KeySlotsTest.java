package dev.wukong.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class KeySlotsTest {
  /** After all turns that an entry can tell apart the first turn's entries would count again. */
  @Test
  void clear_afterAllTurns_nothingOfTheFirstIsFound() {
    KeySlots slots = new KeySlots();
    int many = 1 << 17;
    for (int key = 0; key < many; key++) {
      slots.slotOf(key);
    }
    int turns = 1 << (Integer.SIZE - 18); // A table twice as large as what is held at most.
    for (int turn = 0; turn < 2 * turns; turn++) {
      slots.clear();
      assertThat(slots.find(many - 1)).isZero();
      assertThat(slots.find(turn)).isZero();
      assertThat(slots.slotOf(-2L - turn)).isEqualTo(1);
      assertThat(slots.find(-1L - turn)).isZero();
    }
  }

  /** Against a plain map, with few and many distinct keys, through growth and forgetting. */
  @RepeatedTest(value = 50, name = "seed {currentRepetition}")
  void slotsOf_rowsOfIds_areThoseOfAMap(RepetitionInfo run) {
    SplittableRandom random = new SplittableRandom(run.getCurrentRepetition());
    KeySlots slots = new KeySlots();
    int width = random.nextInt(1, 100);
    int[] positions = random.ints(width, 0, width).toArray();
    long[] tables = random.longs(width, 0, 5).map(table -> RowKey.of((int) table, 0)).toArray();
    for (int turn = 0; turn < 5; turn++) {
      slots.clear();
      Map<Long, Integer> expected = new HashMap<>();
      int rows = random.nextInt(1, 60);
      long range = 1L << random.nextInt(1, 20);
      int[] found = new int[width];
      for (int row = 0; row < rows; row++) {
        long[] ids =
            random.longs(3L + width, 0, range).map(id -> id % 7 == 0 ? RowKey.NONE : id).toArray();
        slots.slotsOf(ids, 3, new SlotColumns(tables, positions, width), found);
        for (int i = 0; i < width; i++) {
          long id = ids[3 + positions[i]];
          int slot = 0;
          if (id != RowKey.NONE) {
            int next = expected.size() + 1;
            slot = expected.computeIfAbsent(tables[i] | id, _ -> next);
            assertThat(slots.key(slot)).isEqualTo(tables[i] | id);
          }
          assertThat(found[i]).isEqualTo(slot);
        }
      }
      assertThat(slots.size()).isEqualTo(expected.size());
    }
  }
}
