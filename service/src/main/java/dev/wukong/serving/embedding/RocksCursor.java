package dev.wukong.serving.embedding;

import org.jspecify.annotations.Nullable;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;

/** The rows of a bundle in one source that are still to come, by ascending key. One thread. */
final class RocksCursor implements AutoCloseable {
  private final @Nullable Slice end;

  // Whoever goes through all rows must not push out those that are asked for.
  private final ReadOptions options = new ReadOptions().setFillCache(false);

  private final RocksIterator rows;

  /** Begins with the first row whose key is {@code from} or above. */
  RocksCursor(RocksDB db, RocksSource source, long from) {
    byte[] bound = source.end();
    end = bound == null ? null : new Slice(bound);
    if (end != null) {
      options.setIterateUpperBound(end);
    }
    rows = db.newIterator(source.family(), options);
    rows.seek(source.key(from));
  }

  /** Whether there is one more. */
  boolean isValid() {
    return rows.isValid();
  }

  /** The row's key. */
  long key() {
    return StoreKeys.rowKey(rows.key());
  }

  /** The row's value. */
  byte[] value() {
    return rows.value();
  }

  void next() {
    rows.next();
  }

  /** Whether it has ended because there are no more. */
  void check() throws RocksDBException {
    rows.status();
  }

  @Override
  public void close() {
    rows.close();
    options.close();
    if (end != null) {
      end.close();
    }
  }
}
