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
import org.jspecify.annotations.Nullable;

/**
 * The rows of one version of a model: resident tables, one a group, over the store. Any thread may
 * copy rows; it waits while the reader threads read those that are not there yet, so the caller
 * should be a thread that may wait. What they cannot read in time is served by default rows.
 */
public final class EmbeddingTier implements AutoCloseable {
  private static final int[] NONE_MISSING = {};

  /** Rows whose places are looked up before any of them is copied. */
  private static final int CHUNK = 256;

  /** Of so many rows that were read one is told to the cache. */
  private static final int SAMPLE = 16;

  private final int version;
  private final RowLoads loads;
  private final RowMeters meters;
  private final RowThreads threads;
  private final List<ResidentRows> groups = new ArrayList<>();
  private final int[] defaultPlaces;

  private volatile boolean complete;

  /**
   * An empty tier.
   *
   * @param threads read what is missing, and bring it in
   * @param capacities rows that may be resident besides the default rows, by group of the layout
   * @param whole whether that is all rows there are: then none ever leaves
   * @param defaultRows by table ordinal: the row of keys that have none
   * @param meters count where rows are found
   */
  public EmbeddingTier(
      InputLayout layout,
      RowsView view,
      RowStore store,
      RowThreads threads,
      int[] capacities,
      boolean whole,
      List<float[]> defaultRows,
      RowMeters meters) {
    this.version = Math.toIntExact(view.version());
    this.loads = new RowLoads(view, store, threads, new StoreBreaker(System::nanoTime), meters);
    this.threads = threads;
    this.meters = meters;
    this.defaultPlaces = new int[layout.tables().size()];
    boolean made = false;
    try {
      makeTables(layout.groups(), capacities, whole, defaultRows);
      made = true;
    } finally {
      // A table of some gigabytes may find no memory; those before it must not keep theirs.
      if (!made) {
        close();
      }
    }
  }

  private void makeTables(
      List<Group> layout, int[] capacities, boolean whole, List<float[]> defaultRows) {
    for (int g = 0; g < layout.size(); g++) {
      List<Table> own = layout.get(g).tables();
      ResidentRows rows =
          new ResidentRows(layout.get(g).width(), capacities[g], own.size(), whole, meters);
      groups.add(rows);
      for (Table t : own) {
        // No row key is negative, so a default row can be found by its place only.
        defaultPlaces[t.ordinal()] =
            rows.pin(Long.MIN_VALUE + t.ordinal(), defaultRows.get(t.ordinal()));
      }
    }
  }

  /** Bytes that the rows of {@code layout} take at most where a tier has these capacities. */
  public static long bytes(List<Group> layout, int[] capacities, boolean whole) {
    long bytes = 0;
    for (int g = 0; g < capacities.length; g++) {
      Group group = layout.get(g);
      bytes += ResidentRows.bytes(group.width(), capacities[g], group.tables().size(), whole);
    }
    return bytes;
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
    return groups.get(group).fill(keys, count, rows);
  }

  /** Whether the row of {@code key} is in memory now. */
  boolean resident(int group, long key) {
    ResidentTable table = groups.get(group).table();
    int section = table.enter();
    try {
      return table.find(key, version) >= 0;
    } finally {
      table.leave(section);
    }
  }

  /** Bytes that rows and what finds them take, of Java's heap also. */
  public long residentBytes() {
    return groups.stream().mapToLong(ResidentRows::bytes).sum();
  }

  /** Rows that are resident. */
  public long residentRows() {
    return groups.stream().mapToLong(rows -> rows.table().size()).sum() - defaultPlaces.length;
  }

  /**
   * Copies the rows of all keys of {@code slots} to their slots in {@code target}. A key without a
   * row takes its table's default row.
   *
   * @param until a {@link System#nanoTime}: so long it waits for rows that are not in memory
   * @return the slots that took a default row; null where there are none
   */
  @Nullable Defaulted copyRows(int group, UniqueRows slots, ModelInputs target, long until) {
    ResidentRows rows = groups.get(group);
    ResidentTable table = rows.table();
    int count = slots.size(group);
    RowTarget to = RowTarget.of(target, group, count, table.width());
    int most = Math.min(count, CHUNK);
    int[] places = new int[most];
    long[] keys = new long[most];
    int[] missing = NONE_MISSING;
    int missed = 0;
    int section = table.enter();
    try {
      // All entries of a chunk, then all places, then all rows: so none waits for its memory alone.
      for (int first = 1; first <= count; first += CHUNK) {
        int many = Math.min(CHUNK, count - first + 1);
        slots.keys(group, first, many, keys);
        table.touch(keys, many);
        table.find(keys, many, version, places);
        for (int i = 0; i < many; i++) {
          if (places[i] < 0) {
            if (missed == missing.length) {
              missing = Arrays.copyOf(missing, Math.max(16, 2 * missed));
            }
            missing[missed++] = places[i] == ResidentTable.NONE ? first + i : -(first + i);
          }
        }
        to.copy(table, places, many, first);
      }
    } finally {
      table.leave(section);
    }
    meters.inMemory(count - missed);
    if (rows.changes()) {
      tellSample(rows, group, slots);
    }
    return missed == 0 ? null : copyMissing(group, slots, missing, missed, to, until);
  }

  /** Rows that many requests read are told often: each gives some of its own. */
  private void tellSample(ResidentRows rows, int group, UniqueRows slots) {
    int first = 1 + (rows.nextTurn() & (SAMPLE - 1));
    int count = Math.max(0, (slots.size(group) - first + SAMPLE) / SAMPLE);
    if (count == 0) {
      return;
    }
    long[] keys = new long[count];
    for (int i = 0; i < count; i++) {
      keys[i] = slots.key(group, first + i * SAMPLE);
    }
    threads.keep(count, () -> rows.read(keys, count));
  }

  /**
   * Copies rows that are not in memory.
   *
   * @param missing their slots; negative where it is known that there is no row
   */
  private @Nullable Defaulted copyMissing(
      int group, UniqueRows slots, int[] missing, int count, RowTarget to, long until) {
    ResidentRows resident = groups.get(group);
    BitSet without = new BitSet();
    BitSet unread = new BitSet();
    long[] keys = new long[count];
    int[] asked = new int[count];
    int many = 0;
    for (int i = 0; i < count; i++) {
      if (complete || missing[i] < 0) {
        without.set(Math.abs(missing[i]));
      } else {
        keys[many] = slots.key(group, missing[i]);
        asked[many++] = missing[i];
      }
    }
    if (many > 0) {
      loads.read(
          resident,
          Arrays.copyOf(keys, many),
          until,
          (i, fate, rows, offset) -> {
            switch (fate) {
              case FOUND -> to.copy(rows, offset, asked[i]);
              case ABSENT -> without.set(asked[i]);
              case UNREAD -> {
                without.set(asked[i]);
                unread.set(asked[i]);
              }
            }
          });
    }
    for (int slot = without.nextSetBit(0); slot >= 0; slot = without.nextSetBit(slot + 1)) {
      int table = RowKey.table(slots.key(group, slot));
      to.copy(resident.table(), defaultPlaces[table], slot);
    }
    int nowhere = without.cardinality();
    int late = unread.cardinality();
    meters.others(count - nowhere, nowhere - late, late);
    return nowhere == 0 ? null : new Defaulted(without, unread);
  }

  @Override
  public void close() {
    groups.forEach(ResidentRows::close);
  }
}
