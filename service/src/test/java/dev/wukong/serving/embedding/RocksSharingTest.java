package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Two bundles of a model keep rows once that both have; each is read as if it were alone. */
class RocksSharingTest {
  private static final int ROWS = 20_000;
  private static final int WIDTH = 16;

  /** What the floats of {@link #ROWS} rows take; random ones cannot be compressed much. */
  private static final long BUNDLE_BYTES = (long) ROWS * WIDTH * Float.BYTES;

  /** Small, so that a bundle is several files. */
  private static final long FILE_BYTES = 1 << 18;

  @TempDir Path folder;

  private static RowsView bundle(long number) {
    return new RowsView("ctr", number, 0);
  }

  private RocksRowStore open() {
    return open(RowFormat.FP32);
  }

  private RocksRowStore open(RowFormat format) {
    return RocksRowStore.open(folder, format, 1 << 20, FILE_BYTES);
  }

  private static float[] row(SplittableRandom random) {
    float[] row = new float[WIDTH];
    for (int i = 0; i < WIDTH; i++) {
      row[i] = Float.intBitsToFloat(random.nextInt() & 0x7f7fffff);
    }
    return row;
  }

  /** Rows of even keys. */
  private static Map<Long, float[]> first() {
    SplittableRandom random = new SplittableRandom(1);
    Map<Long, float[]> rows = new TreeMap<>();
    for (long key = 0; key < ROWS; key++) {
      rows.put(2 * key, row(random));
    }
    return rows;
  }

  /** The same but for every {@code step}th row, which is changed, gone or before a new one. */
  private static Map<Long, float[]> next(Map<Long, float[]> rows, int step, int seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Map<Long, float[]> next = new TreeMap<>(rows);
    int at = 0;
    for (long key : rows.keySet()) {
      if (at % step == 0) {
        switch (random.nextInt(3)) {
          case 0 -> next.put(key, row(random));
          case 1 -> next.remove(key);
          default -> next.put(key + 1, row(random));
        }
      }
      at++;
    }
    return next;
  }

  private static long[] keys(Map<Long, float[]> rows) {
    return rows.keySet().stream().mapToLong(key -> key).toArray();
  }

  private static float[] floats(Map<Long, float[]> rows) {
    float[] all = new float[rows.size() * WIDTH];
    int at = 0;
    for (float[] row : rows.values()) {
      System.arraycopy(row, 0, all, WIDTH * at++, WIDTH);
    }
    return all;
  }

  private static List<RowSample.Rows> sample(Map<Long, float[]> rows) {
    return List.of(new RowSample.Rows(WIDTH, keys(rows), floats(rows)));
  }

  /** Returns how many rows are shared. */
  private static long load(RowStore store, RowsView view, Map<Long, float[]> rows) {
    try (BulkRows bulk = store.bulk(view, "digest", () -> sample(rows))) {
      bulk.add(WIDTH, keys(rows), rows.size(), floats(rows));
      bulk.finish();
      return bulk.shared();
    }
  }

  /** That the bundle has these rows and no other. */
  private static void check(StateStore store, RowsView view, Map<Long, float[]> rows) {
    long[] all = LongStream.range(0, 2 * ROWS + 2).toArray();
    float[] read = new float[all.length * WIDTH];
    boolean[] found = new boolean[all.length];
    RowStoreContract.read(store, view, WIDTH, all, all.length, read, found);
    for (int i = 0; i < all.length; i++) {
      float[] row = rows.get(all[i]);
      assertThat(found[i]).as("row %d", all[i]).isEqualTo(row != null);
      if (row != null) {
        assertThat(Arrays.copyOfRange(read, i * WIDTH, (i + 1) * WIDTH)).isEqualTo(row);
      }
    }
    assertThat(store.rowKeys(view, -1, all.length)).isEqualTo(keys(rows));
  }

