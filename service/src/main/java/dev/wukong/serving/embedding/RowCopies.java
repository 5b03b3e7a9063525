package dev.wukong.serving.embedding;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * Copies many rows of a table at once. As another type of number than they are kept as they are
 * gathered in arrays first, where the compiler makes one instruction of many numbers, as it does
 * not in memory outside the heap. One thread.
 */
final class RowCopies {
  /** Rows that are gathered before they are converted. */
  private static final int BLOCK = 32;

  /** Bytes that the processor fetches at once. Of longer rows it sees itself what comes next. */
  private static final int LINE = 64;

  private final MemorySegment rows;
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

  /**
   * Copies of {@code rows}, which lie side by side; they take no room before they are converted.
   *
   * @param width numbers a row
   */
  RowCopies(MemorySegment rows, RowFormat format, int width) {
    this.rows = rows;
    this.format = format;
    this.width = width;
    this.rowBytes = format.bytes(width);
  }

  /**
   * Copies rows side by side in single precision.
   *
   * @param places of the first {@code count} rows; where one is negative there is no row, and it
   *     does not matter what is written
   * @param to receives them from byte {@code at} on
   */
  void floats(int[] places, int count, MemorySegment to, long at) {
    touch(places, count);
    if (format == RowFormat.FP32) {
      asKept(places, count, to, at);
      return;
    }
    float[] floats = room().floats();
    for (int first = 0; first < count; first += BLOCK) {
      int many = Math.min(BLOCK, count - first);
      gather(places, first, many);
      long start = at + (long) first * width * Float.BYTES;
      MemorySegment.copy(floats, 0, to, RowFormat.FLOAT, start, many * width);
    }
  }

  /** The same in half precision. */
  void halves(int[] places, int count, MemorySegment to, long at) {
    touch(places, count);
    if (format == RowFormat.FP16) {
      asKept(places, count, to, at);
      return;
    }
    Room room = room();
    for (int first = 0; first < count; first += BLOCK) {
      int many = Math.min(BLOCK, count - first);
      gather(places, first, many);
      int numbers = many * width;
      narrow(room.floats(), numbers, room.halves());
      long start = at + (long) first * width * Short.BYTES;
      MemorySegment.copy(room.halves(), 0, to, RowFormat.HALF, start, numbers);
    }
  }

  /** While one call copies, the processor does not get to the rows after it. */
  private void touch(int[] places, int count) {
    if (rowBytes <= LINE) {
      long seen = 0;
      for (int i = 0; i < count; i++) {
        seen += rows.get(ValueLayout.JAVA_BYTE, Math.max(0, places[i]) * rowBytes);
      }
      ReadAhead.use(seen);
    }
  }

  private void asKept(int[] places, int count, MemorySegment to, long at) {
    for (int i = 0; i < count; i++) {
      if (places[i] >= 0) {
        MemorySegment.copy(rows, places[i] * rowBytes, to, at + i * rowBytes, rowBytes);
      }
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

  private void gather(int[] places, int first, int many) {
    Room to = room();
    switch (format) {
      case FP32 -> gatherFloats(places, first, many, to.floats());
      case FP16 -> gatherHalves(places, first, many, to);
      case INT8 -> gatherBytes(places, first, many, to);
    }
  }

  private void gatherFloats(int[] places, int first, int many, float[] to) {
    for (int i = 0; i < many; i++) {
      int place = places[first + i];
      if (place >= 0) {
        MemorySegment.copy(rows, RowFormat.FLOAT, place * rowBytes, to, i * width, width);
      }
    }
  }

  private void gatherHalves(int[] places, int first, int many, Room to) {
    for (int i = 0; i < many; i++) {
      int place = places[first + i];
      if (place >= 0) {
        MemorySegment.copy(rows, RowFormat.HALF, place * rowBytes, to.halves(), i * width, width);
      }
    }
    widen(to.halves(), many * width, to.floats());
  }

  private void gatherBytes(int[] places, int first, int many, Room to) {
    for (int i = 0; i < many; i++) {
      int place = places[first + i];
      if (place >= 0) {
        long at = place * rowBytes;
        to.scales()[i] = rows.get(RowFormat.FLOAT, at);
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
