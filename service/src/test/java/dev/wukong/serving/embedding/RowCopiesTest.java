package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Many rows at once, beside the same rows one by one. */
class RowCopiesTest {
  private static final int ROWS = 100;
  private static final int[] WIDTHS = {1, 2, 3, 16, 34, 128};

  /** How many rows are read of a call: none, less than a block, one, and several and a part. */
  private static final int[] COUNTS = {0, 1, 31, 32, 33, 250};

  /** Copies the rows at {@code places} side by side. */
  private interface Copy {
    void copy(ResidentTable table, int[] places, int count, MemorySegment to, long at);
  }

  private static void assertSame(RowFormat format, int bytes, Copy many, Copy single) {
    for (int width : WIDTHS) {
      SplittableRandom random = new SplittableRandom(width);
      try (ResidentTable table = new ResidentTable(format, width, ROWS);
          Arena arena = Arena.ofConfined()) {
        fill(table, random);
        for (int count : COUNTS) {
          int[] places = new int[300];
          for (int i = 0; i < places.length; i++) {
            places[i] = random.nextInt(5) == 0 ? ResidentTable.ABSENT : random.nextInt(ROWS);
          }
          long rowBytes = (long) bytes * width;
          MemorySegment read = arena.allocate(8 + places.length * rowBytes);
          MemorySegment expected = arena.allocate(8 + places.length * rowBytes);

          many.copy(table, places, count, read, 8);

          single.copy(table, places, count, expected, 8);
          for (int i = 0; i < places.length; i++) {
            if (i >= count || places[i] >= 0) {
              MemorySegment row = read.asSlice(8 + i * rowBytes, rowBytes);
              assertThat(row.mismatch(expected.asSlice(8 + i * rowBytes, rowBytes)))
                  .as("row %d of %d, width %d", i, count, width)
                  .isEqualTo(-1);
            }
          }
        }
      }
    }
  }

  private static void fill(ResidentTable table, SplittableRandom random) {
    float[] row = new float[table.width()];
    for (int key = 0; key < ROWS; key++) {
      for (int i = 0; i < row.length; i++) {
        row[i] = (float) random.nextGaussian();
      }
      assertThat(table.add(key, 0, row, 0)).isEqualTo(key);
    }
  }

  @ParameterizedTest
  @EnumSource
  void floats_manyRows_areThoseThatAreReadOneByOne(RowFormat format) {
    assertSame(
        format,
        Float.BYTES,
        (table, places, count, to, at) -> table.copies().floats(places, count, to, at),
        (table, places, count, to, at) -> {
          for (int i = 0; i < count; i++) {
            if (places[i] >= 0) {
              table.copyFloats(places[i], to, at + (long) i * table.width() * Float.BYTES);
            }
          }
        });
  }

  @ParameterizedTest
  @EnumSource
  void halves_manyRows_areThoseThatAreReadOneByOne(RowFormat format) {
    assertSame(
        format,
        Short.BYTES,
        (table, places, count, to, at) -> table.copies().halves(places, count, to, at),
        (table, places, count, to, at) -> {
          for (int i = 0; i < count; i++) {
            if (places[i] >= 0) {
              table.copyHalves(places[i], to, at + (long) i * table.width() * Short.BYTES);
            }
          }
        });
  }
}
