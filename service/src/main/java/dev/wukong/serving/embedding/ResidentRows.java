package dev.wukong.serving.embedding;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalListener;
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

  /** The writer's. */
  private boolean closed;

  /**
   * No rows yet.
   *
   * @param width floats a row
   * @param most rows that may be here, the pinned ones not counted
   * @param pinned rows that always stay
   * @param whole whether there is room for all rows that there are, so that none ever leaves
   * @param meters count those that leave
   */
  ResidentRows(int width, int most, int pinned, boolean whole, RowMeters meters) {
    this.most = most;
    this.table = new ResidentTable(width, Math.addExact(slots(most, whole), pinned));
    this.brain =
        whole
            ? null
            : Caffeine.newBuilder()
                .maximumSize(most)
                .executor(Runnable::run)
                .evictionListener(leave(table, meters))
                .build();
  }

  private static RemovalListener<Long, Boolean> leave(ResidentTable table, RowMeters meters) {
    return (key, _, _) -> {
      if (key != null) {
        table.evict(key);
        meters.evicted();
      }
    };
  }

  /** Those that have left take room until their last readers have gone. */
  private static int slots(int most, boolean whole) {
    return whole ? most : Math.addExact(most, ROUND + most / 32);
  }

  /** Bytes that this takes at most. */
  static long bytes(int width, int most, int pinned, boolean whole) {
    int slots = Math.addExact(slots(most, whole), pinned);
    long bytes = ResidentTable.bytes(width, slots);
    // While the index is made anew there are two of them.
    return whole ? bytes : bytes + RowIndex.bytes(slots) + (long) most * BRAIN;
  }

  /** Bytes that this takes now. */
  long bytes() {
    return table.usedBytes() + (brain == null ? 0 : brain.estimatedSize() * BRAIN);
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
   * leave for them, or they themselves, as the cache thinks best.
   *
   * @param found whether row i exists; that it does not is remembered likewise
   * @param rows row i at {@code i * width}
   */
  void keep(long[] keys, boolean[] found, float[] rows, int version) {
    if (brain == null) {
      return;
    }
    writer.lock();
    try {
      if (closed) {
        return;
      }
      for (int i = 0; i < keys.length; i++) {
        boolean there =
            found[i]
                ? table.add(keys[i], version, rows, i * table.width()) != ResidentTable.NONE
                : table.find(keys[i], version) != ResidentTable.NONE
                    || table.setAbsent(keys[i], version);
        if (there) {
          brain.put(keys[i], true);
        }
        if (i % ROUND == ROUND - 1) {
          table.reclaim(version);
        }
      }
      table.reclaim(version);
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
