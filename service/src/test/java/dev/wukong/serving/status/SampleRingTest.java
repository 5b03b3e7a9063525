package dev.wukong.serving.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SampleRingTest {
  private final SampleRing ring = new SampleRing(4);

  private static Sample sample(long number) {
    return new Sample(number, 1000 * number, Map.of(), Map.of(), Map.of(), Map.of(), Map.of());
  }

  private List<Long> after(long number) {
    return ring.after(number).stream().map(Sample::number).toList();
  }

  @Test
  void after_moreSamplesThanRoom_keepsTheNewestInOrder() {
    assertThat(after(-1)).isEmpty();
    assertThat(ring.last()).isEqualTo(-1);
    for (int i = 0; i < 10; i++) {
      ring.add(sample(i));
    }
    assertThat(ring.last()).isEqualTo(9);
    assertThat(after(-1)).containsExactly(6L, 7L, 8L, 9L);
    assertThat(after(3)).containsExactly(6L, 7L, 8L, 9L);
    assertThat(after(7)).containsExactly(8L, 9L);
    assertThat(after(9)).isEmpty();
  }

  @Test
  void after_numberFromNowhere_isAnswered() {
    ring.add(sample(0));
    assertThat(after(Long.MAX_VALUE)).isEmpty();
    assertThat(after(Long.MIN_VALUE)).containsExactly(0L);
  }

  @Test
  void add_numberOutOfOrder_isRefused() {
    ring.add(sample(0));
    assertThatThrownBy(() -> ring.add(sample(2))).hasMessage("sample 2 after 1 samples");
  }
}
