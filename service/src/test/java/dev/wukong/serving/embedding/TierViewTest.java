package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.data.InputLayout;
import dev.wukong.data.UniqueRows;
import dev.wukong.runtime.device.Element;
import dev.wukong.serving.inputs.ModelInputs;
import dev.wukong.serving.testing.ForwardingStore;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

/** What views of different versions see of a tier whose rows change. */
class TierViewTest {
  private static final int WIDTH = 2;
  private static final RowsView IMPORTED = new RowsView("m", 1, 0);

  /** The first number of a row that is not there. */
  private static final float NOTHING = -1;

  private final InputLayout layout = OneGroup.layout(WIDTH, 1000, "item");
  private final ModelInputs target = new ModelInputs(layout, Element.FLOAT32, _ -> {});
  private final RowStore heap = new HeapRowStore();

  @AfterEach
  void close() {
    target.close();
  }

  private TierView open(RowStore store, int capacity, RowThreads threads) {
    return tier(store, capacity, threads).open();
  }

  private EmbeddingTier tier(RowStore store, int capacity, RowThreads threads) {
    return new EmbeddingTier(
        layout,
        IMPORTED,
        store,
        threads,
        RowFormat.FP32,
        new int[] {capacity},
        false,
        List.of(new float[] {NOTHING, NOTHING}),
        new RowMeters("m", new SimpleMeterRegistry()));
  }

  private static float[] floats(long[] keys, float value) {
    float[] rows = new float[keys.length * WIDTH];
    for (int i = 0; i < keys.length; i++) {
      rows[i * WIDTH] = value;
      rows[i * WIDTH + 1] = keys[i];
    }
    return rows;
  }

  private static List<RowCommit.Changes> set(float value, long... keys) {
    return List.of(new RowCommit.Changes(WIDTH, keys, floats(keys, value), new long[0]));
  }

  private static List<RowCommit.Changes> removed(long... keys) {
    return List.of(new RowCommit.Changes(WIDTH, new long[0], new float[0], keys));
  }

  private void put(float value, long... keys) {
    heap.apply(new RowCommit(IMPORTED, WIDTH, keys, floats(keys, value)));
  }

  /** The first number of each key's row as {@code view} gives it. */
  private List<Float> read(TierView view, long... keys) {
    return readUntil(view, Long.MAX_VALUE / 2, keys);
  }

  private List<Float> readUntil(TierView view, long until, long... keys) {
    UniqueRows unique = new UniqueRows(layout);
    for (long key : keys) {
      unique.slotOf(0, key);
    }
    target.begin(0, 1);
    Defaulted _ = view.copyRows(0, unique, target, until);
    List<Float> firsts = new ArrayList<>();
    for (int slot = 1; slot <= keys.length; slot++) {
      float[] row =
          target.rows(0, keys.length).asSlice(slot * 8L, 8).toArray(ValueLayout.JAVA_FLOAT);
      assertThat(row[1]).isEqualTo(row[0] == NOTHING ? NOTHING : keys[slot - 1]);
      firsts.add(row[0]);
    }
    return firsts;
  }

  @Test
  void commit_rowsInMemoryAndNot_areSeenByTheNextViewAlone() {
    put(10, 1, 2, 3);
    try (TierView before = open(heap, 100, RowThreads.none())) {
      assertThat(read(before, 1, 4)).containsExactly(10f, NOTHING); // Rows 2 and 3 stay away.
      try (TierView after = before.tier().commit(set(11, 1, 2, 4))) {
        assertThat(after.version()).isOne();
        assertThat(read(before, 1, 2, 3, 4)).containsExactly(10f, 10f, 10f, NOTHING);
        assertThat(read(after, 1, 2, 3, 4)).containsExactly(11f, 11f, 10f, 11f);
        try (TierView last = after.tier().commit(removed(1, 3))) {
          assertThat(read(before, 1, 2, 3, 4)).containsExactly(10f, 10f, 10f, NOTHING);
          assertThat(read(after, 1, 2, 3, 4)).containsExactly(11f, 11f, 10f, 11f);
          assertThat(read(last, 1, 2, 3, 4)).containsExactly(NOTHING, 11f, NOTHING, 11f);
        }
      }
    }
  }

  @Test
  void keep_rowsReadBeforeACommit_neverHideWhatItChanged() {
    put(10, 1, 2, 3);
    Queue<Runnable> late = new ArrayDeque<>();
    RowThreads threads = RowThreads.of(late::add, Runnable::run);
    try (TierView before = open(heap, 100, threads)) {
      long past = System.nanoTime() - 1;
      assertThat(readUntil(before, past, 1, 2, 4)).containsOnly(NOTHING); // Is being read, slowly.
      try (TierView after = before.tier().commit(set(11, 1, 4))) {
        late.remove().run();
        assertThat(readUntil(before, past, 2)).containsExactly(10f);
        assertThat(readUntil(after, past, 2)).containsExactly(10f); // Not changed: kept for both.
        // Not what was before; it is read.
        assertThat(readUntil(after, past, 1, 4)).containsExactly(NOTHING, NOTHING);
        late.remove().run();
        assertThat(readUntil(after, past, 1, 4)).containsExactly(11f, 11f);
      }
    }
  }

