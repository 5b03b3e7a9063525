package dev.wukong.serving.embedding;

import java.util.Arrays;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/** The rows that a bundle may share, beside those of the bundle as they come. One thread. */
final class RocksBase implements AutoCloseable {
  /** Takes what the bundle has not and the other has. */
  @FunctionalInterface
  interface Missing {
    void accept(long key) throws RocksDBException;
  }

  // They are read once, from the first to the last; those that are asked for must stay.
  private final ReadOptions options = new ReadOptions().setFillCache(false);
  private final RocksIterator rows;
  private final Missing missing;

  /** Begins after the row with the key {@code after}. */
  RocksBase(RocksDB db, ColumnFamilyHandle layer, long after, Missing missing) {
    rows = db.newIterator(layer, options);
    rows.seek(StoreKeys.layer(after + 1));
    this.missing = missing;
  }

  /** Whether the row is there with this value. Keys must ascend. */
  boolean has(long key, byte[] value) throws RocksDBException {
    pass(key);
    if (!rows.isValid() || key() != key) {
      rows.status();
      return false;
    }
    boolean same = Arrays.equals(rows.value(), value);
    rows.next();
    return same;
  }

  /** Says that no more rows come. */
  void end() throws RocksDBException {
    while (rows.isValid()) {
      missing.accept(key());
      rows.next();
    }
    rows.status();
  }

  private void pass(long key) throws RocksDBException {
    while (rows.isValid() && key() < key) {
      missing.accept(key());
      rows.next();
    }
  }

  private long key() {
    return StoreKeys.rowKey(rows.key());
  }

  @Override
  public void close() {
    rows.close();
    options.close();
  }
}
