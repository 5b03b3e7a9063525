package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What every row store does. */
abstract class RowStoreContract {
  static final RowsView VIEW = new RowsView("ctr", 7, 0);

  @TempDir Path folder;

  abstract RowStore open(Path folder);

  /** Whether a reader sees its version of a row however often that has changed since. */
  boolean keepsWhatIsRead() {
    return true;
  }

  private static float[] read(
      RowStore store, RowsView view, int width, boolean[] found, long... keys) {
    float[] rows = new float[keys.length * width];
    read(store, view, width, keys, keys.length, rows, found);
    return rows;
  }

  static void read(
      RowStore store,
      RowsView view,
      int width,
      long[] keys,
      int count,
      float[] rows,
      boolean[] found) {
    try (RowReader reader = store.reader(view)) {
      read(reader, width, keys, count, rows, found);
    }
  }

  private static void read(
      RowReader reader, int width, long[] keys, int count, float[] rows, boolean[] found) {
    RowFate[] fates = new RowFate[count];
    reader.read(width, keys, count, rows, fates);
    for (int i = 0; i < count; i++) {
      assertThat(fates[i]).isNotEqualTo(RowFate.UNREAD);
      found[i] = fates[i] == RowFate.FOUND;
    }
  }

  @Test
  void read_rowsWritten_givesThemInTheOrderAsked() {
    try (RowStore store = open(folder)) {
      store.apply(
          new RowCommit(VIEW, 2, new long[] {0, 5, 1L << 60}, new float[] {1, 2, 3, 4, 5, 6}));

      boolean[] found = new boolean[4];
      float[] rows = read(store, VIEW, 2, found, 1L << 60, 9, 0, 5);

      assertThat(found).containsExactly(true, false, true, true);
      assertThat(rows).containsExactly(5, 6, 0, 0, 1, 2, 3, 4);
    }
  }

  @Test
  void apply_sameKeyAgain_replacesTheRow() {
    try (RowStore store = open(folder)) {
      store.apply(new RowCommit(VIEW, 1, new long[] {3}, new float[] {1}));
      store.apply(new RowCommit(VIEW, 1, new long[] {3}, new float[] {2}));

      assertThat(read(store, VIEW, 1, new boolean[1], 3)).containsExactly(2);
    }
  }

  @Test
  void read_otherModelOrBundle_findsNothing() {
    try (RowStore store = open(folder)) {
      store.apply(new RowCommit(VIEW, 1, new long[] {3}, new float[] {1}));

      boolean[] found = {true};
      read(store, new RowsView("ctr", 8, 0), 1, found, 3);
      assertThat(found).containsExactly(false);
      found[0] = true;
      read(store, new RowsView("ct", 7, 0), 1, found, 3);
      assertThat(found).containsExactly(false);
    }
  }

  @Test
  void read_otherWidth_isRefused() {
    try (RowStore store = open(folder)) {
      store.apply(new RowCommit(VIEW, 2, new long[] {3}, new float[] {1, 2}));

      assertThatThrownBy(() -> read(store, VIEW, 3, new boolean[1], 3))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("row 3");
    }
  }

  @Test
  void durable_openedAgain_isWhetherTheRowsAreStillThere() {
    try (RowStore store = open(folder)) {
      store.markImported(VIEW, "digest");
    }
    try (RowStore store = open(folder)) {
      assertThat(store.durable()).isEqualTo(store.imported(VIEW).isPresent());
    }
  }

  @Test
  void drop_oneBundle_leavesItsNeighbours() {
    try (RowStore store = open(folder)) {
      RowsView before = new RowsView("ctr", 6, 0);
      RowsView after = new RowsView("ctr", 8, 0);
      long[] keys = {0, 1, Long.MAX_VALUE};
      float[] rows = {1, 2, 3};
      for (RowsView view : Arrays.asList(before, VIEW, after)) {
        store.apply(new RowCommit(view, 1, keys, rows));
        store.markImported(view, "digest");
      }

      store.drop(VIEW);

      boolean[] found = new boolean[3];
      read(store, VIEW, 1, found, keys);
      assertThat(found).containsExactly(false, false, false);
      assertThat(store.imported(VIEW)).isEmpty();
      assertThat(read(store, before, 1, found, keys)).containsExactly(rows);
      assertThat(read(store, after, 1, found, keys)).containsExactly(rows);
      assertThat(store.imported(after)).contains("digest");
    }
  }

