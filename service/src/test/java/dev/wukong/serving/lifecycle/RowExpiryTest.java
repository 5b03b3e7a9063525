package dev.wukong.serving.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.data.RowKey;
import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class RowExpiryTest {
  private static final RowsView VIEW = new RowsView("ctr", 1, 0);
  private static final Instant IMPORTED = Instant.parse("2026-11-01T00:00:00Z");
  private static final List<RowPolicy> TABLES =
      List.of(new RowPolicy(1, Duration.ofDays(7)), new RowPolicy(1, null));

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final LifecycleMeters meters =
      new LifecycleMeters("ctr", List.of("user", "item"), registry);
  private final StateStore store = new HeapRowStore();
  private int version;

  private RowExpiry expiry(long mostRows, long importedRows) {
    return new RowExpiry(store, VIEW, TABLES, mostRows, importedRows, IMPORTED, meters);
  }

  private void commit(long[] set, long[] removed, List<StateChange> state) {
    version++;
    RowCommit.Changes changes = new RowCommit.Changes(1, set, new float[set.length], removed);
    store.apply(new RowCommit(new RowsView("ctr", 1, version), List.of(changes)), state);
  }

  private void put(long key, Instant learned, int times) {
    StateChange life =
        new StateChange.Put(StateKind.LIFE, key, new RowLife(learned, times).bytes());
    commit(new long[] {key}, new long[0], List.of(life));
  }

  private long[] commit(RowExpiry expiry, long[] removed) {
    commit(new long[0], removed, expiry.drain());
    return removed;
  }

  /** Goes through all rows that there are, {@code most} at a time. */
  private List<Long> pass(RowExpiry expiry, Instant now, int most) {
    List<Long> removed = new ArrayList<>();
    for (int looked = store.rowKeys(VIEW, -1, 1_000_000).length; looked >= 0; looked -= most) {
      LongStream.of(commit(expiry, expiry.next(now, most, key -> false))).forEach(removed::add);
    }
    return removed;
  }

  private double removed(String reason) {
    return registry.get("wukong.embedding.removed").tag("reason", reason).counter().count();
  }

  @Test
  void next_rowsOlderThanTheirTableAllows_go() {
    Instant now = IMPORTED.plus(Duration.ofDays(10));
    put(RowKey.of(0, 5), now.minus(Duration.ofDays(7)), 1);
    put(RowKey.of(0, 6), now.minus(Duration.ofDays(7)).minusMillis(1), 1000);
    put(RowKey.of(0, 7), now.plusSeconds(5), 1); // Later than the time that training is at.
    put(RowKey.of(1, 5), IMPORTED.minus(Duration.ofDays(1000)), 1);
    // Imported, and never learned from.
    commit(new long[] {RowKey.of(0, 8), RowKey.of(1, 8)}, new long[0], List.of());
    RowExpiry expiry = expiry(100, 6);

    long[] removed = expiry.next(now, 100, key -> false);

    assertThat(removed).containsExactly(RowKey.of(0, 6), RowKey.of(0, 8));
    assertThat(expiry.rows()).isEqualTo(4);
    assertThat(removed("age")).isEqualTo(2);
    commit(expiry, removed);
    assertThat(store.state(VIEW, StateKind.LIFE, new long[] {RowKey.of(0, 6), RowKey.of(0, 5)}))
        .satisfiesExactly(gone -> assertThat(gone).isNull(), is -> assertThat(is).isNotNull());
    assertThat(store.rowKeys(VIEW, -1, 10)).hasSize(4);
  }

  @Test
  void next_rowsOfAbsentAndUnseenValues_andThoseThatChange_stay() {
    long[] keys = {
      RowKey.of(0, RowKey.UNSEEN), RowKey.of(0, RowKey.MISSING), RowKey.of(0, 5), RowKey.of(0, 6)
    };
    commit(keys, new long[0], List.of());
    RowExpiry expiry = expiry(0, 4);
    Instant now = IMPORTED.plus(Duration.ofDays(100));

    assertThat(expiry.next(now, 100, key -> key == keys[2])).containsExactly(keys[3]);
    assertThat(expiry.next(now, 100, key -> true)).isEmpty();
  }

  /** The worth of rows is spread; nobody is too old. */
  @Test
  void next_moreRowsThanMayBe_takesThoseLearnedFromLeast() {
    SplittableRandom random = new SplittableRandom(3);
    Instant now = IMPORTED.plus(Duration.ofDays(5));
    for (int id = 10; id < 1010; id++) {
      int times = 1 << random.nextInt(8);
      put(RowKey.of(1, id), now.minusSeconds(random.nextInt(86400)), times);
    }
    RowExpiry expiry = expiry(600, 1000);
    assertThat(expiry.hasRoom()).isFalse();

    assertThat(pass(expiry, now, 64)).isEmpty(); // It must know all before it takes any.
    List<Long> gone = pass(expiry, now, 64);

    assertThat(gone).hasSize(418); // With room for some that are new.
    assertThat(expiry.rows()).isEqualTo(582);
    assertThat(expiry.hasRoom()).isTrue();
    assertThat(removed("cap")).isEqualTo(418);
    long[] left = store.rowKeys(VIEW, -1, 2000);
    int least =
        store.state(VIEW, StateKind.LIFE, left).stream()
            .mapToInt(life -> RowLife.of(Objects.requireNonNull(life)).times())
            .min()
            .orElseThrow();
    assertThat(least).isGreaterThanOrEqualTo(8); // 418 of 1000 are those of 1, 2, 4 and some of 8.
    assertThat(pass(expiry, now, 64)).isEmpty();
    expiry.admitted();
    assertThat(expiry.rows()).isEqualTo(583);
  }

  /** Beside one that never ends; after each commit another one goes on from what is stored. */
  @Test
  void restore_afterAnyCommit_takesTheSameRows() {
    SplittableRandom random = new SplittableRandom(4);
    RowExpiry endless = expiry(200, 0);
    Instant now = IMPORTED;
    long next = 10;
    int gone = 0;
    for (int step = 0; step < 400; step++) {
      now = now.plusSeconds(random.nextInt(7200));
      RowExpiry restored = expiry(200, 0);
      assertThat(restored.rows()).isEqualTo(endless.rows());
      List<StateChange> state = new ArrayList<>();
      LongStream.Builder set = LongStream.builder();
      // As training does: it asks for room.
      for (int i = random.nextInt(5); i > 0 && restored.hasRoom(); i--) {
        long key = RowKey.of(random.nextInt(2), next++);
        RowLife life = new RowLife(now, random.nextInt(1, 10));
        state.add(new StateChange.Put(StateKind.LIFE, key, life.bytes()));
        set.add(key);
        endless.admitted();
        restored.admitted();
      }
      long[] removed = {};
      if (random.nextInt(3) > 0) { // Not every commit looks at rows.
        removed = restored.next(now, 20, key -> false);
        assertThat(endless.next(now, 20, key -> false)).containsExactly(removed);
      }
      gone += removed.length;
      state.addAll(restored.drain());
      assertThat(endless.drain()).isNotEmpty();
      commit(set.build().toArray(), removed, state);
      assertThat(store.rowKeys(VIEW, -1, 10_000)).hasSize((int) endless.rows());
    }
    assertThat(gone).isGreaterThan(100);
    assertThat(removed("age")).isPositive();
    assertThat(removed("cap")).isPositive();
  }

  @Test
  void next_anyRows_measuresTheirAges() {
    Instant now = IMPORTED.plus(Duration.ofHours(5));
    put(RowKey.of(1, 5), now.minusSeconds(100), 1);
    commit(new long[] {RowKey.of(1, 6)}, new long[0], List.of());

    expiry(10, 2).next(now, 10, key -> false);

    assertThat(
            registry.get("wukong.embedding.row.age").tag("table", "item").summary().totalAmount())
        .isEqualTo(100 + 5 * 3600);
    assertThat(registry.get("wukong.embedding.row.age").tag("table", "user").summary().count())
        .isZero();
  }
}
