package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RowFormatTest {
  private static final int AT = 3; // Rows are packed: nothing is where processors like it.

  private static float[] kept(RowFormat format, float[] row) {
    MemorySegment memory = memory(format.bytes(row.length));
    format.keep(row, 0, row.length, memory, AT);
    MemorySegment read = memory(row.length * Float.BYTES);
    format.floats(memory, AT, row.length, read, AT);
    return read.asSlice(AT).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
  }

  private static MemorySegment memory(int bytes) {
    return MemorySegment.ofArray(new byte[AT + bytes]);
  }

  private static float[] random(SplittableRandom random, int width) {
    float[] row = new float[width];
    double size = Math.pow(10, random.nextInt(-6, 4));
    for (int i = 0; i < width; i++) {
      row[i] = random.nextInt(10) == 0 ? 0 : (float) (size * (random.nextDouble() - 0.5));
    }
    return row;
  }

  /** How far a number may be off, by the definition of the format alone. */
  private static double allowed(RowFormat format, float[] row, float value) {
    double largest = 0;
    for (float other : row) {
      largest = Math.max(largest, Math.abs(other));
    }
    return switch (format) {
      case FP32 -> 0;
      // Half of the last of 11 digits, or of the smallest number there is.
      case FP16 -> Math.max(Math.abs(value) * 0x1p-11, 0x1p-25);
      // Half a step, which is up to a 2^15-th longer than the 127-th part.
      case INT8 -> largest / 127 * (0.5 + 0x1p-8);
    };
  }

  @ParameterizedTest
  @EnumSource
  void keep_anyRow_isReadWithinTheFormatsBoundsAndKeptTheSameAgain(RowFormat format) {
    SplittableRandom random = new SplittableRandom(5);
    for (int run = 0; run < 5000; run++) {
      float[] row = random(random, random.nextInt(1, 131));
      float[] read = kept(format, row);
      for (int i = 0; i < row.length; i++) {
        assertThat(Math.abs((double) read[i] - row[i]))
            .isLessThanOrEqualTo(allowed(format, row, row[i]));
      }
      assertThat(kept(format, read)).containsExactly(read);
    }
  }

  @ParameterizedTest
  @EnumSource
  void keep_zerosAndNumbersAtTheEnds_areThemselves(RowFormat format) {
    assertThat(kept(format, new float[3])).containsExactly(0, 0, 0);
    float step = format == RowFormat.INT8 ? 0x1p-14f : 0;
    assertThat(kept(format, new float[] {0, -2, 2}))
        .containsExactly(new float[] {0, -2, 2}, within(step));
    float tiny = Float.MIN_VALUE;
    assertThat(Math.abs(kept(format, new float[] {tiny, -tiny})[0])).isLessThanOrEqualTo(tiny);
    float large = format == RowFormat.FP16 ? 65504 : 1e30f;
    assertThat(kept(format, new float[] {1e30f})[0] / large).isBetween(0.999f, 1.001f);
  }

  @ParameterizedTest
  @EnumSource
  void keep_aNumberThatIsNotFinite_isNeverReadAsOneThatIs(RowFormat format) {
    assertThat(kept(format, new float[] {Float.NaN})[0]).isNaN();
    assertThat(Float.isFinite(kept(format, new float[] {1, Float.POSITIVE_INFINITY})[1])).isFalse();
  }

  @ParameterizedTest
  @EnumSource
  void halves_anyRow_areItsNumbersInHalfPrecision(RowFormat format) {
    SplittableRandom random = new SplittableRandom(6);
    for (int run = 0; run < 500; run++) {
      float[] row = random(random, random.nextInt(1, 131));
      MemorySegment memory = memory(format.bytes(row.length));
      format.keep(row, 0, row.length, memory, AT);
      MemorySegment halves = memory(row.length * Short.BYTES);
      format.halves(memory, AT, row.length, halves, AT);
      float[] read = kept(format, row);
      for (int i = 0; i < row.length; i++) {
        assertThat(halves.get(ValueLayout.JAVA_SHORT_UNALIGNED, AT + 2 * i))
            .isEqualTo(Float.floatToFloat16(read[i]));
      }
    }
  }
}
