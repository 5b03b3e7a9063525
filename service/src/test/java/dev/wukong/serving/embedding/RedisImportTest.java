package dev.wukong.serving.embedding;

import static dev.wukong.serving.embedding.RedisRows.MANY;
import static dev.wukong.serving.embedding.RedisRows.VIEW;
import static dev.wukong.serving.embedding.RedisRows.load;
import static dev.wukong.serving.embedding.RedisRows.readMany;
import static dev.wukong.serving.embedding.RedisRows.rowsOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.serving.testing.RedisCluster;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Rows are loaded, or dropped, while a master of the Redis cluster fails. */
class RedisImportTest extends RedisClusterTest {
  /** So many that a note is written on the way. */
  private static final long[] ALL = LongStream.range(0, 140_000).toArray();

  private static final int BEFORE_A_NOTE = 50_000;
  private static final int AFTER_A_NOTE = 70_000;

  private RedisRowStore open() {
    return open(Duration.ofMillis(500));
  }

  /** The same where replicas may take their time: on a busy machine they do. */
  private RedisRowStore openPatient() {
    return RedisRowStore.open(
        RedisRows.settings(cluster, folder, Duration.ofMillis(500)),
        RedisTimes.ordinary().withReplication(Duration.ofSeconds(4)));
  }

  private static void assertAllAreThere(RedisRowStore store) {
    assertThat(store.imported(VIEW)).contains("digest");
    float[] rows = new float[ALL.length];
    RowFate[] fates = new RowFate[ALL.length];
    try (RowReader reader = store.reader(VIEW)) {
      RedisCluster.await(
          "all rows are read",
          () -> {
            reader.read(1, ALL, ALL.length, rows, fates);
            return !Arrays.asList(fates).contains(RowFate.UNREAD);
          });
    }
    assertThat(fates).containsOnly(RowFate.FOUND);
    assertThat(rows).isEqualTo(rowsOf(ALL, 0));
  }

  @Test
  void bulk_masterIsKilledOnTheWay_goesOnWithItsReplicaAndHasAllRows() {
    int killed = cluster.masters().getFirst();
    try (RedisRowStore store = openPatient();
        BulkRows bulk = store.bulk(VIEW, "digest")) {
      bulk.add(1, ALL, AFTER_A_NOTE, rowsOf(ALL, 0));

      cluster.kill(killed);

      bulk.add(1, rest(AFTER_A_NOTE), ALL.length - AFTER_A_NOTE, rowsOf(rest(AFTER_A_NOTE), 0));
      bulk.finish();
      assertAllAreThere(store);
    } finally {
      cluster.restart(killed);
      cluster.awaitWhole();
    }
  }

  private static long[] rest(int from) {
    return LongStream.range(from, ALL.length).toArray();
  }

  /** The master has said that it has the rows, and takes them along. */
  @Test
  void bulk_masterIsKilledBeforeItsReplicaHasItsRows_writesThemAgain() {
    int killed = cluster.masters().getFirst();
    try (RedisRowStore store = openPatient();
        BulkRows bulk = store.bulk(VIEW, "digest")) {
      int replica = cluster.cutOffReplica(killed);
      try {
        bulk.add(1, ALL, BEFORE_A_NOTE, rowsOf(ALL, 0));
        cluster.kill(killed);
      } finally {
        cluster.resume(replica);
      }

      bulk.add(1, rest(BEFORE_A_NOTE), ALL.length - BEFORE_A_NOTE, rowsOf(rest(BEFORE_A_NOTE), 0));
      bulk.finish();
      assertAllAreThere(store);
    } finally {
      cluster.restart(killed);
      cluster.awaitWhole();
    }
  }

  /** What was written long before is not known any more. */
  @Test
  void bulk_masterIsKilledLongBeforeItsReplicaHasItsRows_failsAndTheNextHasAllRows() {
    int killed = cluster.masters().getFirst();
    try (RedisRowStore store = open()) {
      int replica;
      try (BulkRows bulk = store.bulk(VIEW, "digest")) {
        replica = cluster.cutOffReplica(killed);
        try {
          bulk.add(1, ALL, AFTER_A_NOTE, rowsOf(ALL, 0));
          cluster.kill(killed);
        } finally {
          cluster.resume(replica);
        }
        assertThatThrownBy(bulk::finish)
            .isInstanceOf(StoreException.class)
            .hasMessageContaining("load the bundle again");
      }
      assertThat(store.imported(VIEW)).isEmpty();
      try (BulkRows bulk = store.bulk(VIEW, "digest")) {
        bulk.add(1, ALL, ALL.length, rowsOf(ALL, 0));
        bulk.finish();
      }
      assertAllAreThere(store);
    } finally {
      cluster.restart(killed);
      cluster.awaitWhole();
    }
  }

  @Test
  void bulkAndDrop_masterIsDown_waitForItsReplica() {
    int killed = cluster.masters().getFirst();
    long before = cluster.keys();
    try (RedisRowStore store = open()) {
      load(store, "another digest", 1);

      cluster.kill(killed);

      load(store);
      try (RowReader reader = store.reader(VIEW)) {
        RedisCluster.await("all rows are read", () -> readMany(reader, 0) == MANY.length);
      }
      cluster.restart(killed);
      cluster.awaitWhole();
      int next = cluster.masters().getLast();
      try {
        cluster.kill(next);
        store.drop(VIEW);
        assertThat(store.stored()).isEmpty();
      } finally {
        cluster.restart(next);
        cluster.awaitWhole();
      }
      // A lock that could not be given back ends by itself.
      RedisCluster.await("nothing is left", () -> cluster.keys() == before);
    } finally {
      cluster.restart(killed);
      cluster.awaitWhole();
    }
  }
}
