package dev.wukong.serving.events;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Where a prediction stands, as a RocksDB keeps it: by id, big-endian, thus by time. */
record RocksEventPlace(long position, int candidates, String model) {
  private static final int MODEL = Long.BYTES + Integer.BYTES;

  /** Above all keys. */
  static final byte[] END = new byte[PredictionId.BYTES + 1];

  static {
    Arrays.fill(END, (byte) 0xFF);
  }

  /** The key of {@code id}. */
  static byte[] key(PredictionId id) {
    return id.bytes();
  }

  /** The least key of those that are made at {@code ms} or later. */
  static byte[] firstKey(long ms) {
    return key(PredictionId.first(ms));
  }

  byte[] bytes() {
    byte[] name = model.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(MODEL + name.length)
        .putLong(position)
        .putInt(candidates)
        .put(name)
        .array();
  }

  static RocksEventPlace of(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    long position = in.getLong();
    int candidates = in.getInt();
    String model = new String(bytes, MODEL, bytes.length - MODEL, StandardCharsets.UTF_8);
    return new RocksEventPlace(position, candidates, model);
  }
}
