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

import dev.wukong.serving.embedding.RowMirror.Written;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Rows that one process mirrors to a real Redis cluster, and what others see of them there. */
class RowMirrorTest extends RedisClusterTest {
  private static final Duration TIMEOUT = Duration.ofSeconds(2);
  private static final long BUNDLE = VIEW.bundle();

  /** A store that has learned once: its rows are those of version 1. */
  private static HeapRowStore learned() {
    HeapRowStore store = new HeapRowStore();
    load(store);
    store.apply(commit(1, MANY, rowsOf(MANY, 1)), state(1));
    return store;
  }

  private static List<StateChange> state(int value) {
    return List.of(
        new StateChange.Put(StateKind.CURSOR, 2, new byte[] {(byte) value}),
        new StateChange.Put(StateKind.DENSE, 0, new byte[] {(byte) value, 7}),
        new StateChange.Put(StateKind.OPTIMIZER, 5, new byte[] {9}));
  }

  private static List<RowCommit.Changes> changes(int version, long... removed) {
    return commit(version, MANY, rowsOf(MANY, version), removed).changes();
  }

  private static RowMirror begun(RedisRowStore redis, HeapRowStore from, long sequence) {
    RowMirror mirror = new RowMirror(redis, VIEW.model());
    assertThat(mirror.open()).isFalse();
    mirror.begin(sequence, List.of(state(1).getFirst()));
    assertThat(mirror.has(BUNDLE)).isFalse();
    assertThat(mirror.bring(from, BUNDLE, () -> sequence, _ -> 1, () -> false)).isTrue();
    assertThat(mirror.has(BUNDLE)).isTrue();
    return mirror;
  }

  private static byte[] state(MirroredRows rows, StateKind kind, long key) {
    return rows.state(VIEW, kind, new long[] {key}).getFirst();
  }

  @Test
  void apply_commits_areSeenOneByOneByWhoFollows() {
    try (RedisRowStore redis = open(TIMEOUT);
        HeapRowStore store = learned();
        MirroredRows follower = new MirroredRows(open(TIMEOUT), VIEW.model())) {
      assertThatThrownBy(() -> follower.imported(VIEW))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("the replica that trains brings them there");
      RowMirror mirror = begun(redis, store, 40);

      assertThat(follower.imported(VIEW)).contains("digest");
      assertThat(follower.version(VIEW)).isEqualTo(1);
      assertThat(state(follower, StateKind.CURSOR, 2)).containsExactly(1);
      assertThat(state(follower, StateKind.DENSE, 0)).containsExactly(1, 7);
      assertThat(state(follower, StateKind.OPTIMIZER, 5)).isNull();
      assertThat(follower.arrival(40, BUNDLE)).isEqualTo(Arrival.BEFORE);
      assertThat(follower.arrival(41, BUNDLE)).isEqualTo(Arrival.AWAITED);

      assertThat(mirror.apply(BUNDLE, changes(2, MANY.length), state(2)).view()).isEqualTo(at(2));
      assertThat(follower.arrival(41, BUNDLE)).isEqualTo(Arrival.THERE);
      assertThat(follower.version(VIEW)).isEqualTo(1);
      try (RowReader before = follower.reader(at(1))) {
        assertThat(readMany(before, 1)).isEqualTo(MANY.length);
      }
      follower.apply(commit(2, MANY, rowsOf(MANY, 2)), state(2));
      assertThat(follower.version(VIEW)).isEqualTo(2);
      assertThat(state(follower, StateKind.DENSE, 0)).containsExactly(2, 7);
      try (RowReader now = follower.reader(at(2))) {
        assertThat(readMany(now, 2)).isEqualTo(MANY.length);
      }
      assertThatThrownBy(() -> follower.bulk(VIEW, "another")).isInstanceOf(StoreException.class);
      // Nobody who serves takes them from the others.
      follower.drop(VIEW);
      assertThat(redis.imported(VIEW)).contains("digest");
    }
  }

  @Test
  void apply_somebodyElseWasFaster_failsAndChangesNothing() {
    try (RedisRowStore redis = open(TIMEOUT);
        RedisRowStore others = open(TIMEOUT);
        HeapRowStore store = learned()) {
      RowMirror slow = begun(redis, store, 40);
      RowMirror fast = new RowMirror(others, VIEW.model());
      assertThat(fast.open()).isTrue();
      for (int version = 2; version <= 4; version++) {
        assertThat(fast.apply(BUNDLE, changes(version), state(version)).view())
            .isEqualTo(at(version));
      }
      assertThatThrownBy(() -> slow.apply(BUNDLE, changes(2), state(2)))
          .isInstanceOf(StoreException.class)
          .hasMessage("another process mirrors these rows, or did");
      try (RowReader reader = redis.reader(at(4))) {
        assertThat(readMany(reader, 4)).isEqualTo(MANY.length);
      }
      assertThat(slow.open()).isTrue();
      assertThat(slow.sequence()).isEqualTo(43);
      assertThat(slow.state(StateKind.CURSOR, 2)).containsExactly(4);
      assertThat(slow.apply(BUNDLE, changes(5), state(5)).view()).isEqualTo(at(5));
    }
  }

