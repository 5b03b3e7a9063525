package dev.wukong.serving.embedding;

import dev.wukong.data.Group;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Rows that the readers of some views see instead of those of the tier, and that no store has. It
 * grows by versions of its own, and a view of one stays as it is. One thread changes it, any may
 * read.
 *
 * <p>It lives as long as its maker or some view holds it.
 */
public final class RowOverlay implements AutoCloseable {
  /** Rows that are set before what nobody reads any more is given back. */
  private static final int ROUND = 256;

  /** In the place of a row that has been copied from here. */
  static final int TAKEN = Integer.MIN_VALUE;

  private final List<ResidentTable> tables = new ArrayList<>();
  private final ReentrantLock lock = new ReentrantLock();

  /** Versions of the views that are open. Guarded by the lock. */
  private final List<Integer> open = new ArrayList<>();

  /** Guarded by the lock. */
  private int newest;

  /** Whether its maker has let go of it. Guarded by the lock. */
  private boolean left;

  /**
   * An overlay without rows.
   *
   * @param capacity rows that it can hold of each group, all versions counted
   */
  RowOverlay(List<Group> groups, RowFormat format, int capacity) {
    boolean made = false;
    try {
      for (Group group : groups) {
        tables.add(new ResidentTable(format, group.width(), capacity));
      }
      made = true;
    } finally {
      if (!made) {
        tables.forEach(ResidentTable::close);
      }
    }
  }

  /**
   * Adds the next version, in which these rows are as they are here.
   *
   * @param changes of rows that are set; here no row is removed
   * @return whether there was room; without, no later version can be made
   */
  public boolean change(List<RowCommit.Changes> changes) {
    lock.lock();
    try {
      int version = newest + 1;
      for (RowCommit.Changes of : changes) {
        ResidentTable table = ofWidth(of.width());
        for (int i = 0; i < of.keys().length; i++) {
          // Not set: that would take what the open views see where there is no room.
          if (table.add(of.keys()[i], version, of.rows(), i * of.width()) == ResidentTable.NONE) {
            return false;
          }
          if (i % ROUND == ROUND - 1) {
            table.reclaim(oldest());
          }
        }
        table.reclaim(oldest());
      }
      newest = version;
      return true;
    } finally {
      lock.unlock();
    }
  }

  private ResidentTable ofWidth(int width) {
    return tables.stream()
        .filter(table -> table.width() == width)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("there are no rows of width " + width));
  }

  private int oldest() {
    return open.stream().mapToInt(Integer::intValue).min().orElse(newest);
  }

  /** Rows of all versions. */
  public int size() {
    return tables.stream().mapToInt(ResidentTable::size).sum();
  }

  /** The rows as they are by now. Not after its maker has closed it. */
  View open() {
    lock.lock();
    try {
      View view = new View(newest);
      open.add(newest);
      return view;
    } finally {
      lock.unlock();
    }
  }

  /** One version of it. Any thread. */
  final class View implements AutoCloseable {
    private final int version;

    private View(int version) {
      this.version = version;
    }

    /**
     * Copies those rows that are here.
     *
     * @param places receives {@link #TAKEN} for each of these
     * @param first slot of the first key
     */
    void copy(int group, long[] keys, int count, int[] places, RowTarget to, int first) {
      ResidentTable table = tables.get(group);
      int section = table.enter();
      try {
        for (int i = 0; i < count; i++) {
          int place = table.find(keys[i], version);
          if (place >= 0) {
            to.copy(table, place, first + i);
            places[i] = TAKEN;
          }
        }
      } finally {
        table.leave(section);
      }
    }

    /** Once, when nobody copies from it any more. */
    @Override
    public void close() {
      lock.lock();
      try {
        open.remove(Integer.valueOf(version));
        int oldest = oldest();
        if (!closeIfLast()) {
          tables.forEach(table -> table.reclaim(oldest));
        }
      } finally {
        lock.unlock();
      }
    }
  }

  private boolean closeIfLast() {
    boolean last = left && open.isEmpty();
    if (last) {
      tables.forEach(ResidentTable::close);
    }
    return last;
  }

  /** Its maker's: nothing changes any more. Closes with the last view. */
  @Override
  public void close() {
    lock.lock();
    try {
      if (!left) {
        left = true;
        boolean _ = closeIfLast();
      }
    } finally {
      lock.unlock();
    }
  }
}
