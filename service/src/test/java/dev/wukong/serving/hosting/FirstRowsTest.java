package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class FirstRowsTest {
  private static List<Long> taken(FirstRows rows, int group, long keys) {
    return LongStream.range(0, keys).filter(key -> rows.take(group, key)).boxed().toList();
  }

  @Test
  void take_someAreHot_theseAndTheFirstOfTheOthers() {
    FirstRows rows = new FirstRows(List.of(new long[] {90, 7, 80}), new int[] {5, 2});
    assertThat(taken(rows, 0, 100)).containsExactly(0L, 1L, 7L, 80L, 90L);
    assertThat(rows.takesMore(1)).isTrue();
    assertThat(taken(rows, 1, 100)).containsExactly(0L, 1L);
    assertThat(rows.takesMore(1)).isFalse();
    assertThat(rows.takesMore(0)).isTrue(); // One that is hot may come again.
  }

  @Test
  void take_moreAreHotThanHaveRoom_thoseWantedMost() {
    FirstRows rows = new FirstRows(List.of(new long[] {90, 7, 80}), new int[] {2});
    assertThat(taken(rows, 0, 100)).containsExactly(7L, 90L);
  }
}
