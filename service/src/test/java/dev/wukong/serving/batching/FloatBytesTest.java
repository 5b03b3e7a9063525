package dev.wukong.serving.batching;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class FloatBytesTest {
  @Test
  void notFinite_anyFloats_findsTheFirst() {
    SplittableRandom random = new SplittableRandom(3);
    for (int run = 0; run < 20_000; run++) {
      int count = random.nextInt(1, 40);
      byte[] bytes = new byte[4 * count];
      ByteBuffer floats = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i < count; i++) {
        // Any bits, so that every kind of NaN and the largest numbers come up.
        int bits = random.nextInt();
        floats.putInt(random.nextInt(8) == 0 ? bits | 0x7F000000 : bits);
      }
      int from = random.nextInt(count);
      int expected = -1;
      for (int i = from; i < count && expected < 0; i++) {
        expected = Float.isFinite(floats.getFloat(4 * i)) ? -1 : i;
      }
      assertThat(FloatBytes.notFinite(bytes, from, count - from)).isEqualTo(expected);
    }
  }
}
