package dev.wukong.serving.embedding;

import java.util.Arrays;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/** The rows that a bundle may share, beside those of the bundle as they come. One thread. */
final class RocksBase implements AutoCloseable {
  private final RocksCursor rows;
  private final RocksMissing missing;

  /** Begins after the row with the key {@code after}. */
  RocksBase(RocksDB db, ColumnFamilyHandle layer, long after, RocksMissing missing) {
    rows = new RocksCursor(db, new RocksSource(layer, null), after + 1);
    this.missing = missing;
  }

  /** Whether the row is there with this value. Keys must ascend. */
  boolean has(long key, byte[] value) throws RocksDBException {
    pass(key);
    if (!rows.isValid() || rows.key() != key) {
      rows.check();
      return false;
    }
    boolean same = Arrays.equals(rows.value(), value);
    rows.next();
    return same;
  }

  /** Says that no more rows come. */
  void end() throws RocksDBException {
    while (rows.isValid()) {
      missing.accept(rows.key());
      rows.next();
    }
    rows.check();
  }

  private void pass(long key) throws RocksDBException {
    while (rows.isValid() && rows.key() < key) {
      missing.accept(rows.key());
      rows.next();
    }
  }

  @Override
  public void close() {
    rows.close();
  }
}
