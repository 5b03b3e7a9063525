package dev.wukong.serving.embedding;

import static dev.wukong.serving.embedding.RedisRows.at;
import static dev.wukong.serving.embedding.RedisRows.commit;
import static dev.wukong.serving.embedding.RedisRows.prefix;
import static dev.wukong.serving.embedding.RedisRows.see;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.serving.testing.RedisCluster;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
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
    return RedisRows.open(cluster, folder, Duration.ofSeconds(2));
  }

  /** A value holds two versions: that of a reader, until two others have come. */
  @Override
  boolean keepsWhatIsRead() {
    return false;
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
      writeHalfway(2);
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

  /** Writes a row at version 9, which no commit has ended. */
  private void writeHalfway(long key) {
    try (RedisConnection connection =
        new RedisConnection(RedisSettings.of(prefix(folder), cluster.addresses()))) {
      RedisKeys keys = new RedisKeys(prefix(folder), VIEW);
      RedisWrites halfway =
          new RedisWrites(connection, keys, RedisScripts.INSTALL, 9, "writing halfway");
      halfway.add(key, RedisValue.encode(9, 1, new float[] {9}, 0));
      assertThat(halfway.finish()).isZero();
    }
  }

  /** A store in which removed rows go after {@code removed}. */
  private RedisRowStore openForgetting(Duration removed) {
    return RedisRowStore.open(
        RedisRows.settings(cluster, folder, Duration.ofSeconds(2)),
        new RedisTimes(
            RedisPatience.ordinary(),
            Duration.ofMinutes(10),
            Duration.ofSeconds(30),
            removed,
            Duration.ofMillis(200)));
  }

  @Test
  void apply_rowsAreRemoved_leavesNothingOfThemAfterAWhile() {
    long before = cluster.keys();
    try (RedisRowStore store = openForgetting(Duration.ofMillis(300))) {
      store.apply(commit(1, new long[] {1, 2, 3}, new float[] {1, 1, 1}));
      store.apply(commit(2, new long[0], new float[0], 1, 2, 9));
      // What is there again stays.
      store.apply(commit(3, new long[] {1}, new float[] {3}));
      // Each shard's sign, the list of bundles, the version, two rows.
      long left = before + RedisKeys.SHARDS + 4;
      RedisCluster.await("a removed row has gone", () -> cluster.keys() == left);
      try (RowReader reader = store.reader(at(3))) {
        assertThat(see(reader, 1, 2, 3)).containsExactly(3F, null, 1F);
      }
    }
  }

  @Test
  void apply_afterOneThatWasCutShort_hasWhatThatHasRemoved() {
    try (RedisRowStore store = openForgetting(Duration.ZERO)) {
      store.apply(commit(1, new long[] {1, 2}, new float[] {1, 1}));
      writeHalfway(2);
      assertThatThrownBy(() -> store.apply(commit(2, new long[] {2}, new float[] {2}, 1)))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("1 have a version above 2 already");

      store.apply(commit(2, new long[] {7}, new float[] {7}));

      try (RowReader reader = store.reader(at(2))) {
        assertThat(see(reader, 1, 7)).containsExactly(1F, 7F);
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
    try (RedisRowStore store = RedisRows.open(cluster, folder, Duration.ofSeconds(2))) {
      store.drops.hide(new RedisKeys(prefix(folder), VIEW), RedisDrops.NOBODY);
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
