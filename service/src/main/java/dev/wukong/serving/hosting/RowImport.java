package dev.wukong.serving.hosting;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Manifest;
import dev.wukong.bundle.TableRows;
import dev.wukong.data.Group;
import dev.wukong.data.InputLayout;
import dev.wukong.data.RowKey;
import dev.wukong.data.Table;
import dev.wukong.serving.embedding.BulkRows;
import dev.wukong.serving.embedding.EmbeddingTier;
import dev.wukong.serving.embedding.RowFormat;
import dev.wukong.serving.embedding.RowMeters;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.embedding.RowThreads;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StoreException;
import dev.wukong.serving.embedding.TierView;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a bundle's rows into memory; where that does not reach, also into the store, unless they
 * are there. One thread.
 */
final class RowImport {
  private static final Logger log = LoggerFactory.getLogger(RowImport.class);
  private static final int CHUNK = 8192;

  /** So long a start waits for the rows that were in memory before; others come when asked for. */
  private static final Duration WARMING = Duration.ofSeconds(5);

  /** Between two lines that say how far a long load has come. */
  private static final Duration PROGRESS = Duration.ofSeconds(10);

  private final RowStore store;
  private final RowThreads threads;
  private final HotSets hot;
  private final RowFormat format;
  private final long residentBytes;
  private final MeterRegistry meters;
  private final BooleanSupplier stopping;

  /**
   * An import into {@code store}.
   *
   * @param hot which rows were in memory before
   * @param format how rows are kept in memory
   * @param residentBytes memory for rows
   * @param meters count where requests find rows
   * @param stopping whether one under way should be given up; the next one then begins anew
   */
  RowImport(
      RowStore store,
      RowThreads threads,
      HotSets hot,
      RowFormat format,
      long residentBytes,
      MeterRegistry meters,
      BooleanSupplier stopping) {
    this.store = store;
    this.threads = threads;
    this.hot = hot;
    this.format = format;
    this.residentBytes = residentBytes;
    this.meters = meters;
    this.stopping = stopping;
  }

  /**
   * The rows of {@code bundle}, as they are now.
   *
   * @param learns whether they may change, and others come
   * @throws CancellationException if it was given up
   */
  TierView load(Bundle bundle, String digest, boolean learns) {
    InputLayout layout = bundle.layout();
    RowsView imported = new RowsView(bundle.manifest().model(), bundle.manifest().version(), 0);
    long[] rows = rows(bundle);
    int[] capacities =
        learns
            ? RowCapacities.ofMore(format, layout.groups(), rows, residentBytes)
            : RowCapacities.of(format, layout.groups(), rows, residentBytes);
    boolean fits = fits(rows, capacities);
    // What is stored has been read already; and has changed since, perhaps.
    boolean stored = store.imported(imported).equals(Optional.of(digest));
    RowsView view =
        stored
            ? new RowsView(imported.model(), imported.bundle(), store.version(imported))
            : imported;
    boolean whole = fits && !learns && view.version() == 0;
    EmbeddingTier tier =
        new EmbeddingTier(
            layout,
            view,
            store,
            threads,
            format,
            capacities,
            whole,
            defaultRows(bundle),
            new RowMeters(bundle.manifest().model(), meters));
    boolean filled = false;
    try {
      if (whole) {
        fillMemory(bundle, tier, capacities);
      } else {
        fill(bundle, view, tier, capacities, stored ? null : digest);
      }
      TierView opened = tier.open();
      filled = true;
      return opened;
    } finally {
      if (!filled) {
        tier.close();
      }
    }
  }

  private static boolean fits(long[] rows, int[] capacities) {
    for (int g = 0; g < rows.length; g++) {
      if (capacities[g] < rows[g]) {
        return false;
      }
    }
    return true;
  }

  /** Rows that are all in memory come from the bundle at every start: nobody reads the store. */
  private void fillMemory(Bundle bundle, EmbeddingTier tier, int[] capacities) {
    if (!addAll(bundle, tier, new FirstRows(List.of(), capacities), null)) {
      throw new IllegalStateException(
          "the bundle has more rows than its manifest says; no room is left for them");
    }
    tier.markComplete();
  }

  /**
   * Brings in who is asked for most, and others as long as there is room.
   *
   * @param digest of the bundle where the store must take its rows too; null where it has them
   */
  private void fill(
      Bundle bundle, RowsView view, EmbeddingTier tier, int[] capacities, @Nullable String digest) {
    List<long[]> hottest = hot.of(view.model(), bundle.layout().schema().id());
    if (digest != null) {
      FirstRows first = new FirstRows(hottest, capacities);
      try (BulkRows rows = store.bulk(view, digest, SampledRows.of(bundle))) {
        boolean _ = addAll(bundle, tier, first, rows);
        rows.finish();
        requireUnchanged(view);
        if (rows.shared() > 0) {
          log.info(
              "model '{}' version {}: {} rows are as in an earlier version, and stored once",
              view.model(),
              view.bundle(),
              rows.shared());
        }
      }
      return;
    }
    if (!hottest.isEmpty()) {
      long began = System.nanoTime();
      long came = tier.warm(hottest, began + WARMING.toNanos());
      log.info(
          "model '{}' version {}: {} rows that were in memory before are there again, in {} ms",
          view.model(),
          view.bundle(),
          came,
          (System.nanoTime() - began) / 1_000_000);
    }
    if (view.version() > 0) {
      log.info(
          "model '{}' version {}: its rows have changed since, they come from the store alone",
          view.model(),
          view.bundle());
    } else {
      boolean _ = addAll(bundle, tier, new FirstRows(List.of(), capacities), null);
    }
  }

