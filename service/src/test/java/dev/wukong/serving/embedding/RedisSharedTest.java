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

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several processes that use the same rows in a Redis cluster. */
class RedisSharedTest {
  private static RedisCluster cluster;

  @TempDir Path folder;

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

  private RedisRowStore open(Duration timeout) {
    return RedisRows.open(cluster, folder, timeout);
  }

  /** Another process loads what this one still reads. */
  @Test
  void bulk_whereSomebodyReads_isUnreadUntilAllAreThere() {
    try (RedisRowStore store = open(Duration.ofSeconds(2))) {
      load(store);
      try (RowReader reader = store.reader(VIEW);
          RedisRowStore other = open(Duration.ofSeconds(2))) {
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
  void bulk_whereSomebodyHasChangedARow_leavesIt() {
    try (RowStore store = open(Duration.ofSeconds(2));
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
}
