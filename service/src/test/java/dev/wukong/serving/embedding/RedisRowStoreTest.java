package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each test has a prefix of its own: the name of its folder. */
class RedisRowStoreTest extends RowStoreContract {
  private static RedisCluster cluster;

  @BeforeAll
  static void startCluster(@TempDir Path nodes) {
    cluster = RedisCluster.start(nodes, Duration.ofMillis(1500));
  }

  @AfterAll
  static void endCluster() {
    if (cluster != null) {
      cluster.close();
    }
  }

  @Override
  RowStore open(Path folder) {
    return open(folder, Duration.ofSeconds(2));
  }

  /** A value holds two versions: that of a reader, until two others have come. */
  @Override
  boolean keepsWhatIsRead() {
    return false;
  }

  private static RedisRowStore open(Path folder, Duration timeout) {
    return RedisRowStore.open(
        new RedisSettings(cluster.addresses(), prefix(folder), "", "", Optional.empty(), timeout));
  }

  private static RowsView at(long version) {
    return new RowsView(VIEW.model(), VIEW.bundle(), version);
  }

  private static RowCommit commit(long version, long[] keys, float[] rows, long... removed) {
    return new RowCommit(at(version), List.of(new RowCommit.Changes(1, keys, rows, removed)));
  }

  /** What a reader sees: a row's float, null where there is none, NaN where it is not read. */
  private static @Nullable Float[] see(RowReader reader, long... keys) {
    float[] rows = new float[keys.length];
    RowFate[] fates = new RowFate[keys.length];
    reader.read(1, keys, keys.length, rows, fates);
    @Nullable Float[] seen = new @Nullable Float[keys.length];
    for (int i = 0; i < keys.length; i++) {
      seen[i] =
          switch (fates[i]) {
            case FOUND -> rows[i];
            case ABSENT -> null;
            case UNREAD -> Float.NaN;
          };
    }
    return seen;
  }

  @Test
  void reader_betweenTwoVersions_seesTheOlder() {
    try (RowStore store = open(folder)) {
      store.apply(commit(3, new long[] {1, 2}, new float[] {3, 3}));
      store.apply(commit(6, new long[] {1}, new float[] {6}, 2));
      try (RowReader reader = store.reader(at(5))) {
        assertThat(see(reader, 1, 2)).containsExactly(3F, 3F);
      }
      try (RowReader reader = store.reader(at(6))) {
        assertThat(see(reader, 1, 2)).containsExactly(6F, null);
      }
    }
  }

  @Test
  void reader_olderThanTwoVersions_doesNotKnow() {
    try (RowStore store = open(folder)) {
      store.apply(commit(1, new long[] {1, 2, 3}, new float[] {1, 1, 1}));
      store.apply(commit(2, new long[] {1}, new float[] {2}, 2));
      store.apply(commit(3, new long[] {1, 2}, new float[] {3, 3}));
      try (RowReader reader = store.reader(at(1))) {
        assertThat(see(reader, 1, 2, 3, 4)).containsExactly(Float.NaN, Float.NaN, 1F, null);
      }
      try (RowReader reader = store.reader(at(2))) {
        assertThat(see(reader, 1, 2, 3, 4)).containsExactly(2F, null, 1F, null);
      }
    }
  }

  @Test
  void reader_rowSetFirstByALaterCommit_isAbsentBefore() {
    try (RowStore store = open(folder)) {
      store.apply(commit(2, new long[] {1}, new float[] {2}));
      try (RowReader reader = store.reader(at(1))) {
        assertThat(see(reader, 1)).containsExactly((Float) null);
      }
    }
  }

  @Test
  void apply_sameVersionAgain_keepsWhatWasBefore() {
    try (RowStore store = open(folder)) {
      store.apply(commit(1, new long[] {1, 2}, new float[] {1, 1}));
      for (int i = 0; i < 2; i++) {
        store.apply(commit(2, new long[] {1}, new float[] {2 + i}, 2));
      }
      try (RowReader reader = store.reader(at(1))) {
        assertThat(see(reader, 1, 2)).containsExactly(1F, 1F);
      }
      try (RowReader reader = store.reader(at(2))) {
        assertThat(see(reader, 1, 2)).containsExactly(3F, null);
      }
    }
  }

  @Test
  void apply_belowTheVersionWrittenLast_isRefusedAndChangesNothing() {
    try (RowStore store = open(folder)) {
      store.apply(commit(5, new long[] {1}, new float[] {5}));

      assertThatThrownBy(() -> store.apply(commit(4, new long[] {1, 2}, new float[] {4, 4})))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("version 4 is below 5, which was written last");

      assertThat(store.version(VIEW)).isEqualTo(5);
      try (RowReader reader = store.reader(at(5))) {
        assertThat(see(reader, 1, 2)).containsExactly(5F, null);
      }
    }
  }

