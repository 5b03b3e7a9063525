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
    for (StateChange change : changes) {
      byte[] bundle = prefix(view, change.kind());
      switch (change) {
        case StateChange.Put put ->
            batch.put(states, key(bundle, put.kind(), put.key()), put.value());
        case StateChange.Remove remove ->
            batch.delete(states, key(bundle, remove.kind(), remove.key()));
        case StateChange.RemoveBelow below ->
            batch.deleteRange(
                states, begin(bundle, below.kind()), key(bundle, below.kind(), below.end()));
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
    byte[] bundle = prefix(view, kind);
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
    forEach(view, kind, 0, Long.MAX_VALUE, receiver);
  }

  /** At most so many of a kind, by key from {@code first} on. */
  void forEach(
      RowsView view, StateKind kind, long first, long most, StateStore.StateReceiver receiver)
      throws RocksDBException {
    byte[] bundle = prefix(view, kind);
    long left = most;
    try (Slice end = new Slice(end(bundle, kind));
        ReadOptions options = new ReadOptions().setIterateUpperBound(end).setFillCache(false);
        RocksIterator found = db.newIterator(states, options)) {
      for (found.seek(key(bundle, kind, first)); found.isValid() && left > 0; found.next()) {
        byte[] key = found.key();
        receiver.accept(ByteBuffer.wrap(key).getLong(key.length - Long.BYTES), found.value());
        left--;
      }
      found.status();
    }
  }

  private static byte[] prefix(RowsView view, StateKind kind) {
    return new StoreKeys(kind.owner(view)).bundlePrefix();
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
