package dev.wukong.serving.embedding;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Consumer;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.Snapshot;

/**
 * Reads a bundle's rows from a RocksDB as they were when this was made. Closed by its owner, or
 * with the store, whichever is first: a snapshot must not be touched without its database.
 */
final class RocksReader implements RowReader {
  private final RocksDB db;
  private final ColumnFamilyHandle rows;
  private final RowsView view;
  private final StoreKeys storeKeys;
  private final Snapshot snapshot;
  private final ReadOptions options;
  private final Consumer<RocksReader> closes;

  /** Held for writing by who closes, so that nobody reads meanwhile. */
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

  /** Guarded by {@link #lock}. */
  private boolean closed;

  /**
   * As {@code rows} are now.
   *
   * @param closes told once when this is closed
   */
  RocksReader(RocksDB db, ColumnFamilyHandle rows, RowsView view, Consumer<RocksReader> closes) {
    this.closes = closes;
    this.db = db;
    this.rows = rows;
    this.view = view;
    this.storeKeys = new StoreKeys(view);
    this.snapshot = db.getSnapshot();
    this.options = new ReadOptions().setSnapshot(snapshot);
  }

  @Override
  public void read(int width, long[] keys, int count, float[] out, RowFate[] fates) {
    lock.readLock().lock();
    try {
      if (closed) {
        throw new StoreException("the row store is closed", null);
      }
      readOpen(width, keys, count, out, fates);
    } finally {
      lock.readLock().unlock();
    }
  }

  private void readOpen(int width, long[] keys, int count, float[] out, RowFate[] fates) {
    List<byte[]> wanted = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      wanted.add(storeKeys.row(keys[i]));
    }
    List<byte[]> values;
    try {
      values = db.multiGetAsList(options, Collections.nCopies(count, rows), wanted);
    } catch (RocksDBException e) {
      throw new StoreException("reading %d rows failed: %s".formatted(count, e.getMessage()), e);
    }
    for (int i = 0; i < count; i++) {
      byte[] value = values.get(i);
      fates[i] = value == null ? RowFate.ABSENT : RowFate.FOUND;
      if (value != null) {
        RocksValue.read(keys[i], value, width, view.version(), out, i);
      }
    }
  }

  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      options.close();
      db.releaseSnapshot(snapshot);
    } finally {
      lock.writeLock().unlock();
    }
    closes.accept(this);
  }
}