  @Test
  void stored_rowsMarksAndDrops_listsBundlesThatHaveSomething() {
    try (RowStore store = open(folder)) {
      assertThat(store.stored()).isEmpty();
      RowsView other = new RowsView("c", 7, 0);
      RowsView next = new RowsView("ctr", 8, 0);
      RowsView marked = new RowsView("ctr-2", 1L << 40, 0);
      // Two rows each, so that a bundle with several keys counts once.
      for (RowsView view : List.of(VIEW, other, next)) {
        store.apply(new RowCommit(view, 1, new long[] {0, Long.MAX_VALUE}, new float[] {1, 2}));
      }
      store.markImported(marked, "digest");
      store.markImported(VIEW, "digest");
      // The version of a view says which rows are seen, not where they are.
      store.markImported(new RowsView("ctr", 8, 3), "digest");

      assertThat(store.stored()).containsExactlyInAnyOrder(other, VIEW, next, marked);

      store.drop(VIEW);
      assertThat(store.stored()).containsExactlyInAnyOrder(other, next, marked);
      store.drop(other);
      store.drop(marked);
      assertThat(store.stored()).containsExactly(next);
      store.drop(new RowsView("ctr", 8, 3));
      assertThat(store.stored()).isEmpty();
    }
  }

  @Test
  void drop_againOrOfWhatIsNotThere_doesNothing() {
    try (RowStore store = open(folder)) {
      RowsView kept = new RowsView("ctr", 8, 0);
      store.apply(new RowCommit(VIEW, 1, new long[] {3}, new float[] {1}));
      store.apply(new RowCommit(kept, 1, new long[] {3}, new float[] {2}));

      store.drop(VIEW);
      store.drop(VIEW);
      store.drop(new RowsView("other", 1, 0));

      assertThat(store.stored()).containsExactly(kept);
      assertThat(read(store, kept, 1, new boolean[1], 3)).containsExactly(2);
    }
  }

  @Test
  void apply_afterDrop_hasTheNewRowsOnly() {
    try (RowStore store = open(folder)) {
      store.apply(new RowCommit(VIEW, 1, new long[] {3, 4}, new float[] {1, 2}));
      store.drop(VIEW);
      store.apply(new RowCommit(VIEW, 1, new long[] {4}, new float[] {5}));

      boolean[] found = new boolean[2];
      assertThat(read(store, VIEW, 1, found, 3, 4)).containsExactly(0, 5);
      assertThat(found).containsExactly(false, true);
      assertThat(store.stored()).containsExactly(VIEW);
    }
  }

  /** Rows of two widths, as the tables of a bundle have; enough for several files. */
  private static void addAll(BulkRows rows, int count, float sign) {
    for (int from = 0; from < count; from += 100) {
      long[] keys = new long[100];
      float[] narrow = new float[100];
      for (int i = 0; i < 100; i++) {
        keys[i] = 2L * (from + i);
        narrow[i] = sign * keys[i];
      }
      rows.add(1, keys, 100, narrow);
    }
    rows.add(2, new long[] {1L << 50, 1L << 51, 7}, 2, new float[] {1, 2, 3, 4, 5, 6});
  }

  private static void checkAll(RowStore store, int count, float sign) {
    long[] keys = new long[2 * count];
    for (int i = 0; i < keys.length; i++) {
      keys[i] = i;
    }
    boolean[] found = new boolean[keys.length];
    float[] rows = read(store, VIEW, 1, found, keys);
    for (int i = 0; i < keys.length; i++) {
      assertThat(found[i]).isEqualTo(i % 2 == 0);
      assertThat(rows[i]).isEqualTo(found[i] ? sign * i : 0);
    }
    assertThat(read(store, VIEW, 2, new boolean[3], 1L << 50, 1L << 51, 7))
        .containsExactly(1, 2, 3, 4, 0, 0);
  }

  @Test
  void bulk_allRows_areThereAndImported() {
    RowsView next = new RowsView("ctr", 8, 0);
    try (RowStore store = open(folder)) {
      store.apply(new RowCommit(next, 1, new long[] {3}, new float[] {2}));
      try (BulkRows rows = store.bulk(VIEW, "digest")) {
        assertThat(rows.after()).isEqualTo(BulkRows.NOTHING);
        addAll(rows, 20_000, 1);
        assertThat(store.imported(VIEW)).isEmpty();
        rows.finish();
      }
      assertThat(store.imported(VIEW)).contains("digest");
      checkAll(store, 20_000, 1);
      assertThat(read(store, next, 1, new boolean[1], 3)).containsExactly(2);
      // What comes later lies above.
      store.apply(new RowCommit(VIEW, 1, new long[] {0}, new float[] {9}));
      assertThat(read(store, VIEW, 1, new boolean[1], 0)).containsExactly(9);
      store.drop(VIEW);
      assertThat(store.stored()).containsExactly(next);
      boolean[] found = new boolean[2];
      read(store, VIEW, 1, found, 0, 2);
      assertThat(found).containsExactly(false, false);
    }
  }

  @Test
  void bulk_cutShort_isNotImportedAndGoesOn() {
    try (RowStore store = open(folder)) {
      try (BulkRows rows = store.bulk(VIEW, "digest")) {
        addAll(rows, 10_000, 1);
      }
      assertThat(store.imported(VIEW)).isEmpty();
      try (BulkRows rows = store.bulk(VIEW, "digest")) {
        addAll(rows, 20_000, 1);
        rows.finish();
      }
      assertThat(store.imported(VIEW)).contains("digest");
      checkAll(store, 20_000, 1);
    }
  }

