package dev.wukong.serving.embedding;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Consumer;
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
  private final List<RocksSource> sources;
  private final RowsView view;
  private final Snapshot snapshot;
  private final ReadOptions options;
  private final Consumer<RocksReader> closes;

  /** Held for writing by who closes, so that nobody reads meanwhile. */
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

  /** Guarded by {@link #lock}. */
  private boolean closed;

  /**
   * As they are now.
   *
   * @param sources where the bundle's rows are, those that count first
   * @param closes told once when this is closed
   */
  RocksReader(RocksDB db, List<RocksSource> sources, RowsView view, Consumer<RocksReader> closes) {
    this.closes = closes;
    this.db = db;
    this.sources = sources;
    this.view = view;
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
    // Positions in the caller's order of the rows that no source has had so far.
    int[] left = new int[count];
    for (int i = 0; i < count; i++) {
      left[i] = i;
    }
    try {
      int many = count;
      for (RocksSource source : sources) {
        many = many == 0 ? 0 : readFrom(source, width, keys, left, many, out, fates);
      }
      for (int i = 0; i < many; i++) {
        fates[left[i]] = RowFate.ABSENT;
      }
    } catch (RocksDBException e) {
      throw new StoreException("reading %d rows failed: %s".formatted(count, e.getMessage()), e);
    }
  }

  /** Reads the first {@code many} of {@code left}; returns how many of them are left then. */
  private int readFrom(
      RocksSource source,
      int width,
      long[] keys,
      int[] left,
      int many,
      float[] out,
      RowFate[] fates)
      throws RocksDBException {
    List<byte[]> wanted = new ArrayList<>(many);
    for (int i = 0; i < many; i++) {
      wanted.add(source.key(keys[left[i]]));
    }
    List<byte[]> values =
        db.multiGetAsList(options, Collections.nCopies(many, source.family()), wanted);
    int still = 0;
    for (int i = 0; i < many; i++) {
      int at = left[i];
      byte[] value = values.get(i);
      if (value == null) {
        left[still++] = at;
      } else if (RocksSource.isRemoved(value)) {
        fates[at] = RowFate.ABSENT;
      } else {
        RocksValue.read(keys[at], value, width, view.version(), out, at);
        fates[at] = RowFate.FOUND;
      }
    }
    return still;
  }

  /** Whether it reads rows of the bundle of {@code other}. */
  boolean reads(RowsView other) {
    return view.imported().equals(other.imported());
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
