package dev.wukong.serving.embedding;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A stored row's bytes: the row from its newest version on, then what was before. Each part is the
 * version from which it holds (int64), how many bytes its row has (int32; -1: there is no row), and
 * the row's floats, all little-endian. Only the newest version where nothing is known of what was
 * before. {@link RedisScripts} puts parts together, and reads their first two numbers.
 */
final class RedisValue {
  private static final int HEADER = Long.BYTES + Integer.BYTES;
  private static final int NO_ROW = -1;

  /** A script's numbers hold integers up to this. */
  static final long MAX_VERSION = (1L << 53) - 1;

  private RedisValue() {}

  /** Bytes of a row of {@code width} floats. */
  private static int bytes(int width) {
    return width * Float.BYTES;
  }

  /** The part of a row that begins at {@code offset}. */
  static byte[] encode(long version, int width, float[] rows, int offset) {
    byte[] part = new byte[HEADER + bytes(width)];
    header(part, version, bytes(width)).asFloatBuffer().put(rows, offset, width);
    return part;
  }

  /** The part of a row that is no more. */
  static byte[] removed(long version) {
    byte[] part = new byte[HEADER];
    ByteBuffer _ = header(part, version, NO_ROW);
    return part;
  }

  private static ByteBuffer header(byte[] part, long version, int length) {
    return ByteBuffer.wrap(part).order(ByteOrder.LITTLE_ENDIAN).putLong(version).putInt(length);
  }

  /**
   * Puts the floats that are seen at {@code version} where row {@code row} of {@code to} is.
   *
   * @return UNREAD where both versions are newer
   * @throws StoreException if the row has another width, or this is no value
   */
  static RowFate decode(long key, byte[] value, long version, int width, float[] to, int row) {
    ByteBuffer parts = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    while (parts.remaining() >= HEADER) {
      boolean seen = parts.getLong() <= version;
      int length = parts.getInt();
      if (length < NO_ROW || length > parts.remaining()) {
        throw new StoreException(
            "row %d is damaged: %d bytes, of which %d are left for %d"
                .formatted(key, value.length, parts.remaining(), length),
            null);
      }
      if (seen && length == NO_ROW) {
        return RowFate.ABSENT;
      }
      if (length != NO_ROW && length != bytes(width)) {
        throw new StoreException(
            "row %d has %d bytes, width %d needs %d".formatted(key, length, width, bytes(width)),
            null);
      }
      if (seen) {
        parts.asFloatBuffer().get(to, row * width, width);
        return RowFate.FOUND;
      }
      parts.position(parts.position() + Math.max(0, length));
    }
    if (parts.hasRemaining() || value.length == 0) {
      throw new StoreException("row %d is damaged: %d bytes".formatted(key, value.length), null);
    }
    return RowFate.UNREAD;
  }
}
