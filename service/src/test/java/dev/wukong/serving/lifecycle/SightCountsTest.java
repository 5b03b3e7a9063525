package dev.wukong.serving.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SightCountsTest {
  @RepeatedTest(value = 50, name = "seed {currentRepetition}")
  void putRemoveClear_anyKeys_areThoseOfAMap(RepetitionInfo run) {
    SplittableRandom random = new SplittableRandom(run.getCurrentRepetition());
    int most = random.nextInt(1, 40);
    SightCounts counts = new SightCounts(most);
    Map<Long, Integer> expected = new HashMap<>();
    for (int step = 0; step < 5000; step++) {
      long key = (long) random.nextInt(60) << (random.nextBoolean() ? 0 : 48);
      int what = random.nextInt(1000);
      if (what < 600) {
        int count = random.nextInt(1, 256);
        boolean room = expected.containsKey(key) || expected.size() < most;
        assertThat(counts.put(key, count)).isEqualTo(room);
        if (room) {
          expected.put(key, count);
        }
      } else if (what < 998) {
        assertThat(counts.remove(key)).isEqualTo(expected.remove(key) != null);
      } else {
        counts.clear();
        expected.clear();
      }
      assertThat(counts.size()).isEqualTo(expected.size());
      long other = (long) random.nextInt(60) << (random.nextBoolean() ? 0 : 48);
      assertThat(counts.get(other)).isEqualTo(expected.getOrDefault(other, 0));
    }
    for (long key = 0; key < 60; key++) {
      assertThat(counts.get(key)).isEqualTo(expected.getOrDefault(key, 0));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, (1 << 28) + 1, Integer.MAX_VALUE})
  void new_sizeOutOfBounds_saysWhatIsAllowed(int most) {
    assertThatThrownBy(() -> new SightCounts(most))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("counted ids are %d, must be 1 to 268435456".formatted(most));
  }

  @Test
  void put_onlyOneKeyHasRoom_isThatOne() {
    SightCounts counts = new SightCounts(1);
    assertThat(counts.put(0, 255)).isTrue();
    assertThat(counts.put(1, 1)).isFalse();
    assertThat(counts.put(0, 7)).isTrue();
    assertThat(counts.get(0)).isEqualTo(7);
    assertThat(counts.get(1)).isZero();
  }
}
