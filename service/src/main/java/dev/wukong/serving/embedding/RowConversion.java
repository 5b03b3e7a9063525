package dev.wukong.serving.embedding;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Reads rows as another type of number than they are kept as, many at a time: gathered in arrays,
 * where the compiler makes one instruction of many numbers, as it does not in memory outside the
 * heap. One thread.
 */
final class RowConversion {
  /** Rows that are gathered before they are converted. */
  private static final int BLOCK = 32;

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort HALF =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final RowFormat format;
  private final int width;
  private final long rowBytes;
  private @Nullable Room room;

  /** Rows of a block on their way. */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  private record Room(float[] floats, short[] halves, byte[] bytes, float[] scales) {
    static Room of(int width) {
      int numbers = Math.multiplyExact(BLOCK, width);
      return new Room(new float[numbers], new short[numbers], new byte[numbers], new float[BLOCK]);
    }
  }

  /** Of rows of {@code width} numbers; it takes no room before it is used. */
  RowConversion(RowFormat format, int width) {
    this.format = format;
    this.width = width;
    this.rowBytes = format.bytes(width);
  }

  /**
   * Copies rows side by side in single precision.
   *
   * @param rows where row p begins at p times the bytes of one
   * @param places of the first {@code count} rows; where one is negative it does not matter what is
   *     written
   * @param to receives them from byte {@code at} on
   */
  void floats(MemorySegment rows, int[] places, int count, MemorySegment to, long at) {
    float[] floats = room().floats();
    for (int first = 0; first < count; first += BLOCK) {
      int many = Math.min(BLOCK, count - first);
      gather(rows, places, first, many);
      long start = at + (long) first * width * Float.BYTES;
      MemorySegment.copy(floats, 0, to, FLOAT, start, many * width);
    }
  }

  /** The same in half precision. */
  void halves(MemorySegment rows, int[] places, int count, MemorySegment to, long at) {
    Room room = room();
    for (int first = 0; first < count; first += BLOCK) {
      int many = Math.min(BLOCK, count - first);
      gather(rows, places, first, many);
      int numbers = many * width;
      narrow(room.floats(), numbers, room.halves());
      MemorySegment.copy(
          room.halves(), 0, to, HALF, at + (long) first * width * Short.BYTES, numbers);
    }
  }

  private Room room() {
    Room made = room;
    if (made == null) {
      made = Room.of(width);
      room = made;
    }
    return made;
  }

  private void gather(MemorySegment rows, int[] places, int first, int many) {
    Room to = room();
    switch (format) {
      case FP32 -> gatherFloats(rows, places, first, many, to.floats());
      case FP16 -> gatherHalves(rows, places, first, many, to);
      case INT8 -> gatherBytes(rows, places, first, many, to);
    }
  }

  private void gatherFloats(MemorySegment rows, int[] places, int first, int many, float[] to) {
    for (int i = 0; i < many; i++) {
      int place = places[first + i];
      if (place >= 0) {
        MemorySegment.copy(rows, FLOAT, place * rowBytes, to, i * width, width);
      }
    }
  }

  private void gatherHalves(MemorySegment rows, int[] places, int first, int many, Room to) {
    for (int i = 0; i < many; i++) {
      int place = places[first + i];
      if (place >= 0) {
        MemorySegment.copy(rows, HALF, place * rowBytes, to.halves(), i * width, width);
      }
    }
    widen(to.halves(), many * width, to.floats());
  }

  private void gatherBytes(MemorySegment rows, int[] places, int first, int many, Room to) {
    for (int i = 0; i < many; i++) {
      int place = places[first + i];
      if (place >= 0) {
        long at = place * rowBytes;
        to.scales()[i] = rows.get(FLOAT, at);
        MemorySegment.copy(
            rows, ValueLayout.JAVA_BYTE, at + Float.BYTES, to.bytes(), i * width, width);
      }
    }
    widen(to.bytes(), many * width, to.floats());
    for (int i = 0; i < many; i++) {
      scale(to.floats(), i * width, width, to.scales()[i]);
    }
  }

  private static void widen(short[] halves, int count, float[] floats) {
    for (int i = 0; i < count; i++) {
      floats[i] = Float.float16ToFloat(halves[i]);
    }
  }

  private static void widen(byte[] bytes, int count, float[] floats) {
    for (int i = 0; i < count; i++) {
      floats[i] = bytes[i];
    }
  }

  private static void narrow(float[] floats, int count, short[] halves) {
    for (int i = 0; i < count; i++) {
      halves[i] = Float.floatToFloat16(floats[i]);
    }
  }

  private static void scale(float[] floats, int start, int count, float scale) {
    for (int i = start; i < start + count; i++) {
      floats[i] *= scale;
    }
  }
}