  private long bytes() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.toString().matches(".*\\.(sst|log)"))
          .mapToLong(file -> file.toFile().length())
          .sum();
    }
  }

  @Test
  void bulk_mostRowsAsBefore_takesSpaceForTheOthersAlone() throws Exception {
    Map<Long, float[]> first = first();
    Map<Long, float[]> second = next(first, 20, 2);
    try (RocksRowStore store = open()) {
      assertThat(load(store, bundle(1), first)).isZero();
      long alone = bytes();
      assertThat(load(store, bundle(2), second)).isBetween(ROWS * 9L / 10, ROWS - 1L);
      assertThat(bytes() - alone).isLessThan(BUNDLE_BYTES / 10);
      check(store, bundle(1), first);
      check(store, bundle(2), second);
    }
    try (RocksRowStore store = open()) {
      check(store, bundle(1), first);
      check(store, bundle(2), second);
    }
  }

  @ParameterizedTest
  @CsvSource({"false", "true"})
  void drop_rowsThatAnotherShares_areThereUntilThatIsDropped(boolean again) throws Exception {
    Map<Long, float[]> second = next(first(), 20, 2);
    Map<Long, float[]> third = next(second, 20, 3);
    RocksRowStore store = open();
    load(store, bundle(1), first());
    load(store, bundle(2), second);
    store.drop(bundle(1));
    // What two bundles share stays when one goes, and a third may share it, too.
    assertThat(load(store, bundle(3), third)).isGreaterThan(ROWS * 8L / 10);
    if (again) {
      store.close();
      store = open();
    }
    assertThat(store.stored()).containsExactlyInAnyOrder(bundle(2), bundle(3));
    check(store, bundle(2), second);
    store.drop(bundle(2));
    check(store, bundle(3), third);
    assertThat(bytes()).isBetween(BUNDLE_BYTES, BUNDLE_BYTES * 4 / 3);

    store.drop(bundle(3));

    store.close();
    assertThat(bytes()).isLessThan(BUNDLE_BYTES / 20);
  }

  @Test
  void bulk_mostRowsChanged_sharesNothing() throws Exception {
    Map<Long, float[]> first = first();
    Map<Long, float[]> second = next(next(next(first, 1, 2), 1, 3), 1, 4);
    RocksRowStore store = open();
    load(store, bundle(1), first);
    assertThat(load(store, bundle(2), second)).isZero();
    store.drop(bundle(1));
    check(store, bundle(2), second);
    store.close();
    long floats = (long) second.size() * WIDTH * Float.BYTES;
    assertThat(bytes()).isBetween(floats, floats * 5 / 4);
  }

  @Test
  void bulk_ofAnotherModelOrFormat_sharesNothing() {
    Map<Long, float[]> rows = first();
    try (RocksRowStore store = open()) {
      load(store, bundle(1), rows);
      assertThat(load(store, new RowsView("other", 2, 0), rows)).isZero();
      assertThat(load(store, bundle(2), rows)).isEqualTo(ROWS);
    }
    try (RocksRowStore store = open(RowFormat.FP16)) {
      assertThat(load(store, bundle(3), rows)).isZero();
      check(store, bundle(1), rows);
    }
  }

  /** Nobody may share with rows that are not all there. */
  @Test
  void bulk_otherIsNotComplete_sharesNothing() {
    Map<Long, float[]> rows = first();
    try (RocksRowStore store = open()) {
      try (BulkRows bulk = store.bulk(bundle(1), "digest", () -> sample(rows))) {
        bulk.add(WIDTH, keys(rows), ROWS, floats(rows));
      }
      assertThat(load(store, bundle(2), rows)).isZero();
      check(store, bundle(2), rows);
    }
  }

  @Test
  void bulk_cutShortWhileItShares_goesOn() {
    Map<Long, float[]> first = first();
    // Enough of its own for several files.
    Map<Long, float[]> second = next(first, 3, 2);
    long[] keys = keys(second);
    float[] floats = floats(second);
    try (RocksRowStore store = open()) {
      load(store, bundle(1), first);
      try (BulkRows bulk = store.bulk(bundle(2), "digest", () -> sample(second))) {
        bulk.add(WIDTH, keys, keys.length * 9 / 10, floats);
      }
    }
    try (RocksRowStore store = open()) {
      try (BulkRows bulk = store.bulk(bundle(2), "digest", () -> sample(second))) {
        assertThat(bulk.after()).isPositive();
        bulk.add(WIDTH, keys, keys.length, floats);
        bulk.finish();
        assertThat(bulk.shared()).isPositive();
      }
      check(store, bundle(2), second);
    }
  }

  @Test
  void apply_toOneOfTwo_leavesTheOther() {
    Map<Long, float[]> first = first();
    Map<Long, float[]> second = next(first, 20, 2);
    SplittableRandom random = new SplittableRandom(5);
    try (RocksRowStore store = open()) {
      load(store, bundle(1), first);
      load(store, bundle(2), second);
      Map<Long, float[]> changedFirst = commit(store, bundle(1), first, random);
      Map<Long, float[]> changedSecond = commit(store, bundle(2), second, random);
      check(store, new RowsView("ctr", 1, 1), changedFirst);
      check(store, new RowsView("ctr", 2, 1), changedSecond);
      store.drop(bundle(1));
      check(store, new RowsView("ctr", 2, 1), changedSecond);
    }
    try (RocksRowStore store = open()) {
      // Loaded anew: what was changed has gone.
      load(store, bundle(2), second);
      check(store, bundle(2), second);
    }
  }

  private static Map<Long, float[]> commit(
      RowStore store, RowsView view, Map<Long, float[]> rows, SplittableRandom random) {
    Map<Long, float[]> changed = new TreeMap<>(rows);
    RowsView next = new RowsView(view.model(), view.bundle(), 1);
    long[] set = {0, 1, 5000, 5001, 2 * ROWS + 1};
    long[] removed = {2, 3, 20_000, 2 * ROWS - 2};
    float[] values = new float[set.length * WIDTH];
    for (int i = 0; i < set.length; i++) {
      float[] row = row(random);
      changed.put(set[i], row);
      System.arraycopy(row, 0, values, i * WIDTH, WIDTH);
    }
    LongStream.of(removed).forEach(changed::remove);
    store.apply(new RowCommit(next, List.of(new RowCommit.Changes(WIDTH, set, values, removed))));
    return changed;
  }

  @Test
  void drop_cutShort_layerIsGoneAtTheNextStart() throws Exception {
    try (RocksRowStore store = open()) {
      load(store, bundle(1), first());
      store.drops.hide(new StoreKeys(bundle(1)));
    }
    assertThat(bytes()).isGreaterThan(BUNDLE_BYTES);
    open().close();
    assertThat(bytes()).isLessThan(BUNDLE_BYTES / 20);
  }

  @Test
  void drop_whileSomebodyReads_endsTheirReading() {
    try (RocksRowStore store = open()) {
      load(store, bundle(1), first());
      try (RowReader reader = store.reader(bundle(1))) {
        store.drop(bundle(1));
        assertThatThrownBy(
                () -> reader.read(WIDTH, new long[] {0}, 1, new float[WIDTH], new RowFate[1]))
            .isInstanceOf(StoreException.class);
      }
    }
  }
}
