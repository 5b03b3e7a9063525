package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class RowIndexTest {
  private record Dead(long key, long cell) {}

  /** Few keys, so that they meet; and many that come and go, so that entries are used again. */
  @RepeatedTest(value = 100, name = "seed {currentRepetition}")
  void anyOperations_findsWhatAMapFinds(RepetitionInfo run) {
    SplittableRandom random = new SplittableRandom(run.getCurrentRepetition());
    int room = random.nextInt(1, 60);
    long range = random.nextInt(1, 200);
    Map<Long, Long> expected = new HashMap<>();
    Deque<Dead> dead = new ArrayDeque<>();
    RowIndex index = new RowIndex(room);
    for (int step = 0; step < 3000; step++) {
      long key = random.nextLong(range) - 3;
      key = key >= 0 ? key : Long.MIN_VALUE - key;
      switch (random.nextInt(4)) {
        case 0, 1 -> {
          long cell = RowIndex.cell(step, random.nextInt(1000));
          if (expected.containsKey(key)) {
            index.replace(key, cell);
            expected.put(key, cell);
          } else if (index.add(key, cell)) {
            expected.put(key, cell);
          } else if (index.full()) {
            assertThat(expected).hasSize(room);
          } else {
            assertThat(index.crowded()).isTrue();
            RowIndex before = index;
            index = before.compact();
            before.close();
            dead.clear();
            assertThat(index.add(key, cell)).isTrue();
            expected.put(key, cell);
          }
        }
        case 2 -> {
          if (expected.remove(key) != null) {
            Dead gone = new Dead(key, RowIndex.cell(step, RowIndex.DEAD));
            index.kill(key, gone.cell());
            dead.add(gone);
          }
        }
        default -> {
          if (!dead.isEmpty() && random.nextBoolean()) {
            Dead gone = dead.remove();
            index.free(gone.key(), gone.cell());
          }
        }
      }
      long cell = index.get(key);
      assertThat(RowIndex.slot(cell) == RowIndex.DEAD ? null : (Long) cell)
          .isEqualTo(expected.get(key));
    }
    for (Map.Entry<Long, Long> entry : expected.entrySet()) {
      assertThat(index.get(entry.getKey())).isEqualTo(entry.getValue());
    }
    index.close();
  }

  /** Most entries are used again as they are; the index is made anew only now and then. */
  @Test
  void free_allKeysAgainAndAgain_isSeldomCrowded() {
    Random random = new Random(1);
    int compacted = 0;
    RowIndex index = new RowIndex(1000);
    for (int round = 0; round < 60; round++) {
      List<Long> keys = new ArrayList<>();
      for (int i = 0; i < 1000; i++) {
        keys.add(round * 100_000L + i * 7L);
        if (index.crowded()) {
          RowIndex crowded = index;
          index = crowded.compact();
          crowded.close();
          compacted++;
        }
        assertThat(index.add(keys.getLast(), i)).isTrue();
      }
      assertThat(index.full()).isTrue();
      Collections.shuffle(keys, random);
      long dead = RowIndex.cell(round, RowIndex.DEAD);
      for (long key : keys) {
        index.kill(key, dead);
        index.free(key, dead);
        assertThat(index.get(key)).isEqualTo(RowIndex.NO_CELL);
      }
    }
    index.close();
    assertThat(compacted).isLessThan(30);
  }

  @Test
  void cell_anyVersionAndSlot_areReadBack() {
    for (int version : new int[] {0, 1, Integer.MAX_VALUE, -1}) {
      for (int slot : new int[] {0, 1, Integer.MAX_VALUE, -1, -2}) {
        long cell = RowIndex.cell(version, slot);
        assertThat(RowIndex.version(cell)).isEqualTo(version);
        assertThat(RowIndex.slot(cell)).isEqualTo(slot);
      }
    }
  }
}