  /** Another process that shares the store may have been done before, and gone on from there. */
  private void requireUnchanged(RowsView view) {
    long version = store.version(view);
    if (version != view.version()) {
      throw new StoreException(
          "the rows of model '%s' version %d were changed by another process while they were loaded; load it again"
              .formatted(view.model(), view.bundle()),
          null);
    }
  }

  /**
   * Brings all rows in; whether memory had room for all.
   *
   * @param tier takes into memory what {@code first} takes, as far as there is room
   * @param stored takes them for the store; null where that has them, or needs none
   */
  private boolean addAll(
      Bundle bundle, EmbeddingTier tier, FirstRows first, @Nullable BulkRows stored) {
    Progress progress = new Progress(bundle.manifest(), stored != null);
    boolean all = true;
    for (Table table : bundle.layout().tables()) {
      int group = groupOf(bundle.layout(), table);
      Chunk chunk = new Chunk(table, group, tier, first, stored, progress);
      bundle.forEachPart(
          table,
          (ids, values) -> {
            FloatBuffer rows = values.get("rows");
            if (rows == null) {
              throw new IllegalStateException(
                  "table '%s' has a part without rows".formatted(table.name()));
            }
            chunk.addAll(ids, rows);
          });
      all &= chunk.fitted;
    }
    return all;
  }

  private static int groupOf(InputLayout layout, Table table) {
    for (int g = 0; g < layout.groups().size(); g++) {
      if (layout.groups().get(g).width() == table.width()) {
        return g;
      }
    }
    throw new IllegalStateException("table '%s' is in no group".formatted(table.name()));
  }

  private static List<float[]> defaultRows(Bundle bundle) {
    return bundle.layout().tables().stream().map(bundle.manifest()::defaultRow).toList();
  }

  /** Rows by group. */
  private static long[] rows(Bundle bundle) {
    List<Group> groups = bundle.layout().groups();
    long[] rows = new long[groups.size()];
    for (int g = 0; g < rows.length; g++) {
      for (TableRows table : bundle.manifest().tables()) {
        rows[g] += table.table().width() == groups.get(g).width() ? table.rows() : 0;
      }
    }
    return rows;
  }

  /** Rows of one table on their way. */
  private final class Chunk {
    private final Table table;
    private final int group;
    private final EmbeddingTier tier;
    private final FirstRows first;
    private final @Nullable BulkRows stored;
    private final Progress progress;
    private final long[] keys = new long[CHUNK];
    private final float[] values;

    /** Those that come into memory. */
    private final long[] taken = new long[CHUNK];

    private final float[] takenValues;
    private boolean room = true;
    private boolean fitted = true;

    Chunk(
        Table table,
        int group,
        EmbeddingTier tier,
        FirstRows first,
        @Nullable BulkRows stored,
        Progress progress) {
      this.table = table;
      this.group = group;
      this.tier = tier;
      this.first = first;
      this.stored = stored;
      this.progress = progress;
      this.values = new float[Math.multiplyExact(CHUNK, table.width())];
      this.takenValues = new float[values.length];
    }

    void addAll(LongBuffer ids, FloatBuffer rows) {
      int width = table.width();
      for (int from = 0; from < ids.limit(); from += CHUNK) {
        if (stored == null && !(room && first.takesMore(group))) {
          fitted = false;
          return;
        }
        // A bundle may have billions of rows, and whoever stops the service waits.
        if (stopping.getAsBoolean()) {
          throw new CancellationException("the import was given up, as the service stops");
        }
        int count = Math.min(CHUNK, ids.limit() - from);
        for (int i = 0; i < count; i++) {
          keys[i] = RowKey.of(table.ordinal(), ids.get(from + i));
        }
        rows.get(from * width, values, 0, count * width);
        install(count);
        if (stored != null) {
          stored.add(width, keys, count, values);
        }
        progress.add(count);
      }
    }

    private void install(int count) {
      int many = 0;
      for (int i = 0; i < count; i++) {
        if (first.take(group, keys[i])) {
          taken[many] = keys[i];
          System.arraycopy(
              values, i * table.width(), takenValues, many * table.width(), table.width());
          many++;
        }
      }
      fitted &= many == count;
      if (room && many > 0) {
        room = tier.install(group, taken, many, takenValues);
        fitted &= room;
      }
    }
  }

  /** Says now and then how far it has come, where that takes long. */
  private static final class Progress {
    private final String what;
    private final long rows;
    private long done;
    private long told = System.nanoTime();

    Progress(Manifest manifest, boolean stored) {
      what =
          "model '%s' version %d: rows %s"
              .formatted(
                  manifest.model(),
                  manifest.version(),
                  stored ? "read and stored" : "read into memory");
      rows = manifest.rows();
    }

    void add(int count) {
      done += count;
      long now = System.nanoTime();
      if (now - told >= PROGRESS.toNanos()) {
        told = now;
        log.info("{}: {} of {}", what, done, rows);
      }
    }
  }
}
