package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;

class MappedMemoryTest {
  @Test
  void allocate_moreThanThereIs_saysSo() {
    try (Arena arena = Arena.ofConfined()) {
      assertThatThrownBy(() -> MappedMemory.allocate(arena, 1L << 60))
          .isInstanceOf(OutOfMemoryError.class)
          .hasMessage("the system has no 1152921504606846976 bytes for rows");
    }
  }
}