  @Test
  void apply_versionTooLargeForAScript_isRefused() {
    try (RowStore store = open(folder)) {
      assertThatThrownBy(() -> store.apply(commit(1L << 53, new long[] {1}, new float[] {1})))
          .isInstanceOf(StoreException.class)
          .hasMessage(
              "version 9007199254740992 cannot be stored, allowed are 0 to 9007199254740991");
    }
  }

  /** Of two rows of a commit one is of another version, which is how a commit can end halfway. */
  @Test
  void apply_afterOneThatWasCutShort_doesNotShowItsRows() {
    try (RowStore store = open(folder)) {
      store.apply(commit(1, new long[] {1, 2}, new float[] {1, 1}));
      try (RedisConnection connection =
          new RedisConnection(RedisSettings.of(prefix(folder), cluster.addresses()))) {
        RedisKeys keys = new RedisKeys(prefix(folder), VIEW);
        RedisWrites halfway =
            new RedisWrites(connection, keys, RedisScripts.INSTALL, 9, "writing halfway");
        halfway.add(2, RedisValue.encode(9, 1, new float[] {9}, 0));
        assertThat(halfway.finish()).isZero();
      }
      long[] many = LongStream.range(1, 5000).toArray();
      float[] rows = new float[many.length];
      assertThatThrownBy(() -> store.apply(commit(2, many, rows)))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("1 have a version above 2 already");
      assertThat(store.version(VIEW)).isEqualTo(1);
      try (RowReader reader = store.reader(at(1))) {
        assertThat(see(reader, 1, 3)).containsExactly(1F, null);
      }

      store.apply(commit(2, new long[] {7}, new float[] {7}));

      try (RowReader reader = store.reader(at(2))) {
        assertThat(see(reader, 1, 3, 4999, 7)).containsExactly(1F, null, null, 7F);
      }
    }
  }

  private static String prefix(Path folder) {
    String name = folder.getFileName().toString();
    return name.substring(Math.max(0, name.length() - 32));
  }

  @Test
  void bulk_whereSomebodyHasChangedARow_leavesIt() {
    try (RowStore store = open(folder);
        BulkRows late = store.bulk(VIEW, "digest")) {
      try (BulkRows rows = store.bulk(VIEW, "digest")) {
        rows.add(1, new long[] {1, 2}, 2, new float[] {1, 2});
        rows.finish();
      }
      store.apply(commit(1, new long[] {1}, new float[] {10}));

      late.add(1, new long[] {1, 2}, 2, new float[] {1, 2});
      late.finish();

      try (RowReader reader = store.reader(at(1))) {
        assertThat(see(reader, 1, 2)).containsExactly(10F, 2F);
      }
    }
  }

