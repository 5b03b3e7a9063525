package dev.wukong.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The expected values come from the reference implementation of xxHash64 with seed 0. */
class HashTest {
  @ParameterizedTest
  @CsvSource({
    "'', ef46db3751d8e999",
    "a, d24ec4f1a98c6e5b",
    "abc, 44bc2cf5ad770999",
    "Nobody inspects the spammish repetition, fbcea83c8a378bf1",
    "0123456789abcdef0123456789abcdef, 642a94958e71e6c5",
    "0123456789abcdef0123456789abcdef0123456789abc, fc9bc401c0e4cff3",
    "user-ü-5, 9afa061940b4ead0"
  })
  void string_publishedVectors_agree(String text, String expected) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    assertThat(HexFormat.of().toHexDigits(Hash.of(utf8))).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 34c96acdcadb1bbb",
    "1, 9f29cb17a2a49995",
    "-1, 85d136adb773c6c9",
    "42, b556806fb6d14353",
    "123456789012345, 456f902bc73b2e58",
    "-9223372036854775808, 3f425eacf01544e0"
  })
  void int64_publishedVectors_agree(long value, String expected) {
    assertThat(HexFormat.of().toHexDigits(Hash.of(value))).isEqualTo(expected);
  }

  @RepeatedTest(value = 100, name = "seed {currentRepetition}")
  void int64_anyValue_hashesItsLittleEndianBytes(RepetitionInfo run) {
    SplittableRandom random = new SplittableRandom(run.getCurrentRepetition());
    // Of any length in bits, so that small and large ones come up alike.
    long value = random.nextLong() >> random.nextInt(64);
    byte[] bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
    assertThat(Hash.of(value)).isEqualTo(Hash.of(bytes));
  }

  @RepeatedTest(value = 100, name = "seed {currentRepetition}")
  void slice_everyLength_hashesLikeTheWhole(RepetitionInfo run) {
    // From 0 bytes on: the hash takes 32, 8, 4 and 1 at a time.
    byte[] bytes = new byte[run.getCurrentRepetition() - 1];
    new SplittableRandom(run.getCurrentRepetition()).nextBytes(bytes);
    byte[] padded = new byte[bytes.length + 5];
    System.arraycopy(bytes, 0, padded, 3, bytes.length);
    assertThat(Hash.of(MemorySegment.ofArray(padded), 3, bytes.length)).isEqualTo(Hash.of(bytes));
  }
}
