package dev.wukong.serving.embedding;

import static dev.wukong.serving.embedding.RedisRows.MANY;
import static dev.wukong.serving.embedding.RedisRows.VIEW;
import static dev.wukong.serving.embedding.RedisRows.at;
import static dev.wukong.serving.embedding.RedisRows.commit;
import static dev.wukong.serving.embedding.RedisRows.load;
import static dev.wukong.serving.embedding.RedisRows.readMany;
import static dev.wukong.serving.embedding.RedisRows.rowsOf;
import static dev.wukong.serving.embedding.RedisRows.see;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Nodes of a Redis cluster that lose all they had, as one does that keeps nothing on its disk. */
class RedisEmptiedNodesTest extends RedisClusterTest {
  /** As one that was alone and kept nothing on its disk. */
  @Test
  void read_masterComesBackEmpty_doesNotTakeItsRowsForAbsent_andTheyComeAgain() {
    try (RedisRowStore store = open(Duration.ofSeconds(2))) {
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

  /** Then no shard can be told from another. */
  @Test
  void read_allNodesAreEmptied_doesNotTakeTheirRowsForAbsent_andTheyComeAgain() {
    try (RedisRowStore store = open(Duration.ofSeconds(2))) {
      load(store);
      try (RowReader reader = store.reader(VIEW)) {
        cluster.masters().forEach(cluster::empty);

        assertThat(readMany(reader, 0)).isZero();
        assertThat(see(reader, MANY.length)).containsExactly(Float.NaN);
        store.apply(commit(1, new long[] {0}, new float[] {7}));
        assertThat(see(reader, 1, MANY.length)).containsExactly(Float.NaN, Float.NaN);
        try (RowReader after = store.reader(at(1))) {
          assertThat(see(after, 0, 1, MANY.length)).containsExactly(7F, Float.NaN, Float.NaN);
        }
        assertThat(store.imported(VIEW)).isEmpty();

        load(store);

        assertThat(readMany(reader, 0)).isEqualTo(MANY.length);
        assertThat(see(reader, MANY.length)).containsExactly((Float) null);
      }
    }
  }

  /** As builds have stored it that knew no signs. */
  @Test
  void imported_bundleWithoutSigns_isTakenAsItIs() {
    try (RedisRowStore store = open(Duration.ofSeconds(2))) {
      load(store);
      store.drops.signs().remove(new RedisKeys(RedisRows.prefix(folder), VIEW));
    }
    try (RedisRowStore store = open(Duration.ofSeconds(2));
        RowReader reader = store.reader(VIEW)) {
      assertThat(store.imported(VIEW)).contains("digest");
      assertThat(readMany(reader, 0)).isEqualTo(MANY.length);
      assertThat(see(reader, MANY.length)).containsExactly((Float) null);
    }
  }

  @Test
  void bulk_nodeIsEmptiedOnTheWay_isNotFinishedAndBeginsAnew() {
    try (RedisRowStore store = open(Duration.ofSeconds(2))) {
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
}
