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

import dev.wukong.serving.testing.RedisCluster;
import io.lettuce.core.ScriptOutputType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Several processes that use the same rows in a Redis cluster. */
class RedisSharedTest extends RedisClusterTest {
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

  /** Another process has completed the rows after this one has found them incomplete. */
  @Test
  void bulk_whereSomebodyHasFinished_dropsNothing() {
    try (RedisRowStore store = open(Duration.ofSeconds(2));
        RedisRowStore other = open(Duration.ofSeconds(2))) {
      load(store);
      try (RowReader reader = store.reader(VIEW);
          BulkRows late = other.bulk(VIEW, "digest")) {
        assertThat(readMany(reader, 0)).isEqualTo(MANY.length);
        late.add(1, MANY, MANY.length, rowsOf(MANY, 0));
        late.finish();
        assertThat(readMany(reader, 0)).isEqualTo(MANY.length);
        assertThat(other.imported(VIEW)).contains("digest");
      }
    }
  }

  @Test
  void bulk_whereSomebodyBeginsAnewFromAnotherSource_leavesItsRowsAlone() {
    try (RedisRowStore store = open(Duration.ofSeconds(2));
        RedisRowStore other = open(Duration.ofSeconds(2));
        BulkRows early = store.bulk(VIEW, "digest")) {
      long[] all = LongStream.range(0, 100_000).toArray();
      early.add(1, all, 40_000, rowsOf(all, 0));
      BulkRows late = other.bulk(VIEW, "another digest");

      assertThatThrownBy(
              () -> {
                early.add(1, all, all.length, rowsOf(all, 0));
                early.finish();
              })
          .isInstanceOf(StoreException.class)
          .hasMessage(
              "another process has dropped these rows, or begun anew; load the bundle again");

      late.add(1, MANY, MANY.length, rowsOf(MANY, 1));
      late.finish();
      assertThat(store.imported(VIEW)).contains("another digest");
      try (RowReader reader = store.reader(VIEW)) {
        assertThat(readMany(reader, 1)).isEqualTo(MANY.length);
        assertThat(see(reader, 30_000, 90_000)).containsExactly((Float) null, null);
      }
    }
  }

  @Test
  void bulk_severalAtOnce_allFinishAndAllRowsAreThere() throws Exception {
    try (RedisRowStore store = open(Duration.ofSeconds(2));
        RedisRowStore other = open(Duration.ofSeconds(2));
        ExecutorService threads = Executors.newFixedThreadPool(2)) {
      for (int i = 0; i < 10; i++) {
        String digest = "digest " + i;
        float add = i;
        CyclicBarrier together = new CyclicBarrier(2);
        List<Future<?>> loads = new ArrayList<>();
        for (RowStore each : List.of(store, other)) {
          loads.add(
              threads.submit(
                  () -> {
                    together.await();
                    load(each, digest, add);
                    return null;
                  }));
        }
        for (Future<?> load : loads) {
          load.get();
        }
        assertThat(store.imported(VIEW)).contains(digest);
        try (RowReader reader = store.reader(VIEW)) {
          assertThat(readMany(reader, add)).isEqualTo(MANY.length);
        }
      }
    }
  }

  @Test
  void dropUnused_whereSomebodyReadsOrLoads_leavesItToTheLast() {
    long before = cluster.keys();
    try (RedisRowStore other = open(Duration.ofSeconds(2))) {
      try (RedisRowStore store = open(Duration.ofSeconds(2))) {
        try (BulkRows bulk = store.bulk(VIEW, "digest")) {
          assertThat(other.dropUnused(VIEW)).isFalse();
          bulk.add(1, MANY, MANY.length, rowsOf(MANY, 0));
          bulk.finish();
        }
        assertThat(other.imported(VIEW)).contains("digest");
        try (RowReader reader = store.reader(VIEW)) {
          assertThat(other.dropUnused(VIEW)).isFalse();
          assertThat(readMany(reader, 0)).isEqualTo(MANY.length);
        }
        assertThat(store.imported(VIEW)).contains("digest");
      }
      assertThat(other.dropUnused(VIEW)).isTrue();
      assertThat(other.stored()).isEmpty();
    }
    assertThat(cluster.keys()).isEqualTo(before);
  }

  /** As soon as who reads has found it, before it reads. */
  @Test
  void dropUnused_whereSomebodyHasFoundIt_leavesIt() {
    try (RedisRowStore other = open(Duration.ofSeconds(2));
        RedisRowStore third = open(Duration.ofSeconds(2))) {
      load(other);
      assertThat(third.imported(VIEW)).contains("digest");
      assertThat(other.dropUnused(VIEW)).isFalse();
      assertThat(third.dropUnused(VIEW)).isTrue();
      assertThat(other.imported(VIEW)).isEmpty();
    }
  }

  @Test
  void dropUnused_whoReadHasEndedWithoutAWord_goesAfterAWhile() {
    try (RedisRowStore store = open(Duration.ofSeconds(2));
        RedisConnection connection =
            new RedisConnection(RedisRows.settings(cluster, folder, Duration.ofSeconds(2)))) {
      load(store);
      byte[] user = RedisKeys.ascii("one that has ended");
      byte[] millis = RedisKeys.ascii("2000");
      byte[][] users = {new RedisKeys(RedisRows.prefix(folder), VIEW).users()};
      long _ =
          connection.await(
              connection.<Long>run(
                  RedisBundleScripts.HOLD, ScriptOutputType.INTEGER, users, user, millis),
              "holding");
      assertThat(store.dropUnused(VIEW)).isFalse();
      RedisCluster.await("it is dropped", () -> store.dropUnused(VIEW));
      assertThat(store.stored()).isEmpty();
    }
  }

  /** It says so again, as who has forgotten it must know. */
  @Test
  void dropUnused_usersWereForgotten_learnsOfThemAgain() {
    RedisTimes oftenSaid =
        new RedisTimes(
            RedisPatience.ordinary(),
            Duration.ofSeconds(1),
            Duration.ofSeconds(30),
            Duration.ofDays(1),
            Duration.ofMillis(200));
    RedisSettings settings = RedisRows.settings(cluster, folder, Duration.ofSeconds(2));
    try (RedisRowStore store = RedisRowStore.open(settings, oftenSaid);
        RedisRowStore other = open(Duration.ofSeconds(2));
        RedisConnection connection = new RedisConnection(settings)) {
      load(store);
      byte[] users = new RedisKeys(RedisRows.prefix(folder), VIEW).users();
      long removed = connection.await(connection.commands().del(users), "forgetting");
      assertThat(removed).isEqualTo(1);
      RedisCluster.await(
          "it is said again",
          () -> connection.await(connection.commands().exists(users), "looking") == 1);
      assertThat(other.dropUnused(VIEW)).isFalse();
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