  @Test
  void bring_commitsCameMeanwhile_areNotWrittenAgain() {
    try (RedisRowStore redis = open(TIMEOUT);
        HeapRowStore store = learned();
        MirroredRows follower = new MirroredRows(open(TIMEOUT), VIEW.model())) {
      RowMirror mirror = new RowMirror(redis, VIEW.model());
      mirror.begin(40, List.of(state(1).getFirst()));
      // The store is two commits ahead of the mirror.
      store.apply(commit(2, MANY, rowsOf(MANY, 2)), state(2));
      store.apply(commit(3, MANY, rowsOf(MANY, 3)), state(3));
      assertThat(mirror.bring(store, BUNDLE, () -> 42, _ -> 1, () -> false)).isTrue();
      assertThat(follower.imported(VIEW)).isEmpty();
      Written first = mirror.apply(BUNDLE, changes(2), state(2));
      assertThat(first.view()).isEqualTo(at(0));
      assertThat(follower.imported(VIEW)).isEmpty();
      Written _ = mirror.apply(BUNDLE, changes(3), state(3));
      assertThat(follower.imported(VIEW)).contains("digest");
      assertThat(follower.version(VIEW)).isEqualTo(3);
      // The follower has only heard of the first, and has both.
      assertThat(follower.arrival(42, BUNDLE)).isEqualTo(Arrival.BEFORE);
      assertThat(state(follower, StateKind.DENSE, 0)).containsExactly(3, 7);
      try (RowReader reader = follower.reader(at(3))) {
        assertThat(readMany(reader, 3)).isEqualTo(MANY.length);
      }
      assertThat(mirror.apply(BUNDLE, changes(4), state(4)).view()).isEqualTo(at(4));
      assertThat(follower.arrival(43, BUNDLE)).isEqualTo(Arrival.THERE);
    }
  }

  @Test
  void again_rowsWereLost_areThereAndNoNewerOneIsReplaced() {
    try (RedisRowStore redis = open(TIMEOUT);
        HeapRowStore store = learned()) {
      RowMirror mirror = begun(redis, store, 40);
      Written two = mirror.apply(BUNDLE, changes(2), state(2));
      long[] some = {1};
      Written _ = mirror.apply(BUNDLE, commit(3, some, new float[] {33}).changes(), state(3));
      assertThat(mirror.again(two.view(), changes(2))).isTrue();
      try (RowReader reader = redis.reader(at(3))) {
        assertThat(see(reader, 0, 1)).containsExactly(rowsOf(new long[] {0}, 2)[0], 33f);
      }
    }
  }

  @Test
  void has_nodesWereEmptied_isFalseUntilItIsBroughtAgain() {
    try (RedisRowStore redis = open(TIMEOUT);
        HeapRowStore store = learned()) {
      RowMirror mirror = begun(redis, store, 40);
      for (int node : cluster.masters()) {
        cluster.empty(node);
      }
      assertThat(mirror.has(BUNDLE)).isFalse();
      assertThatThrownBy(() -> mirror.bring(store, BUNDLE, () -> 40, _ -> 1, () -> false))
          .isInstanceOf(StoreException.class)
          .hasMessage("another process mirrors these rows, or did");
      assertThat(mirror.open()).isFalse();
      mirror.begin(40, List.of(state(1).getFirst()));
      assertThat(mirror.bring(store, BUNDLE, () -> 40, _ -> 1, () -> false)).isTrue();
      try (RowReader reader = redis.reader(at(1))) {
        assertThat(readMany(reader, 1)).isEqualTo(MANY.length);
      }
    }
  }

  @Test
  void keepOnly_bundleOfNobody_goes() {
    try (RedisRowStore redis = open(TIMEOUT);
        HeapRowStore store = learned();
        MirroredRows follower = new MirroredRows(open(TIMEOUT), VIEW.model())) {
      RowMirror mirror = begun(redis, store, 40);
      assertThat(follower.imported(VIEW)).contains("digest");
      mirror.keepOnly(Set.of(BUNDLE));
      mirror.keepOnly(Set.of(BUNDLE + 1));
      assertThat(redis.stored()).contains(VIEW); // The follower reads it.
      assertThat(follower.dropUnused(VIEW)).isTrue();
      assertThat(redis.stored()).doesNotContain(VIEW);
      mirror.keepOnly(Set.of(BUNDLE + 1));
      assertThat(mirror.has(BUNDLE)).isFalse();
    }
  }
}
