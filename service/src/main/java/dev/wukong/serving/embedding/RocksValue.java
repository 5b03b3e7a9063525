package dev.wukong.serving.embedding;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A stored row's bytes: the version from which it holds (int64), then its floats, little-endian.
 * One thread; the array that {@link #of} gives is the same each time.
 */
final class RocksValue {
  private static final int HEADER = Long.BYTES;

  private final int width;
  private final ByteBuffer bytes;

  RocksValue(int width, long version) {
    this.width = width;
    this.bytes = ByteBuffer.allocate(bytes(width)).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(0, version);
  }

  /** Bytes of a row of {@code width} floats. */
  static int bytes(int width) {
    return HEADER + width * Float.BYTES;
  }

  /** The value of the row that begins at {@code offset}. */
  byte[] of(float[] rows, int offset) {
    bytes.position(HEADER).asFloatBuffer().put(rows, offset, width);
    return bytes.array();
  }

  /** The version from which a value's row holds. */
  static long version(byte[] value) {
    return ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
  }

  /** Puts a value's floats where row {@code row} of {@code to} is. */
  static void read(byte[] value, int width, float[] to, int row) {
    ByteBuffer.wrap(value)
        .order(ByteOrder.LITTLE_ENDIAN)
        .position(HEADER)
        .asFloatBuffer()
        .get(to, row * width, width);
  }
}
