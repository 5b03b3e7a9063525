package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class BuffersTest {
  private final Buffers buffers = new Buffers();

  @Test
  void bytes_moreThanBefore_haveTheSizeAskedFor() {
    assertThat(buffers.bytes("a", 10).capacity()).isEqualTo(10);
    assertThat(buffers.bytes("a", 11).capacity()).isEqualTo(11);
    assertThat(buffers.floats("a", 3).capacity()).isEqualTo(3);
  }

  /** 2^29 floats are 2^31 bytes, and 2^30 + 1 would pass for 4. */
  @Test
  void floats_beyondWhatABufferHolds_areNotFewer() {
    for (int count : new int[] {1 << 29, (1 << 30) + 1}) {
      assertThatThrownBy(() -> buffers.floats("a", count)).isInstanceOf(ArithmeticException.class);
      assertThatThrownBy(() -> buffers.longs("a", count)).isInstanceOf(ArithmeticException.class);
      assertThatThrownBy(() -> buffers.ints("a", new int[0], count))
          .isInstanceOf(ArithmeticException.class);
    }
  }
}
