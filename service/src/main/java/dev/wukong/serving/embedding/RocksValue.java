package dev.wukong.serving.embedding;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A stored row's bytes: the version from which it holds and how it is kept (int64, little-endian:
 * the lower 56 bits and those above), then the row. So rows of several formats may lie side by
 * side. One thread; the array that {@link #of} gives is the same each time.
 */
final class RocksValue {
  private static final int HEADER = Long.BYTES;
  private static final int FORMAT_SHIFT = 56;
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final RowFormat format;
  private final int width;
  private final byte[] bytes;
  private final MemorySegment segment;

  RocksValue(RowFormat format, int width, long version) {
    this.format = format;
    this.width = width;
    this.bytes = new byte[HEADER + format.bytes(width)];
    this.segment = MemorySegment.ofArray(bytes);
    segment.set(LONG, 0, version | (long) format.code() << FORMAT_SHIFT);
  }

  /** The value of the row that begins at {@code offset}. */
  byte[] of(float[] rows, int offset) {
    format.keep(rows, offset, width, segment, HEADER);
    return bytes;
  }

  /**
   * Puts a value's numbers where row {@code row} of {@code to} is.
   *
   * @param key whose value it is
   * @param newest the newest version that may be read
   * @throws StoreException if it is none of this width, or newer
   */
  static void read(long key, byte[] value, int width, long newest, float[] to, int row) {
    if (value.length < HEADER) {
      throw new StoreException("row %d has %d bytes".formatted(key, value.length), null);
    }
    MemorySegment from = MemorySegment.ofArray(value);
    long header = from.get(LONG, 0);
    RowFormat format = RowFormat.of((int) (header >>> FORMAT_SHIFT), key);
    int needed = HEADER + format.bytes(width);
    if (value.length != needed) {
      throw new StoreException(
          "row %d has %d bytes, width %d in %s needs %d"
              .formatted(key, value.length, width, format, needed),
          null);
    }
    long version = header & ((1L << FORMAT_SHIFT) - 1);
    if (version > newest) {
      throw new StoreException(
          "row %d is of version %d, and %d is the newest that may be read"
              .formatted(key, version, newest),
          null);
    }
    format.floats(from, HEADER, width, MemorySegment.ofArray(to), (long) row * width * Float.BYTES);
  }
}