  @Test
  void bulk_cutShortAfterANote_goesOnThere() {
    long[] keys = LongStream.range(0, 100_000).toArray();
    float[] rows = new float[keys.length];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = i;
    }
    try (RowStore store = open(folder)) {
      try (BulkRows bulk = store.bulk(VIEW, "digest")) {
        bulk.add(1, keys, 80_000, rows);
      }
    }
    try (RowStore store = open(folder);
        BulkRows bulk = store.bulk(VIEW, "digest")) {
      assertThat(bulk.after()).isEqualTo(65_535);
      bulk.add(1, keys, keys.length, rows);
      bulk.finish();
      float[] read = new float[rows.length];
      read(store, VIEW, 1, keys, keys.length, read, new boolean[keys.length]);
      assertThat(read).isEqualTo(rows);
    }
  }

  @Test
  void drop_cutShort_isFinishedByTheNext() {
    long before = cluster.keys();
    try (RowStore store = open(folder)) {
      long[] keys = LongStream.range(0, 5000).toArray();
      store.apply(commit(0, keys, new float[keys.length]));
      store.markImported(VIEW, "digest");
    }
    try (RedisRowStore store = open(folder, Duration.ofSeconds(2))) {
      store.drops.hide(new RedisKeys(prefix(folder), VIEW));
      assertThat(store.imported(VIEW)).isEmpty();
      assertThat(store.stored()).containsExactly(VIEW);
    }
    assertThat(cluster.keys()).isGreaterThan(before + 4999);
    try (RowStore store = open(folder)) {
      store.drop(VIEW);
      assertThat(store.stored()).isEmpty();
    }
    assertThat(cluster.keys()).isEqualTo(before);
  }

  private static final long[] MANY = LongStream.range(0, 2000).toArray();

  private static float[] rowsOf(long[] keys, float add) {
    float[] rows = new float[keys.length];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = keys[i] + add;
    }
    return rows;
  }

  /** How many of {@link #MANY} were read; each of them must be right. */
  private static long readMany(RowReader reader, float add) {
    @Nullable Float[] seen = see(reader, MANY);
    for (int i = 0; i < seen.length; i++) {
      assertThat(seen[i]).isIn(MANY[i] + add, Float.NaN);
    }
    return Arrays.stream(seen).filter(row -> row != null && !row.isNaN()).count();
  }

  @Test
  void read_masterIsKilled_othersStayAndAllAreThereAgain() {
    int killed = cluster.masters().getFirst();
    try (RedisRowStore store = open(folder, Duration.ofMillis(500));
        RowReader reader = store.reader(at(1))) {
      store.apply(commit(1, MANY, rowsOf(MANY, 0)));
      assertThat(readMany(reader, 0)).isEqualTo(MANY.length);

      cluster.kill(killed);

      // The others' rows, and the killed one's from its replica or not at all.
      assertThat(readMany(reader, 0)).isGreaterThan(MANY.length / 2);
      RedisCluster.await("all rows are read", () -> readMany(reader, 0) == MANY.length);
      RedisCluster.await(
          "rows are written", () -> applied(store, commit(2, MANY, rowsOf(MANY, 1))));
      try (RowReader after = store.reader(at(store.version(VIEW)))) {
        RedisCluster.await("all rows are read", () -> readMany(after, 1) == MANY.length);
      }
      assertThat(readMany(reader, 0)).isEqualTo(MANY.length);
    } finally {
      cluster.restart(killed);
      cluster.awaitWhole();
    }
  }

  /** As one that was alone and kept nothing on its disk. */
  @Test
  void read_masterComesBackEmpty_doesNotTakeItsRowsForAbsent_andTheyComeAgain() {
    try (RedisRowStore store = open(folder, Duration.ofSeconds(2))) {
      load(store);
      assertThat(store.imported(VIEW)).contains("digest");
      try (RowReader reader = store.reader(VIEW)) {
        assertThat(see(reader, MANY.length)).containsExactly((Float) null);

        cluster.empty(cluster.masters().getFirst());

        assertThat(readMany(reader, 0)).isBetween(1L, MANY.length - 1L);
        assertThat(store.imported(VIEW)).isEmpty();
        // A commit meanwhile does not make what is lost absent.
        store.apply(commit(1, new long[] {0}, new float[] {0}));
        assertThat(readMany(reader, 0)).isBetween(1L, MANY.length - 1L);

        load(store);

        assertThat(readMany(reader, 0)).isEqualTo(MANY.length);
        assertThat(see(reader, MANY.length)).containsExactly((Float) null);
        assertThat(store.imported(VIEW)).contains("digest");
      }
    }
  }

  /** As builds have stored it that knew no signs. */
  @Test
  void imported_bundleWithoutSigns_isTakenAsItIs() {
    try (RedisRowStore store = open(folder, Duration.ofSeconds(2))) {
      load(store);
      store.drops.signs().remove(new RedisKeys(prefix(folder), VIEW));
    }
    try (RedisRowStore store = open(folder, Duration.ofSeconds(2));
        RowReader reader = store.reader(VIEW)) {
      assertThat(store.imported(VIEW)).contains("digest");
      assertThat(readMany(reader, 0)).isEqualTo(MANY.length);
      assertThat(see(reader, MANY.length)).containsExactly((Float) null);
    }
  }

  /** Another process loads what this one still reads. */
  @Test
  void bulk_whereSomebodyReads_isUnreadUntilAllAreThere() {
    try (RedisRowStore store = open(folder, Duration.ofSeconds(2))) {
      load(store);
      try (RowReader reader = store.reader(VIEW);
          RedisRowStore other = open(folder, Duration.ofSeconds(2))) {
        try (BulkRows bulk = other.bulk(VIEW, "another digest")) {
          bulk.add(1, MANY, MANY.length / 2, rowsOf(MANY, 0));
          assertThat(see(reader, MANY[MANY.length - 1], MANY.length))
              .containsExactly(Float.NaN, Float.NaN);
          bulk.add(1, MANY, MANY.length, rowsOf(MANY, 0));
          bulk.finish();
        }
        assertThat(readMany(reader, 0)).isEqualTo(MANY.length);
        assertThat(see(reader, MANY.length)).containsExactly((Float) null);
      }
    }
  }

  @Test
  void bulk_nodeIsEmptiedOnTheWay_isNotFinishedAndBeginsAnew() {
    try (RedisRowStore store = open(folder, Duration.ofSeconds(2))) {
      try (BulkRows bulk = store.bulk(VIEW, "digest")) {
        bulk.add(1, MANY, MANY.length, rowsOf(MANY, 0));
        cluster.empty(cluster.masters().getFirst());
        assertThatThrownBy(bulk::finish)
            .isInstanceOf(StoreException.class)
            .hasMessage("a node has lost its rows while they were written; load the bundle again");
      }
      assertThat(store.imported(VIEW)).isEmpty();
      try (BulkRows bulk = store.bulk(VIEW, "digest")) {
        assertThat(bulk.after()).isEqualTo(BulkRows.NOTHING);
      }
      load(store);
      try (RowReader reader = store.reader(VIEW)) {
        assertThat(readMany(reader, 0)).isEqualTo(MANY.length);
      }
    }
  }

  private static void load(RowStore store) {
    try (BulkRows bulk = store.bulk(VIEW, "digest")) {
      bulk.add(1, MANY, MANY.length, rowsOf(MANY, 0));
      bulk.finish();
    }
  }

  private static boolean applied(RowStore store, RowCommit commit) {
    try {
      store.apply(commit);
      return true;
    } catch (StoreException e) {
      return false;
    }
  }

  @Test
  void read_masterStandsStill_takesNoLongerThanItMay() {
    int stopped = cluster.masters().getLast();
    Duration timeout = Duration.ofMillis(500);
    try (RedisRowStore store = open(folder, timeout);
        RowReader reader = store.reader(at(1))) {
      store.apply(commit(1, MANY, rowsOf(MANY, 0)));
      assertThat(readMany(reader, 0)).isEqualTo(MANY.length);

      cluster.stop(stopped);

      long began = System.nanoTime();
      long read = readMany(reader, 0);
      Duration took = Duration.ofNanos(System.nanoTime() - began);
      assertThat(read).isBetween(MANY.length / 3L, MANY.length - 1L);
      // Far from a minute, which is what a client waits unless told otherwise.
      assertThat(took).isBetween(timeout, Duration.ofSeconds(20));
      RedisCluster.await("all rows are read", () -> readMany(reader, 0) == MANY.length);
    } finally {
      cluster.resume(stopped);
      cluster.awaitWhole();
    }
  }

  @Test
  void read_noNodeAnswers_fails() {
    List<Integer> all = List.of(0, 1, 2, 3, 4, 5);
    try (RedisRowStore store = open(folder, Duration.ofMillis(200));
        RowReader reader = store.reader(VIEW)) {
      store.apply(commit(0, MANY, rowsOf(MANY, 0)));
      all.forEach(cluster::stop);
      RedisCluster.await("a read fails", () -> fails(reader));
    } finally {
      all.forEach(cluster::resume);
      cluster.awaitWhole();
    }
  }

  private static boolean fails(RowReader reader) {
    try {
      assertThat(readMany(reader, 0)).isZero();
      return false;
    } catch (StoreException e) {
      assertThat(e).hasMessageStartingWith("2000 of 2000 rows could not be read: ");
      return true;
    }
  }

  @Test
  void open_nobodyListens_saysWhereAndNotThePassword() {
    RedisSettings settings =
        new RedisSettings(
            List.of("127.0.0.1:1"),
            "any",
            "ranking",
            "s3cret-word",
            Optional.empty(),
            Duration.ofMillis(200));
    assertThat(settings.toString()).doesNotContain("s3cret");
    assertThatThrownBy(() -> RedisRowStore.open(settings))
        .isInstanceOf(StoreException.class)
        .hasMessageStartingWith("cannot reach a Redis cluster at [127.0.0.1:1]: ")
        .satisfies(RedisRowStoreTest::tellsNoPassword);
  }

  @Test
  void open_passwordIsWrong_saysSoAndNotThePassword() {
    RedisSettings settings =
        new RedisSettings(
            cluster.addresses(),
            "any",
            "nobody",
            "s3cret-word",
            Optional.empty(),
            Duration.ofSeconds(2));
    assertThatThrownBy(() -> RedisRowStore.open(settings))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("WRONGPASS")
        .satisfies(RedisRowStoreTest::tellsNoPassword);
  }

  private static void tellsNoPassword(Throwable failure) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      assertThat(String.valueOf(t.getMessage())).doesNotContain("s3cret");
      for (Throwable other : t.getSuppressed()) {
        tellsNoPassword(other);
      }
    }
  }
}
