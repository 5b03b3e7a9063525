package dev.wukong.serving.embedding;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The bytes of a stored row's key: the model's name with its length before it, then big-endian the
 * bundle, the shard and the row key (table and id), so that a bundle's rows lie together, a shard's
 * inside them, in the order of table and id.
 */
final class StoreKeys {
  private static final int ROW_KEY = Long.BYTES;
  private static final int SHARD = Short.BYTES;

  private final byte[] bundle;

  StoreKeys(RowsView view) {
    byte[] name = view.model().getBytes(StandardCharsets.UTF_8);
    bundle =
        ByteBuffer.allocate(1 + name.length + Long.BYTES)
            .put((byte) name.length)
            .put(name)
            .putLong(view.bundle())
            .array();
  }

  /** The bundle, as imported, that a key made here belongs to. */
  static RowsView view(byte[] key) {
    int length = key[0];
    String model = new String(key, 1, length, StandardCharsets.UTF_8);
    return new RowsView(model, ByteBuffer.wrap(key).getLong(1 + length), 0);
  }

  /** Whether {@code key} is one of the bundle's. */
  boolean owns(byte[] key) {
    return key.length >= bundle.length
        && Arrays.equals(key, 0, bundle.length, bundle, 0, bundle.length);
  }

  /** What every key of the bundle begins with. */
  byte[] bundlePrefix() {
    return bundle.clone();
  }

  /** The least key above all that begin with {@link #bundlePrefix}. */
  byte[] bundleEnd() {
    return ByteBuffer.wrap(bundlePrefix())
        .putLong(bundle.length - Long.BYTES, bundleNumber() + 1)
        .array();
  }

  private long bundleNumber() {
    return ByteBuffer.wrap(bundle).getLong(bundle.length - Long.BYTES);
  }

  /** The key of one row. All rows are in shard 0: one process holds them all. */
  byte[] row(long rowKey) {
    return ByteBuffer.allocate(bundle.length + SHARD + ROW_KEY)
        .put(bundle)
        .putShort((short) 0)
        .putLong(rowKey)
        .array();
  }

  /** The key of one row where all rows are of one bundle. */
  static byte[] layer(long rowKey) {
    return ByteBuffer.allocate(ROW_KEY).putLong(rowKey).array();
  }

  /** The row key in a key that {@link #row} or {@link #layer} made. */
  static long rowKey(byte[] key) {
    return ByteBuffer.wrap(key).getLong(key.length - ROW_KEY);
  }
}
