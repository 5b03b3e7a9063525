package dev.wukong.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Held against the platform's own strict decoder. */
class Utf8Test {
  private static int decoderSays(byte[] bytes) {
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CoderResult result = decoder.decode(in, CharBuffer.allocate(bytes.length + 1), true);
    return result.isError() ? in.position() : -1;
  }

  private static int weSay(byte[] bytes) {
    // Not at the beginning, and with more behind that would complete a cut sequence.
    byte[] padded = new byte[bytes.length + 8];
    Arrays.fill(padded, (byte) 0x80);
    System.arraycopy(bytes, 0, padded, 3, bytes.length);
    return Utf8.malformed(MemorySegment.ofArray(padded), 3, bytes.length);
  }

  @Test
  void malformed_everySequenceOfTwoBytesAndTheirNeighbours_isAsTheDecoderSays() {
    for (int first = 0; first < 256; first++) {
      for (int second = 0; second < 256; second++) {
        for (int third : new int[] {0x00, 0x41, 0x7F, 0x80, 0xBF, 0xC0, 0xFF}) {
          byte[] bytes = {(byte) first, (byte) second, (byte) third, (byte) 0x80};
          for (int length = 1; length <= 4; length++) {
            byte[] own = Arrays.copyOf(bytes, length);
            assertThat(weSay(own)).as(() -> Arrays.toString(own)).isEqualTo(decoderSays(own));
          }
        }
      }
    }
  }

  @Test
  void malformed_randomTextWithAndWithoutADamagedByte_isAsTheDecoderSays() {
    SplittableRandom random = new SplittableRandom(5);
    for (int run = 0; run < 20_000; run++) {
      StringBuilder text = new StringBuilder();
      int characters = random.nextInt(30);
      for (int i = 0; i < characters; i++) {
        int limit = random.nextInt(4) == 0 ? 0x110000 : 0x80;
        int character = random.nextInt(limit);
        text.appendCodePoint(character >= 0xD800 && character < 0xE000 ? 'x' : character);
      }
      byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
      assertThat(weSay(bytes)).isEqualTo(-1);
      if (bytes.length > 0) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
        assertThat(weSay(bytes)).as(() -> Arrays.toString(bytes)).isEqualTo(decoderSays(bytes));
      }
    }
  }
}
