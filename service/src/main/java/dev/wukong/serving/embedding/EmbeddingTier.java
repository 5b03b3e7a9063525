package dev.wukong.serving.embedding;

import dev.wukong.data.Group;
import dev.wukong.data.InputLayout;
import dev.wukong.data.RowKey;
import dev.wukong.data.Table;
import dev.wukong.data.UniqueRows;
import dev.wukong.serving.inputs.ModelInputs;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one version of a model: resident tables, one a group, over the store. Any thread may
 * copy rows; it waits while the reader threads read those that are not there yet, so the caller
 * should be a thread that may wait.
 */
public final class EmbeddingTier implements AutoCloseable {
  private static final int[] NONE_MISSING = {};

  /** Rows whose places are looked up before any of them is copied. */
  private static final int CHUNK = 256;

  private final RowsView view;
  private final RowStore store;
  private final Executor readers;
  private final RowMeters meters;
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
   * @param meters count where rows are found
   */
  public EmbeddingTier(
      InputLayout layout,
      RowsView view,
      RowStore store,
      Executor readers,
      int[] capacities,
      List<float[]> defaultRows,
      RowMeters meters) {
    this.view = view;
    this.store = store;
    this.readers = readers;
    this.meters = meters;
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
   * Copies the rows of all keys of {@code slots} to their slots in {@code target}. A key without a
   * row takes its table's default row.
   *
   * @return the slots whose key has no row; null where there are none
   * @throws StoreException if the store cannot be read
   */
  @Nullable BitSet copyRows(int group, UniqueRows slots, ModelInputs target) {
    ResidentTable table = tables.get(group);
    int count = slots.size(group);
    RowTarget to = RowTarget.of(target, group, count, table.width());
    int[] places = new int[Math.min(count, CHUNK)];
    int[] missing = NONE_MISSING;
    int missed = 0;
    // All places of a chunk first, then all rows: neither then waits for the other's memory.
    for (int first = 1; first <= count; first += CHUNK) {
      int many = Math.min(CHUNK, count - first + 1);
      for (int i = 0; i < many; i++) {
        places[i] = table.find(slots.key(group, first + i));
        if (places[i] == ResidentTable.NONE) {
          if (missed == missing.length) {
            missing = Arrays.copyOf(missing, Math.max(16, 2 * missed));
          }
          missing[missed++] = first + i;
        }
      }
      to.copy(table, places, many, first);
    }
    meters.inMemory(count - missed);
    return missed == 0 ? null : copyMissing(group, slots, missing, missed, to);
  }

  private @Nullable BitSet copyMissing(
      int group, UniqueRows slots, int[] missing, int count, RowTarget to) {
    ResidentTable table = tables.get(group);
    long[] keys = new long[count];
    for (int i = 0; i < count; i++) {
      keys[i] = slots.key(group, missing[i]);
    }
    boolean[] found = new boolean[count];
    if (!complete) {
      float[] rows = read(table, keys, found);
      for (int i = 0; i < count; i++) {
        if (found[i]) {
          keep(table, keys[i], rows, i);
          to.copy(rows, i * table.width(), missing[i]);
        }
      }
    }
    BitSet without = new BitSet();
    for (int i = 0; i < count; i++) {
      if (!found[i]) {
        without.set(missing[i]);
        to.copy(table, defaultPlaces[RowKey.table(keys[i])], missing[i]);
      }
    }
    int nowhere = without.cardinality();
    meters.others(count - nowhere, nowhere);
    return nowhere == 0 ? null : without;
  }

  private float[] read(ResidentTable table, long[] keys, boolean[] found) {
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
    return rows;
  }

  /** Makes a row resident if there is room. */
  private void keep(ResidentTable table, long key, float[] rows, int index) {
    writer.lock();
    try {
      table.install(key, rows, index * table.width());
    } finally {
      writer.unlock();
    }
  }

  @Override
  public void close() {
    tables.forEach(ResidentTable::close);
  }
}
