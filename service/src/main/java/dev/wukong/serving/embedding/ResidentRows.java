package dev.wukong.serving.embedding;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalListener;
import dev.wukong.data.RowKey;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one group that are in memory, and what decides which those are. Readers go to the
 * {@link #table} alone; Caffeine, which sees what was missing and a sample of what was read, says
 * what has to leave for what came in.
 *
 * <p>Reading each row through the cache would cost several times what the table does, and the keys
 * boxed. Any thread may call any method; writers wait for each other.
 */
final class ResidentRows implements AutoCloseable {
  /** Bytes that the cache takes for a key: its box, its entry and the map's. */
  private static final int BRAIN = 104;

  /** Rows that are brought in before what has left is given back. */
  private static final int ROUND = 256;

  private final ResidentTable table;
  private final int most;

  /** The keys of rows that may leave; null where all stay. The writer's. */
  private final @Nullable Cache<Long, Boolean> brain;

  private final ReentrantLock writer = new ReentrantLock();
  private final AtomicInteger turn = new AtomicInteger();

  /** What commits have changed since the oldest version that anybody reads at. The writer's. */
  private final ChangedKeys changes = new ChangedKeys();

  /** The writer's. */
  private boolean closed;

  /**
   * No rows yet.
   *
   * @param format how rows are kept
   * @param width numbers a row
   * @param most rows that may be here, the pinned ones not counted
   * @param pinned rows that always stay
   * @param whole whether there is room for all rows that there are, so that none ever leaves
   * @param tables names of all tables, by ordinal
   * @param meters count those that leave
   */
  ResidentRows(
      RowFormat format,
      int width,
      int most,
      int pinned,
      boolean whole,
      List<String> tables,
      RowMeters meters) {
    this.most = most;
    this.table = new ResidentTable(format, width, Math.addExact(slots(most, whole), pinned));
    this.brain =
        whole
            ? null
            : Caffeine.newBuilder()
                .maximumSize(most)
                .executor(Runnable::run)
                .evictionListener(leave(table, tables, meters))
                .build();
  }

  private static RemovalListener<Long, Boolean> leave(
      ResidentTable table, List<String> tables, RowMeters meters) {
    return (key, _, _) -> {
      if (key != null) {
        table.evict(key);
        meters.evicted(tables.get(RowKey.table(key)));
      }
    };
  }

  /** Those that have left take room until their last readers have gone. */
  private static int slots(int most, boolean whole) {
    return whole ? most : Math.addExact(most, ROUND + most / 32);
  }

  /** Bytes that this takes at most. */
  static long bytes(RowFormat format, int width, int most, int pinned, boolean whole) {
    int slots = Math.addExact(slots(most, whole), pinned);
    long bytes = ResidentTable.bytes(format, width, slots);
    // While the index is made anew there are two of them.
    return whole ? bytes : bytes + RowIndex.bytes(slots) + (long) most * BRAIN;
  }

  /** Bytes that this takes now. */
  long bytes() {
    return table.usedBytes() + (brain == null ? 0 : brain.estimatedSize() * BRAIN);
  }

  /** Bytes of that for the rows of the table with this ordinal. */
  long bytes(int ordinal) {
    return table.usedBytes(ordinal) + (brain == null ? 0L : (long) table.rows(ordinal) * BRAIN);
  }

  /** Where readers find rows. */
  ResidentTable table() {
    return table;
  }

  /** Whether rows leave when others come, so that it is of use to say which were {@link #read}. */
  boolean changes() {
    return brain != null;
  }

  /** Counts who reads here, so that each gives another sample of the rows that it read. */
  int nextTurn() {
    return turn.getAndIncrement();
  }

  /** Adds a row that never leaves; its place. */
  int pin(long key, float[] row) {
    writer.lock();
    try {
      return table.add(key, 0, row, 0);
    } finally {
      writer.unlock();
    }
  }

  /** Adds rows while there is room; whether all found some. */
  boolean fill(long[] keys, int count, float[] rows) {
    writer.lock();
    try {
      boolean room = true;
      for (int i = 0; i < count; i++) {
        if (brain != null && brain.estimatedSize() >= most) {
          return false;
        }
        if (table.add(keys[i], 0, rows, i * table.width()) == ResidentTable.NONE) {
          room = false;
        } else if (brain != null) {
          brain.put(keys[i], true);
        }
      }
      return room;
    } finally {
      writer.unlock();
    }
  }

  /**
   * Takes rows in that were missing, as the store had them at the version of its readers; others
   * leave for them, or they themselves, as the cache thinks best. What has changed since is left
   * out.
   *
   * @param fates what became of row i; that there is none is remembered likewise
   * @param rows row i at {@code i * width}
   * @param oldest the lowest version at which anybody reads
   */
  void keep(long[] keys, RowFate[] fates, float[] rows, int version, int oldest) {
    if (brain == null) {
      return;
    }
    writer.lock();
    try {
      for (int i = 0; i < keys.length && !closed; i++) {
        if (!changes.after(version, keys[i])
            && keep(keys[i], fates[i], rows, i * table.width(), version)) {
          brain.put(keys[i], true);
        }
        if (i % ROUND == ROUND - 1) {
          table.reclaim(oldest);
        }
      }
      if (!closed) {
        table.reclaim(oldest);
      }
    } finally {
      writer.unlock();
    }
  }

  /** Whether the row, or that there is none, is known here now. */
  private boolean keep(long key, RowFate fate, float[] rows, int offset, int version) {
    return switch (fate) {
      case UNREAD -> false;
      case ABSENT ->
          table.find(key, version) != ResidentTable.NONE || table.setAbsent(key, version);
      case FOUND ->
          table.find(key, version) != ResidentTable.NONE
              || table.add(key, version, rows, offset) != ResidentTable.NONE;
    };
  }

  /**
   * Puts changes beside what is here of their keys; rows that are not here stay away. Who reads at
   * a lower version does not see them.
   *
   * @param oldest the lowest version at which anybody reads
   */
  void commit(int version, RowCommit.Changes commit, int oldest) {
    writer.lock();
    try {
      // First, so that nothing older comes in behind it.
      changes.add(version, commit.keys(), commit.removed(), oldest);
      for (int i = 0; i < commit.keys().length; i++) {
        long key = commit.keys()[i];
        if (known(key) && !table.set(key, version, commit.rows(), i * table.width())) {
          forget(key);
        }
        if (i % ROUND == ROUND - 1) {
          table.reclaim(oldest);
        }
      }
      for (long key : commit.removed()) {
        if (known(key) && !table.setAbsent(key, version)) {
          forget(key);
        }
      }
      table.reclaim(oldest);
    } finally {
      writer.unlock();
    }
  }

  private boolean known(long key) {
    return table.find(key, Integer.MAX_VALUE) != ResidentTable.NONE;
  }

  private void forget(long key) {
    if (brain != null) {
      brain.invalidate(key);
    }
  }

  /** Rows that may be here, the pinned ones not counted. */
  int most() {
    return most;
  }

  /** Keys of rows that are here, those asked for most first; none where all stay anyway. */
  long[] hottest(int most) {
    if (brain == null) {
      return new long[0];
    }
    writer.lock();
    try {
      return brain.policy().eviction().orElseThrow().hottest(most).keySet().stream()
          .mapToLong(Long::longValue)
          .toArray();
    } finally {
      writer.unlock();
    }
  }

  /** Gives back what nobody reads from {@code oldest} on. */
  void reclaim(int oldest) {
    writer.lock();
    try {
      if (!closed) {
        table.reclaim(oldest);
      }
    } finally {
      writer.unlock();
    }
  }

  /** Says that these rows were read: a sample is enough. */
  void read(long[] keys, int count) {
    if (brain == null) {
      return;
    }
    writer.lock();
    try {
      for (int i = 0; i < count && !closed; i++) {
        Boolean _ = brain.getIfPresent(keys[i]);
      }
    } finally {
      writer.unlock();
    }
  }

  @Override
  public void close() {
    writer.lock();
    try {
      closed = true;
      table.close();
    } finally {
      writer.unlock();
    }
  }
}
