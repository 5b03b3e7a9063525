package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.serving.testing.WriteStatistics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RocksRowStoreTest extends StateStoreContract {
  @Override
  StateStore open(Path folder) {
    return RocksRowStore.open(folder.resolve("store"));
  }

  @Test
  void open_again_stillHasTheRows() {
    try (RowStore store = open(folder)) {
      store.apply(new RowCommit(VIEW, 2, new long[] {5}, new float[] {3, 4}));
      store.markImported(VIEW, "abc");
    }
    try (RowStore store = open(folder)) {
      float[] row = new float[2];
      boolean[] found = new boolean[1];
      read(store, VIEW, 2, new long[] {5}, 1, row, found);
      assertThat(row).containsExactly(3, 4);
      assertThat(store.imported(VIEW)).contains("abc");
    }
  }

  @Test
  void open_again_stillHasTheState() {
    try (StateStore store = open(folder)) {
      store.apply(
          new RowCommit(VIEW, List.of()),
          List.of(new StateChange.Put(StateKind.OPTIMIZER, 5, new byte[] {1, 2})));
    }
    try (StateStore store = open(folder)) {
      assertThat(store.state(VIEW, StateKind.OPTIMIZER, new long[] {5}))
          .containsExactly(new byte[] {1, 2});
    }
  }

  /** Small files, so that some are there when the process ends. */
  @Test
  void bulk_processEndsOnTheWay_goesOnAfterTheLastFile() {
    Path directory = folder.resolve("store");
    long[] keys = LongStream.range(0, 50_000).toArray();
    float[] rows = new float[keys.length];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = i;
    }
    try (RowStore store = RocksRowStore.open(directory, RowFormat.FP32, 1 << 20, 1 << 16);
        BulkRows bulk = store.bulk(VIEW, "digest")) {
      bulk.add(1, keys, 40_000, rows);
    }
    try (RowStore store = RocksRowStore.open(directory, RowFormat.FP32, 1 << 20, 1 << 16)) {
      assertThat(store.stored()).containsExactly(VIEW);
      assertThat(store.imported(VIEW)).isEmpty();
      try (BulkRows bulk = store.bulk(VIEW, "digest")) {
        assertThat(bulk.after()).isBetween(1000L, 39_999L);
        bulk.add(1, keys, keys.length, rows);
        bulk.finish();
      }
      float[] read = new float[keys.length];
      boolean[] found = new boolean[keys.length];
      read(store, VIEW, 1, keys, keys.length, read, found);
      assertThat(read).containsExactly(rows);
      assertThat(store.imported(VIEW)).contains("digest");
    }
    assertThat(directory.resolve("bulk")).isEmptyDirectory();
  }

  /** As a process leaves it that ends between the link into the store and the end of the name. */
  @Test
  void bulk_leftoverIsAnotherNameOfAStoredFile_leavesThatAlone() throws Exception {
    Path directory = folder.resolve("store");
    try (RowStore store = RocksRowStore.open(directory)) {
      try (BulkRows bulk = store.bulk(VIEW, "digest")) {
        bulk.add(1, new long[] {1, 2}, 2, new float[] {1, 2});
        bulk.finish();
      }
      try (Stream<Path> files = Files.list(directory)) {
        Path stored =
            files.filter(file -> file.toString().endsWith(".sst")).findFirst().orElseThrow();
        Files.createLink(directory.resolve("bulk").resolve("rows.sst"), stored);
      }
    }
    RowsView next = new RowsView("ctr", 8, 0);
    try (RowStore store = RocksRowStore.open(directory)) {
      try (BulkRows bulk = store.bulk(next, "digest")) {
        bulk.add(1, new long[] {1, 3}, 2, new float[] {5, 6});
        bulk.finish();
      }
      float[] rows = new float[2];
      boolean[] found = new boolean[2];
      read(store, VIEW, 1, new long[] {1, 2}, 2, rows, found);
      assertThat(rows).containsExactly(1, 2);
      read(store, next, 1, new long[] {1, 3}, 2, rows, found);
      assertThat(rows).containsExactly(5, 6);
    }
  }

  @Test
  void bulk_notAscending_isRefused() {
    try (RowStore store = open(folder);
        BulkRows bulk = store.bulk(VIEW, "digest")) {
      assertThatThrownBy(() -> bulk.add(1, new long[] {5, 4}, 2, new float[2]))
          .isInstanceOf(StoreException.class)
          .hasMessageStartingWith("writing the rows of model 'ctr' version 7 failed");
    }
  }

  /**
   * Rows in the log and in memory, and rows in files; in one file with their neighbours, and in
   * many small ones on several levels.
   */
  @ParameterizedTest
  @CsvSource({"67108864, false", "67108864, true", "262144, false", "262144, true"})
  void drop_rowsAnywhere_freesTheirSpaceAndNoOther(long fileBytes, boolean again) throws Exception {
    List<RowsView> views = List.of(new RowsView("ctr", 6, 0), VIEW, new RowsView("ctr", 8, 0));
    Path directory = folder.resolve("store");
    RowStore store = RocksRowStore.open(directory, RowFormat.FP32, 1 << 20, fileBytes);
    views.forEach(view -> fill(store, view));
    if (again) {
      store.close();
      assertThat(bytes()).isGreaterThan(3L * BUNDLE_BYTES);
    }
    try (RowStore dropping =
        again ? RocksRowStore.open(directory, RowFormat.FP32, 1 << 20, fileBytes) : store) {
      dropping.drop(VIEW);
    }

    // Two bundles, their keys, indexes and filters.
    assertThat(bytes()).isBetween(2L * BUNDLE_BYTES, BUNDLE_BYTES * 5L / 2);
    try (RowStore left = RocksRowStore.open(directory, RowFormat.FP32, 1 << 20, fileBytes)) {
      assertThat(left.stored()).containsExactlyInAnyOrder(views.getFirst(), views.getLast());
      check(left, views.getFirst());
      check(left, views.getLast());
    }
  }

  @Test
  void drop_cutShort_isFinishedByTheNext() throws Exception {
    try (RowStore store = open(folder)) {
      fill(store, VIEW);
      store.markImported(VIEW, "digest");
    }
    try (RocksRowStore store = RocksRowStore.open(folder.resolve("store"))) {
      store.drops.hide(new StoreKeys(VIEW));
    }
    assertThat(bytes()).isGreaterThan(BUNDLE_BYTES);

    try (RowStore store = open(folder)) {
      assertThat(store.stored()).containsExactly(VIEW);
      assertThat(store.imported(VIEW)).isEmpty();
      boolean[] found = {true};
      read(store, VIEW, WIDTH, new long[] {1}, 1, new float[WIDTH], found);
      assertThat(found).containsExactly(false);

      store.drop(VIEW);

      assertThat(store.stored()).isEmpty();
    }
    assertThat(bytes()).isLessThan(BUNDLE_BYTES / 10);
  }

  private static final int ROWS = 20_000;
  private static final int WIDTH = 64;

  /** What the floats of a bundle of {@link #fill} take; random ones cannot be compressed much. */
  private static final int BUNDLE_BYTES = ROWS * WIDTH * Float.BYTES;

  private static float[] rowsOf(RowsView view) {
    SplittableRandom random = new SplittableRandom(view.bundle());
    float[] rows = new float[ROWS * WIDTH];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = Float.intBitsToFloat(random.nextInt() & 0x7f7fffff);
    }
    return rows;
  }

  private static void fill(RowStore store, RowsView view) {
    store.apply(new RowCommit(view, WIDTH, LongStream.range(0, ROWS).toArray(), rowsOf(view)));
  }

  private static void check(RowStore store, RowsView view) {
    float[] rows = new float[ROWS * WIDTH];
    boolean[] found = new boolean[ROWS];
    read(store, view, WIDTH, LongStream.range(0, ROWS).toArray(), ROWS, rows, found);
    assertThat(rows).isEqualTo(rowsOf(view));
  }

  /** The bytes of all files; the store is closed, so that no file waits to be removed. */
  private long bytes() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("store"))) {
      return files
          .filter(file -> file.toString().matches(".*\\.(sst|log)"))
          .mapToLong(file -> file.toFile().length())
          .sum();
    }
  }

  @Test
  void open_whereAFileLies_saysWhere() throws Exception {
    Files.writeString(folder.resolve("store"), "x");

    assertThatThrownBy(() -> open(folder))
        .isInstanceOf(StoreException.class)
        .hasMessageStartingWith("cannot open the row store in " + folder.resolve("store"));
  }

  /** After another setting, what is there is read as it was kept. */
  @Test
  void open_inAnotherFormat_readsRowsOfEach() {
    Path directory = folder.resolve("store");
    RowFormat[] formats = RowFormat.values();
    for (int f = 0; f < formats.length; f++) {
      try (RowStore store = RocksRowStore.open(directory, formats[f], 1 << 20)) {
        store.apply(new RowCommit(VIEW, 3, new long[] {f}, new float[] {f, 0.1f, -1}));
        RowsView bulk = new RowsView("bulk", f, 0);
        try (BulkRows rows = store.bulk(bulk, "digest")) {
          rows.add(3, new long[] {1}, 1, new float[] {0.1f, 2, 3});
          rows.finish();
        }
        float[] read = new float[3];
        read(store, bulk, 3, new long[] {1}, 1, read, new boolean[1]);
        assertThat(read).containsExactly(new float[] {0.1f, 2, 3}, within(3f / 127));
      }
    }
    try (RowStore store = RocksRowStore.open(directory)) {
      float[] read = new float[9];
      read(store, VIEW, 3, new long[] {0, 1, 2}, 3, read, new boolean[3]);
      float[] kept = {0, 0.1f, -1, 1, 0.1f, -1, 2, 0.1f, -1};
      assertThat(read).containsExactly(kept, within(1f / 127));
      assertThat(read[1]).isEqualTo(0.1f);
      assertThat(read[4]).isEqualTo(Float.float16ToFloat(Float.floatToFloat16(0.1f)));
      assertThat(read[7]).isNotIn(read[1], read[4]);
    }
  }

  /** A kill leaves what the system has not written yet; the loss of power does not. */
  @Test
  void apply_eachCommit_isSynced() throws Exception {
    try (RocksRowStore store = RocksRowStore.open(folder)) {
      WriteStatistics before = WriteStatistics.of(store.statistics());
      for (int version = 1; version <= 20; version++) {
        FullDiskWorker.commit(store, version);
      }

      WriteStatistics after = WriteStatistics.of(store.statistics());
      assertThat(after.writes() - before.writes()).isEqualTo(20);
      assertThat(after.syncs() - before.syncs()).isEqualTo(20);
    }
  }

  /** RocksDB would read memory that is gone, and end the process. */
  @Test
  void stateAndApply_closedMeanwhile_sayThatItIsClosed() {
    RocksRowStore store = RocksRowStore.open(folder);
    store.close();

    assertThatThrownBy(() -> store.state(VIEW, StateKind.COMMIT, new long[] {1}))
        .isInstanceOf(StoreException.class)
        .hasMessage("the row store is closed");
    assertThatThrownBy(() -> store.states(VIEW, StateKind.COMMIT, -1, 1))
        .isInstanceOf(StoreException.class);
    assertThatThrownBy(() -> store.forEachState(VIEW, StateKind.COMMIT, (_, _) -> {}))
        .isInstanceOf(StoreException.class);
    assertThatThrownBy(() -> store.rowKeys(VIEW, -1, 1)).isInstanceOf(StoreException.class);
    assertThatThrownBy(() -> FullDiskWorker.commit(store, 1)).isInstanceOf(StoreException.class);
  }

  /** Others remember 2,097,152 rows that have changed, and beyond that none. */
  @Test
  void apply_moreRowsThanOthersRemember_hasThemAll() {
    int count = (1 << 21) + 1000;
    long[] keys = LongStream.range(0, count).toArray();
    float[] rows = new float[count];
    for (int i = 0; i < count; i++) {
      rows[i] = (float) (i + 1);
    }
    try (RocksRowStore store = RocksRowStore.open(folder)) {
      store.apply(new RowCommit(FullDiskWorker.view(1), 1, keys, rows));

      float[] read = new float[count];
      RowFate[] fates = new RowFate[count];
      try (RowReader reader = store.reader(FullDiskWorker.view(1))) {
        reader.read(1, keys, count, read, fates);
      }
      assertThat(fates).containsOnly(RowFate.FOUND);
      assertThat(read).isEqualTo(rows);
    }
  }
}
