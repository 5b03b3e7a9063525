package dev.wukong.serving.embedding;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/** Goes through the keys of a bundle's rows, wherever these are, in ascending order. One thread. */
final class RocksKeys implements AutoCloseable {
  private final List<RocksCursor> cursors = new ArrayList<>();

  /**
   * Begins with the least key from {@code from} on.
   *
   * @param sources those that count first
   */
  RocksKeys(RocksDB db, List<RocksSource> sources, long from) {
    boolean made = false;
    try {
      for (RocksSource source : sources) {
        cursors.add(new RocksCursor(db, source, from));
      }
      made = true;
    } finally {
      if (!made) {
        close();
      }
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
      for (RocksCursor cursor : cursors) {
        if (cursor.isValid()) {
          long key = cursor.key();
          // Of two with the same row the first counts.
          if (!more || key < least) {
            least = key;
            removed = RocksSource.isRemoved(cursor.value());
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
    for (RocksCursor cursor : cursors) {
      cursor.check();
    }
    return Arrays.copyOf(found, count);
  }

  private void passOver(long key) {
    for (RocksCursor cursor : cursors) {
      if (cursor.isValid() && cursor.key() == key) {
        cursor.next();
      }
    }
  }

  @Override
  public void close() {
    cursors.forEach(RocksCursor::close);
  }
}
