package dev.wukong.serving.embedding;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;
import org.rocksdb.WriteBatch;

/**
 * What training remembers, in a RocksDB: the bundle, the kind and the key, big-endian, so that a
 * kind lies together. Any thread.
 */
record RocksStates(RocksDB db, ColumnFamilyHandle states) {
  /** Has {@code batch} make these changes. */
  void add(WriteBatch batch, RowsView view, List<StateChange> changes) throws RocksDBException {
    byte[] bundle = new StoreKeys(view).bundlePrefix();
    for (StateChange change : changes) {
      switch (change) {
        case StateChange.Put put ->
            batch.put(states, key(bundle, put.kind(), put.key()), put.value());
        case StateChange.Remove remove ->
            batch.delete(states, key(bundle, remove.kind(), remove.key()));
        case StateChange.Clear clear ->
            batch.deleteRange(states, begin(bundle, clear.kind()), end(bundle, clear.kind()));
      }
    }
  }

  /** The values of {@code keys}; null where there is none. */
  List<byte @Nullable []> read(RowsView view, StateKind kind, long[] keys) throws RocksDBException {
    if (keys.length == 0) {
      return List.of(); // RocksDB takes no question without a key.
    }
    byte[] bundle = new StoreKeys(view).bundlePrefix();
    List<byte[]> wanted = new ArrayList<>(keys.length);
    for (long key : keys) {
      wanted.add(key(bundle, kind, key));
    }
    // Whoever goes through all rows must not push out those that are asked for.
    try (ReadOptions once = new ReadOptions().setFillCache(false)) {
      return new ArrayList<byte @Nullable []>(
          db.multiGetAsList(once, Collections.nCopies(keys.length, states), wanted));
    }
  }

  /** All of a kind, by key. */
  void forEach(RowsView view, StateKind kind, StateStore.StateReceiver receiver)
      throws RocksDBException {
    byte[] bundle = new StoreKeys(view).bundlePrefix();
    try (Slice end = new Slice(end(bundle, kind));
        ReadOptions options = new ReadOptions().setIterateUpperBound(end).setFillCache(false);
        RocksIterator found = db.newIterator(states, options)) {
      for (found.seek(begin(bundle, kind)); found.isValid(); found.next()) {
        byte[] key = found.key();
        receiver.accept(ByteBuffer.wrap(key).getLong(key.length - Long.BYTES), found.value());
      }
      found.status();
    }
  }

  private static byte[] begin(byte[] bundle, StateKind kind) {
    return ByteBuffer.allocate(bundle.length + 1).put(bundle).put(kind.code()).array();
  }

  /** The least key above all of the kind. */
  private static byte[] end(byte[] bundle, StateKind kind) {
    return ByteBuffer.allocate(bundle.length + 1).put(bundle).put((byte) (kind.code() + 1)).array();
  }

  private static byte[] key(byte[] bundle, StateKind kind, long key) {
    return ByteBuffer.allocate(bundle.length + 1 + Long.BYTES)
        .put(bundle)
        .put(kind.code())
        .putLong(key)
        .array();
  }
}
