package dev.wukong.serving.embedding;

import dev.wukong.data.Group;
import dev.wukong.data.InputLayout;
import dev.wukong.data.RowKey;
import dev.wukong.data.Table;
import dev.wukong.data.UniqueRows;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The rows of one version of a model: resident tables, one a group, over the store. Any thread may
 * make rows resident; it waits while the reader threads read those that are not there yet, so the
 * caller should be a thread that may wait.
 */
public final class EmbeddingTier implements AutoCloseable {
  private final RowsView view;
  private final RowStore store;
  private final Executor readers;
  private final List<ResidentTable> tables = new ArrayList<>();
  private final int[] defaultPlaces;
  private final ReentrantLock writer = new ReentrantLock();
  private volatile boolean complete;

  /**
   * An empty tier.
   *
   * @param readers runs reads of the store; platform threads, as a native call holds its carrier
   * @param capacities rows that may be resident besides the default rows, by group of the layout
   * @param defaultRows by table ordinal: the row of keys that have none
   */
  public EmbeddingTier(
      InputLayout layout,
      RowsView view,
      RowStore store,
      Executor readers,
      int[] capacities,
      List<float[]> defaultRows) {
    this.view = view;
    this.store = store;
    this.readers = readers;
    this.defaultPlaces = new int[layout.tables().size()];
    boolean made = false;
    try {
      makeTables(layout.groups(), capacities, defaultRows);
      made = true;
    } finally {
      // A table of some gigabytes may find no memory; those before it must not keep theirs.
      if (!made) {
        tables.forEach(ResidentTable::close);
      }
    }
  }

  private void makeTables(List<Group> groups, int[] capacities, List<float[]> defaultRows) {
    for (int g = 0; g < groups.size(); g++) {
      List<Table> own = groups.get(g).tables();
      ResidentTable table =
          new ResidentTable(groups.get(g).width(), Math.addExact(capacities[g], own.size()));
      tables.add(table);
      for (Table t : own) {
        // No row key is negative, so a default row can be found by its place only.
        defaultPlaces[t.ordinal()] =
            table.install(Long.MIN_VALUE + t.ordinal(), defaultRows.get(t.ordinal()), 0);
      }
    }
  }

  /** Says that every row the store has is resident, so that what is not found has no row. */
  public void markComplete() {
    complete = true;
  }

  /**
   * Installs rows while there is room; the store must hold them too. Returns whether all found
   * room.
   */
  public boolean install(int group, long[] keys, int count, float[] rows) {
    ResidentTable table = tables.get(group);
    writer.lock();
    try {
      boolean room = true;
      for (int i = 0; i < count; i++) {
        room &= table.install(keys[i], rows, i * table.width()) != ResidentTable.NONE;
      }
      return room;
    } finally {
      writer.unlock();
    }
  }

  /** Rows that are resident. */
  public long residentRows() {
    return tables.stream().mapToLong(ResidentTable::size).sum() - defaultPlaces.length;
  }

  /**
   * Copies the row at {@code place} (from {@link #makeResident}) to {@code to} at byte {@code at}.
   * Never waits.
   */
  public void copyRow(int group, int place, MemorySegment to, long at) {
    tables.get(group).copyRow(place, to, at);
  }

  /** Where rows are, by slot, as in {@link PreparedRows.GroupRows}. */
  @SuppressWarnings("ArrayRecordComponent") // Internal to the package, never compared.
  record Places(int[] places, float[] spilled, boolean[] defaulted, boolean anyDefaulted) {}

  /**
   * Brings the rows of all keys of {@code slots} into memory. A key without a row takes its table's
   * default row.
   *
   * @throws StoreException if the store cannot be read
   */
  Places makeResident(int group, UniqueRows slots) {
    ResidentTable table = tables.get(group);
    int count = slots.size(group);
    int[] places = new int[count + 1];
    int missing = 0;
    for (int slot = 1; slot <= count; slot++) {
      places[slot] = table.find(slots.key(group, slot));
      if (places[slot] == ResidentTable.NONE) {
        missing++;
      }
    }
    boolean[] defaulted = new boolean[missing == 0 ? 0 : count + 1];
    Spill spill = new Spill(table.width());
    if (missing > 0) {
      resolveMissing(group, slots, places, missing, defaulted, spill);
    }
    boolean any = false;
    for (boolean d : defaulted) {
      any |= d;
    }
    return new Places(places, spill.rows(), defaulted, any);
  }

  private void resolveMissing(
      int group, UniqueRows slots, int[] places, int missing, boolean[] defaulted, Spill spill) {
    ResidentTable table = tables.get(group);
    long[] keys = new long[missing];
    int[] slotOf = new int[missing];
    int n = 0;
    for (int slot = 1; slot < places.length; slot++) {
      if (places[slot] == ResidentTable.NONE) {
        keys[n] = slots.key(group, slot);
        slotOf[n++] = slot;
      }
    }
    boolean[] found = new boolean[missing];
    if (!complete) {
      read(
          table,
          keys,
          found,
          (i, rows) -> places[slotOf[i]] = place(table, keys[i], rows, i, spill));
    }
    for (int i = 0; i < missing; i++) {
      if (!found[i]) {
        defaulted[slotOf[i]] = true;
        places[slotOf[i]] = defaultPlaces[RowKey.table(keys[i])];
      }
    }
  }

  private interface Found {
    void row(int index, float[] rows);
  }

  private void read(ResidentTable table, long[] keys, boolean[] found, Found each) {
    float[] rows = new float[Math.multiplyExact(keys.length, table.width())];
    try {
      CompletableFuture.runAsync(
              () -> store.read(view, table.width(), keys, keys.length, rows, found), readers)
          .join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw e;
    }
    for (int i = 0; i < keys.length; i++) {
      if (found[i]) {
        each.row(i, rows);
      }
    }
  }

  private int place(ResidentTable table, long key, float[] rows, int index, Spill spill) {
    writer.lock();
    try {
      int place = table.install(key, rows, index * table.width());
      return place == ResidentTable.NONE ? spill.add(rows, index) : place;
    } finally {
      writer.unlock();
    }
  }

  @Override
  public void close() {
    tables.forEach(ResidentTable::close);
  }

  /** Rows that found no room. */
  private static final class Spill {
    private final int width;
    private float[] rows = {};
    private int count;

    Spill(int width) {
      this.width = width;
    }

    int add(float[] from, int index) {
      if ((count + 1) * width > rows.length) {
        rows = Arrays.copyOf(rows, Math.max(8, count * 2 + 1) * width);
      }
      System.arraycopy(from, index * width, rows, count * width, width);
      return -2 - count++;
    }

    float[] rows() {
      return rows;
    }
  }
}