  @Test
  void bulk_fromAnotherSource_beginsAnew() {
    try (RowStore store = open(folder)) {
      for (boolean finished : new boolean[] {false, true}) {
        try (BulkRows rows = store.bulk(VIEW, "digest")) {
          addAll(rows, 20_000, 1);
          if (finished) {
            rows.finish();
          }
        }
        try (BulkRows rows = store.bulk(VIEW, "other " + finished)) {
          assertThat(rows.after()).isEqualTo(BulkRows.NOTHING);
          addAll(rows, 15_000, -1);
          rows.finish();
        }
        assertThat(store.imported(VIEW)).contains("other " + finished);
        checkAll(store, 15_000, -1);
        boolean[] found = new boolean[1];
        read(store, VIEW, 1, found, 2 * 15_000);
        assertThat(found).containsExactly(false);
      }
    }
  }

  private static RowsView at(long version) {
    return new RowsView(VIEW.model(), VIEW.bundle(), version);
  }

  @Test
  void reader_whileRowsAreSetAndRemoved_seesThoseOfItsVersion() {
    try (RowStore store = open(folder)) {
      assertThat(store.version(VIEW)).isZero();
      store.apply(new RowCommit(VIEW, 1, new long[] {1, 2, 3}, new float[] {1, 2, 3}));
      boolean[] found = new boolean[4];
      float[] rows = new float[4];
      long[] keys = {1, 2, 3, 4};
      try (RowReader before = store.reader(VIEW)) {
        store.apply(
            new RowCommit(
                at(1),
                List.of(
                    new RowCommit.Changes(
                        1, new long[] {1, 4}, new float[] {10, 40}, new long[] {2}),
                    new RowCommit.Changes(
                        2, new long[] {1L << 50}, new float[] {5, 6}, new long[] {1L << 51}))));
        read(before, 1, keys, 4, rows, found);
        assertThat(found).containsExactly(true, true, true, false);
        assertThat(rows).startsWith(1, 2, 3);
        try (RowReader after = store.reader(at(1))) {
          store.apply(
              new RowCommit(
                  at(2),
                  List.of(
                      new RowCommit.Changes(
                          1, new long[] {2}, new float[] {20}, new long[] {1, 9}))));
          RowFate[] fates = new RowFate[4];
          before.read(1, keys, 4, rows, fates);
          RowFate twice = keepsWhatIsRead() ? RowFate.FOUND : RowFate.UNREAD;
          assertThat(fates).containsExactly(twice, twice, RowFate.FOUND, RowFate.ABSENT);
          assertThat(rows[2]).isEqualTo(3);
          if (keepsWhatIsRead()) {
            assertThat(rows).startsWith(1, 2);
          }
          read(after, 1, keys, 4, rows, found);
          assertThat(found).containsExactly(true, false, true, true);
          assertThat(new float[] {rows[0], rows[2], rows[3]}).containsExactly(10, 3, 40);
          float[] wide = new float[2];
          read(after, 2, new long[] {1L << 50}, 1, wide, new boolean[1]);
          assertThat(wide).containsExactly(5, 6);
        }
      }
      assertThat(store.version(VIEW)).isEqualTo(2);
      assertThat(read(store, at(2), 1, found, keys)).containsExactly(0, 20, 3, 40);
      assertThat(found).containsExactly(false, true, true, true);
    }
    try (RowStore store = open(folder)) {
      assertThat(store.version(VIEW)).isEqualTo(store.durable() ? 2 : 0);
      store.drop(VIEW);
      assertThat(store.version(VIEW)).isZero();
      assertThat(store.stored()).isEmpty();
    }
  }

  @Test
  void reader_storeIsClosed_failsInsteadOfReading() {
    RowStore store = open(folder);
    store.apply(new RowCommit(VIEW, 1, new long[] {1}, new float[] {1}));
    try (RowReader reader = store.reader(VIEW)) {
      store.close();
      assertThatThrownBy(() -> reader.read(1, new long[] {1}, 1, new float[1], new RowFate[1]))
          .isInstanceOf(StoreException.class)
          .hasMessage("the row store is closed");
    }
  }

  @Test
  void stored_allRowsRemoved_dropLeavesNothing() {
    try (RowStore store = open(folder)) {
      store.apply(
          new RowCommit(
              at(1), List.of(new RowCommit.Changes(1, new long[0], new float[0], new long[] {3}))));
      store.drop(VIEW);
      assertThat(store.stored()).isEmpty();
      assertThat(store.version(VIEW)).isZero();
    }
  }

  @Test
  void commit_wrongNumberOfFloats_isRefused() {
    assertThatThrownBy(() -> new RowCommit(VIEW, 2, new long[] {1, 2}, new float[3]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("2 keys of width 2 need 4 floats, got 3");
  }
}