  @Test
  void close_readsUnderWay_endBeforeTheTierDoes() {
    put(10, 1);
    Queue<Runnable> late = new ArrayDeque<>();
    TierView view = open(heap, 100, RowThreads.of(late::add, Runnable::run));
    readUntil(view, System.nanoTime() - 1, 1);
    view.close();
    late.remove().run(); // What it reads and where it puts that are still there.
  }

  @Test
  void commit_storeFails_changesNothing() {
    put(10, 1);
    List<Boolean> failing = new ArrayList<>(List.of(true));
    RowStore store =
        new ForwardingStore(heap) {
          @Override
          public void apply(RowCommit commit) {
            if (failing.getFirst()) {
              throw new StoreException("told to fail", null);
            }
            super.apply(commit);
          }
        };
    try (TierView view = open(store, 100, RowThreads.none())) {
      read(view, 1);
      assertThatThrownBy(() -> view.tier().commit(set(11, 1))).isInstanceOf(StoreException.class);
      assertThat(read(view, 1)).containsExactly(10f);
      failing.set(0, false);
      try (TierView after = view.tier().commit(set(12, 1))) {
        assertThat(read(after, 1)).containsExactly(12f);
      }
    }
  }

  @Test
  void commit_viewCannotBeOpened_nothingCanBeChangedAnyMore() {
    put(10, 1);
    RowStore store =
        new ForwardingStore(heap) {
          @Override
          public RowReader reader(RowsView view) {
            if (view.version() > 0) {
              throw new StoreException("told to fail", null);
            }
            return super.reader(view);
          }
        };
    try (TierView view = open(store, 100, RowThreads.none())) {
      assertThatThrownBy(() -> view.tier().commit(set(11, 1))).isInstanceOf(StoreException.class);
      assertThatThrownBy(() -> view.tier().commit(set(12, 1)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("model 'm' version 1");
      assertThat(read(view, 1)).containsExactly(10f);
    }
  }

  @Test
  void commit_allRowsFromTheBundleOrAnotherWidth_isRefused() {
    try (TierView view = open(heap, 100, RowThreads.none())) {
      assertThatThrownBy(
              () ->
                  view.tier()
                      .commit(
                          List.of(
                              new RowCommit.Changes(3, new long[] {1}, new float[3], new long[0]))))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("model 'm' has no rows of width 3, but of [2]");
      view.tier().markComplete();
      assertThatThrownBy(() -> view.tier().commit(set(11, 1)))
          .isInstanceOf(IllegalStateException.class);
    }
    assertThat(heap.version(IMPORTED)).isZero();
  }

  /** Against a map a version: random requests, commits, views and late reads. */
  @RepeatedTest(value = 100, name = "seed {currentRepetition}")
  void copyRows_viewsReadsAndCommitsAtRandom_giveEachViewItsRows(RepetitionInfo run) {
    SplittableRandom random = new SplittableRandom(run.getCurrentRepetition());
    int range = random.nextInt(5, 200);
    Map<Long, Float> now = new HashMap<>();
    for (long key = 0; key < range; key += 1 + random.nextInt(3)) {
      put(0.5f, key);
      now.put(key, 0.5f);
    }
    Queue<Runnable> late = new ArrayDeque<>();
    RowThreads threads =
        RowThreads.of(
            Runnable::run,
            task -> {
              if (random.nextBoolean()) {
                late.add(task);
              } else {
                task.run();
              }
            });
    EmbeddingTier tier = tier(heap, random.nextInt(1, 100), threads);
    Queue<TierView> views = new ArrayDeque<>(List.of(tier.open()));
    Map<Integer, Map<Long, Float>> expected = new HashMap<>();
    expected.put(0, new HashMap<>(now));
    for (int step = 0; step < 200; step++) {
      switch (random.nextInt(8)) {
        case 0 -> {
          long[] keys = keys(random, range);
          boolean remove = random.nextInt(3) == 0;
          float value = tier.nextVersion();
          views.add(tier.commit(remove ? removed(keys) : set(value, keys)));
          for (long key : keys) {
            if (remove) {
              now.remove(key);
            } else {
              now.put(key, value);
            }
          }
          expected.put(tier.nextVersion() - 1, new HashMap<>(now));
        }
        case 1 -> {
          if (views.size() > 1) {
            views.remove().close();
          }
        }
        case 2 -> {
          if (!late.isEmpty()) {
            late.remove().run();
          }
        }
        default -> {
          TierView view = views.remove();
          views.add(view);
          long[] keys = keys(random, range);
          Map<Long, Float> rows = expected.getOrDefault(view.version(), Map.of());
          assertThat(read(view, keys))
              .containsExactlyElementsOf(
                  LongStream.of(keys).mapToObj(key -> rows.getOrDefault(key, NOTHING)).toList());
        }
      }
    }
    late.forEach(Runnable::run);
    views.forEach(TierView::close);
  }

  /** Some distinct ones. */
  private static long[] keys(SplittableRandom random, int range) {
    return random.longs(random.nextInt(1, 30), 0, range).distinct().toArray();
  }
}
