package dev.wukong.serving.embedding;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;

/** Goes through the keys of a bundle's rows, wherever these are, in ascending order. One thread. */
final class RocksKeys implements AutoCloseable {
  /** The rows of one source that are still to come. */
  private static final class Cursor implements AutoCloseable {
    private final @Nullable Slice end;

    // Whoever goes through all rows must not push out those that are asked for.
    private final ReadOptions options = new ReadOptions().setFillCache(false);

    private final RocksIterator rows;

    Cursor(RocksDB db, RocksSource source, long from) {
      byte[] bound = source.end();
      end = bound == null ? null : new Slice(bound);
      if (end != null) {
        options.setIterateUpperBound(end);
      }
      rows = db.newIterator(source.family(), options);
      rows.seek(source.key(from));
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

  private final List<Cursor> cursors = new ArrayList<>();

  /**
   * Begins with the least key from {@code from} on.
   *
   * @param sources those that count first
   */
  RocksKeys(RocksDB db, List<RocksSource> sources, long from) {
    for (RocksSource source : sources) {
      cursors.add(new Cursor(db, source, from));
    }
  }

  /** The next {@code most} keys, or fewer where there are no more. */
  long[] next(int most) throws RocksDBException {
    long[] found = new long[most];
    int count = 0;
    boolean more = true;
    while (more && count < most) {
      more = false;
      long least = Long.MAX_VALUE;
      boolean removed = false;
      for (Cursor cursor : cursors) {
        if (cursor.rows.isValid()) {
          long key = StoreKeys.rowKey(cursor.rows.key());
          // Of two with the same row the first counts.
          if (!more || key < least) {
            least = key;
            removed = RocksSource.isRemoved(cursor.rows.value());
          }
          more = true;
        }
      }
      if (more) {
        passOver(least);
        if (!removed) {
          found[count++] = least;
        }
      }
    }
    for (Cursor cursor : cursors) {
      cursor.rows.status();
    }
    return Arrays.copyOf(found, count);
  }

  private void passOver(long key) {
    for (Cursor cursor : cursors) {
      if (cursor.rows.isValid() && StoreKeys.rowKey(cursor.rows.key()) == key) {
        cursor.rows.next();
      }
    }
  }

  @Override
  public void close() {
    cursors.forEach(Cursor::close);
  }
}
