package dev.wukong.serving.events;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * Where an event's bytes are read to, again and again: a request has tens of thousands, and an
 * array for each would have the collector stop answers twice as often. Only who holds its monitor.
 */
final class RocksReadRoom {
  private static final int FIRST = 1 << 16;

  private byte[] bytes = new byte[FIRST];

  /** Reads a value. */
  interface RocksReading {
    /** As much of it as there is room for; its whole size, less than 0 where there is none. */
    int into(byte[] to) throws RocksDBException;
  }

  /** The value, from the first byte to the limit, until the next is read; null: there is none. */
  @Nullable ByteBuffer read(RocksReading reading) throws RocksDBException {
    int size = reading.into(bytes);
    if (size > bytes.length) {
      bytes = new byte[Math.max(size, 2 * bytes.length)];
      size = reading.into(bytes);
    }
    return size < 0 ? null : ByteBuffer.wrap(bytes, 0, size);
  }
}
