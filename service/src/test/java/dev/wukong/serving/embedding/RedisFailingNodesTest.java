package dev.wukong.serving.embedding;

import static dev.wukong.serving.embedding.RedisRows.MANY;
import static dev.wukong.serving.embedding.RedisRows.VIEW;
import static dev.wukong.serving.embedding.RedisRows.applied;
import static dev.wukong.serving.embedding.RedisRows.at;
import static dev.wukong.serving.embedding.RedisRows.commit;
import static dev.wukong.serving.embedding.RedisRows.readMany;
import static dev.wukong.serving.embedding.RedisRows.rowsOf;
import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.testing.RedisCluster;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Nodes of a Redis cluster that are killed, or stand still. */
class RedisFailingNodesTest extends RedisClusterTest {
  @Test
  void read_masterIsKilled_othersStayAndAllAreThereAgain() {
    int killed = cluster.masters().getFirst();
    try (RedisRowStore store = open(Duration.ofMillis(500));
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

  @Test
  void read_masterStandsStill_takesNoLongerThanItMay() {
    int stopped = cluster.masters().getLast();
    Duration timeout = Duration.ofMillis(500);
    try (RedisRowStore store = open(timeout);
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
    try (RedisRowStore store = open(Duration.ofMillis(200));
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
}
