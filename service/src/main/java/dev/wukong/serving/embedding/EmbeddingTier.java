package dev.wukong.serving.embedding;

import dev.wukong.data.Group;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one bundle of a model: resident tables, one a group, over the store. Requests read
 * them through a {@link TierView}, of which several may be open: a commit opens the next one, and
 * those before stay as they are. The tier closes with the last of them.
 */
public final class EmbeddingTier implements AutoCloseable {
  /** Rows that are warmed together. */
  private static final int WARMED = 8192;

  private final RowsView view;
  private final RowSource source;
  private final RowStore store;
  private final RowFormat format;
  private final List<Group> layout;
  private final List<ResidentRows> groups = new ArrayList<>();
  private final List<String> tables;
  private final int[] defaultPlaces;

  private volatile boolean complete;

  /** Those that are open. Guarded by itself. */
  private final List<TierView> open = new ArrayList<>();

  /** The version of the next view to be opened. Changed by one thread at a time, who commits. */
  private volatile int newest;

  /** Whether memory may have rows that no view must see. */
  private volatile boolean broken;

  /**
   * An empty tier.
   *
   * @param threads read what is missing, and bring it in
   * @param format how rows are kept in memory
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
      RowFormat format,
      int[] capacities,
      boolean whole,
      List<float[]> defaultRows,
      RowMeters meters) {
    this.view = view;
    this.newest = Math.toIntExact(view.version());
    this.store = store;
    this.format = format;
    this.layout = layout.groups();
    this.source = RowSource.of(view.model(), threads, meters);
    this.tables = layout.tables().stream().map(Table::name).toList();
    this.defaultPlaces = new int[layout.tables().size()];
    boolean made = false;
    try {
      makeTables(layout.groups(), format, capacities, whole, defaultRows);
      made = true;
    } finally {
      // A table of some gigabytes may find no memory; those before it must not keep theirs.
      if (!made) {
        close();
      }
    }
  }

  private void makeTables(
      List<Group> layout,
      RowFormat format,
      int[] capacities,
      boolean whole,
      List<float[]> defaultRows) {
    for (int g = 0; g < layout.size(); g++) {
      List<Table> own = layout.get(g).tables();
      ResidentRows rows =
          new ResidentRows(
              format,
              layout.get(g).width(),
              capacities[g],
              own.size(),
              whole,
              tables,
              source.meters());
      groups.add(rows);
      for (Table t : own) {
        // No row key is negative, so a default row can be found by its place only.
        defaultPlaces[t.ordinal()] =
            rows.pin(Long.MIN_VALUE + t.ordinal(), defaultRows.get(t.ordinal()));
      }
    }
  }

  /** Bytes that the rows of {@code layout} take at most where a tier has these capacities. */
  public static long bytes(RowFormat format, List<Group> layout, int[] capacities, boolean whole) {
    long bytes = 0;
    for (int g = 0; g < capacities.length; g++) {
      Group group = layout.get(g);
      bytes +=
          ResidentRows.bytes(format, group.width(), capacities[g], group.tables().size(), whole);
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

  /** Keys of the rows that are asked for most, by group, those first; of groups that change. */
  public List<long[]> hottest() {
    return groups.stream().map(rows -> rows.hottest(HotRows.MOST)).toList();
  }

  /**
   * Brings rows in from the store, before anybody asks for them.
   *
   * @param keys by group, those wanted most first; as {@link #hottest} gave them
   * @param until a {@link System#nanoTime}: what is not there by then comes when it is asked for
   * @return how many rows have come
   * @throws StoreException if the store fails
   */
  public long warm(List<long[]> keys, long until) {
    long came = 0;
    try (RowReader reader = store.reader(at(newest))) {
      for (int g = 0; g < Math.min(keys.size(), groups.size()); g++) {
        came += warm(reader, groups.get(g), keys.get(g), until);
      }
    }
    return came;
  }

  private long warm(RowReader reader, ResidentRows rows, long[] keys, long until) {
    int width = rows.table().width();
    float[] values = new float[Math.multiplyExact(WARMED, width)];
    RowFate[] fates = new RowFate[WARMED];
    long before = rows.table().size();
    int wanted = Math.min(keys.length, rows.most());
    for (int from = 0; from < wanted && System.nanoTime() - until < 0; from += WARMED) {
      long[] part = Arrays.copyOfRange(keys, from, Math.min(wanted, from + WARMED));
      Arrays.sort(part); // Neighbours in the store are read faster.
      reader.read(width, part, part.length, values, fates);
      rows.keep(part, fates, values, newest, oldest());
    }
    return rows.table().size() - before;
  }

  /** Bytes that rows and what finds them take, of Java's heap also. */
  public long residentBytes() {
    return groups.stream().mapToLong(ResidentRows::bytes).sum();
  }

  /** Bytes of that for the rows of one table; 0 for one that there is not. */
  public long residentBytes(String table) {
    int ordinal = tables.indexOf(table);
    return ordinal < 0 ? 0 : groups.stream().mapToLong(rows -> rows.bytes(ordinal)).sum();
  }

  /** Rows that are resident. */
  public long residentRows() {
    return groups.stream().mapToLong(rows -> rows.table().size()).sum() - defaultPlaces.length;
  }

  /**
   * Opens the view of the rows as the store has them now.
   *
   * @throws StoreException if the store fails
   */
  public TierView open() {
    return open(newest);
  }

  private TierView open(int version) {
    return open(version, null);
  }

  private TierView open(int version, @Nullable RowOverlay overlay) {
    RowReader reader = store.reader(at(version));
    TierView opened =
        new TierView(this, version, reader, source, overlay == null ? null : overlay.open());
    synchronized (open) {
      open.add(opened);
    }
    return opened;
  }

  /** Room for rows that some views see instead of these, the same in kind. */
  public RowOverlay overlay(int capacity) {
    return new RowOverlay(layout, format, capacity);
  }

  /**
   * Opens the view of the rows as they are now with those of {@code overlay} instead, as far as it
   * has them. By who commits; some view must be open.
   *
   * @throws StoreException if the store fails
   */
  public TierView open(RowOverlay overlay) {
    return open(newest, overlay);
  }

  private RowsView at(int version) {
    return new RowsView(view.model(), view.bundle(), version);
  }

  /**
   * How many changes the store has that no view of this tier sees.
   *
   * @throws StoreException if the store fails
   */
  public long behind() {
    int seen = newest;
    // It has fewer where its rows were dropped, or are on their way in again.
    return complete ? 0 : Math.max(0, store.version(at(seen)) - seen);
  }

  /** The version that the next commit must have. */
  public int nextVersion() {
    return newest + 1;
  }

  /**
   * Writes changes to the store, and beside the rows in memory, where the views that are open do
   * not see them. One at a time; some view must be open.
   *
   * @return the view that sees them
   * @throws StoreException if the store fails: then no view sees anything of it, and where it is
   *     written all the same, this takes no more changes
   * @throws IllegalStateException if this tier takes no changes
   */
  public TierView commit(List<RowCommit.Changes> changes) {
    return commit(changes, List.of());
  }

  /**
   * The same with changes of what training remembers, in one write with those of the rows.
   *
   * @throws IllegalStateException if this tier takes no changes, or its store keeps no state
   */
  public TierView commit(List<RowCommit.Changes> changes, List<StateChange> state) {
    if (complete) {
      throw new IllegalStateException(
          "model '%s' version %d has its rows from the bundle alone; nothing can be changed"
              .formatted(view.model(), view.bundle()));
    }
    if (broken) {
      throw new IllegalStateException(
          "a commit to model '%s' version %d failed halfway; load it again"
              .formatted(view.model(), view.bundle()));
    }
    int version = nextVersion();
    RowCommit commit = new RowCommit(at(version), changes);
    List<ResidentRows> touched = changes.stream().map(c -> ofWidth(c.width())).toList();
    boolean written = false;
    try {
      write(commit, state);
      written = true;
    } finally {
      broken = !written && !isNewest();
    }
    // From here on it is durable: whatever goes wrong, no later view may find what was before.
    boolean done = false;
    try {
      for (int i = 0; i < touched.size(); i++) {
        touched.get(i).commit(version, changes.get(i), oldest());
      }
      TierView opened = open(version);
      newest = version;
      done = true;
      return opened;
    } finally {
      broken = !done;
    }
  }

  /** Whether nothing is there that no view sees: a write that failed may be there all the same. */
  private boolean isNewest() {
    int seen = newest;
    try {
      return store.version(at(seen)) <= seen;
    } catch (StoreException _) {
      return false;
    }
  }

  private void write(RowCommit commit, List<StateChange> state) {
    if (state.isEmpty()) {
      store.apply(commit);
    } else if (store instanceof StateStore states) {
      states.apply(commit, state);
    } else {
      throw new IllegalStateException(
          "the store of model '%s' keeps rows alone, no state of training".formatted(view.model()));
    }
  }

  private ResidentRows ofWidth(int width) {
    return groups.stream()
        .filter(rows -> rows.table().width() == width)
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "model '%s' has no rows of width %d, but of %s"
                        .formatted(
                            view.model(),
                            width,
                            groups.stream().map(rows -> rows.table().width()).toList())));
  }

  /** The lowest version at which anybody reads, now or later. */
  int oldest() {
    synchronized (open) {
      return open.stream().mapToInt(TierView::version).min().orElse(newest);
    }
  }

  /** Says that a view is closed, for good. */
  void closed(TierView closed) {
    boolean last;
    synchronized (open) {
      open.remove(closed);
      last = open.isEmpty();
    }
    if (last) {
      close();
    } else {
      int oldest = oldest();
      groups.forEach(rows -> rows.reclaim(oldest));
    }
  }

  ResidentRows group(int group) {
    return groups.get(group);
  }

  /** Names of all tables, by ordinal. */
  public List<String> tables() {
    return tables;
  }

  boolean complete() {
    return complete;
  }

  /** Where the row is that keys of a table without one take, by the table's ordinal. */
  int defaultPlace(int table) {
    return defaultPlaces[table];
  }

  /** For who has opened no view of it. */
  @Override
  public void close() {
    groups.forEach(ResidentRows::close);
  }
}
