package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.data.InputLayout;
import dev.wukong.data.RowKey;
import dev.wukong.data.UniqueRows;
import dev.wukong.runtime.device.Element;
import dev.wukong.serving.inputs.ModelInputs;
import dev.wukong.serving.testing.ForwardingStore;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EmbeddingTierTest {
  private static final int WIDTH = 4;
  private static final RowsView VIEW = new RowsView("m", 1, 0);
  private static final float[] DEFAULT_0 = {-1, -2, -3, -4};
  private static final float[] DEFAULT_1 = {-5, -6, -7, -8};

  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final Counting store = new Counting();
  private final InputLayout layout = OneGroup.layout(WIDTH, 1000, "user", "item");

  /** How many slots of the last read took a default row as their own was not read in time. */
  private int unread;

  private final ModelInputs target = new ModelInputs(layout, Element.FLOAT32, _ -> {});

  @AfterEach
  void close() {
    target.close();
  }

  /** A store that counts how often each key is asked for, and may be told to fail. */
  private static final class Counting extends ForwardingStore {
    private final Map<Long, Integer> asked = new ConcurrentHashMap<>();
    private boolean failing;
    private int failures;

    Counting() {
      super(new HeapRowStore());
    }

    int asked(long key) {
      return asked.getOrDefault(key, 0);
    }

    @Override
    public RowReader reader(RowsView view) {
      RowReader reader = super.reader(view);
      return new RowReader() {
        @Override
        public void read(int width, long[] keys, int count, float[] out, RowFate[] fates) {
          if (failing) {
            failures++;
            throw new StoreException("told to fail", null);
          }
          for (int i = 0; i < count; i++) {
            asked.merge(keys[i], 1, Integer::sum);
          }
          reader.read(width, keys, count, out, fates);
        }

        @Override
        public void close() {
          reader.close();
        }
      };
    }
  }

  private TierView tier(int capacity, RowThreads threads) {
    return tier(capacity, RowFormat.FP32, threads);
  }

  private TierView tier(int capacity, RowFormat format, RowThreads threads) {
    return new EmbeddingTier(
            layout,
            VIEW,
            store,
            threads,
            format,
            new int[] {capacity},
            false,
            List.of(DEFAULT_0, DEFAULT_1),
            new RowMeters("m", meters))
        .open();
  }

  private static float[] row(long key) {
    return new float[] {RowKey.table(key), key % 100_000, 3, 4};
  }

  private void put(long... keys) {
    float[] rows = new float[keys.length * WIDTH];
    for (int i = 0; i < keys.length; i++) {
      System.arraycopy(row(keys[i]), 0, rows, i * WIDTH, WIDTH);
    }
    store.apply(new RowCommit(VIEW, WIDTH, keys, rows));
  }

  private UniqueRows unique(long... keys) {
    UniqueRows unique = new UniqueRows(layout);
    for (long key : keys) {
      unique.slotOf(0, key);
    }
    return unique;
  }

  /** Asks for these rows; by key what came. */
  private Map<Long, float[]> read(TierView tier, long... keys) {
    return readUntil(tier, Long.MAX_VALUE / 2, keys);
  }

  private Map<Long, float[]> readUntil(TierView tier, long until, long... keys) {
    UniqueRows unique = unique(keys);
    target.begin(0, 1);
    Defaulted without = tier.copyRows(0, unique, target, until);
    unread = without == null ? 0 : without.unread().cardinality();
    int count = unique.size(0);
    MemorySegment rows = target.rows(0, count);
    Map<Long, float[]> read = new HashMap<>();
    for (int slot = 1; slot <= count; slot++) {
      float[] row =
          rows.asSlice((long) slot * WIDTH * Float.BYTES, (long) WIDTH * Float.BYTES)
              .toArray(ValueLayout.JAVA_FLOAT);
      read.put(unique.key(0, slot), row);
      boolean defaulted = row[0] < 0;
      assertThat(without != null && without.slots().get(slot)).isEqualTo(defaulted);
    }
    return read;
  }

  private double counted(String from) {
    return meters.find("wukong.embedding.rows").tag("from", from).counters().stream()
        .mapToDouble(Counter::count)
        .sum();
  }

  @RepeatedTest(value = 100, name = "seed {currentRepetition}")
  void copyRows_tableSmallerThanTheStore_givesEveryKeyItsRowOrDefault(RepetitionInfo run) {
    SplittableRandom random = new SplittableRandom(run.getCurrentRepetition());
    int range = random.nextInt(1, 300);
    long[] stored =
        LongStream.range(0, range)
            .flatMap(id -> LongStream.of(RowKey.of(0, id), RowKey.of(1, id)))
            .filter(key -> random.nextInt(4) > 0)
            .toArray();
    put(stored);
    Set<Long> there = new HashSet<>(LongStream.of(stored).boxed().toList());
    int capacity = random.nextInt(1, 100);
    try (TierView tier = tier(capacity, RowThreads.none())) {
      for (int request = 0; request < 60; request++) {
        long[] keys =
            IntStream.range(0, random.nextInt(1, 80))
                .mapToLong(i -> RowKey.of(random.nextInt(2), random.nextInt(range)))
                .toArray();
        read(tier, keys)
            .forEach(
                (key, row) -> {
                  float[] without = RowKey.table(key) == 0 ? DEFAULT_0 : DEFAULT_1;
                  assertThat(row).containsExactly(there.contains(key) ? row(key) : without);
                });
        assertThat(tier.tier().residentRows()).isLessThanOrEqualTo(capacity);
      }
    }
  }

  private static RowCommit.Changes changes(float third, long... keys) {
    float[] rows = new float[keys.length * WIDTH];
    for (int i = 0; i < keys.length; i++) {
      System.arraycopy(other(keys[i], third), 0, rows, i * WIDTH, WIDTH);
    }
    return new RowCommit.Changes(WIDTH, keys, rows, new long[0]);
  }

  private static float[] other(long key, float third) {
    return new float[] {RowKey.table(key), key % 100_000, third, 4};
  }

  @ParameterizedTest
  @EnumSource(RowFormat.class)
  void copyRows_overlay_seesItsRowsAtItsVersionAndTheTiersElse(RowFormat format) {
    long[] keys = LongStream.range(1, 7).map(id -> RowKey.of(0, id)).toArray();
    put(keys[0], keys[1], keys[2], keys[3]);
    try (TierView plain = tier(3, format, RowThreads.none())) {
      RowOverlay overlay = plain.tier().overlay(5);
      assertThat(overlay.change(List.of(changes(7, keys[0], keys[4])))).isTrue();
      try (TierView first = plain.tier().open(overlay)) {
        assertThat(overlay.change(List.of(changes(8, keys[0], keys[1])))).isTrue();
        try (TierView second = plain.tier().open(overlay)) {
          overlay.close();
          for (int turn = 0; turn < 3; turn++) { // Also where the tier has none in memory.
            see(format, read(first, keys), keys, 7, 3, 3, 3, 7, -1);
            see(format, read(second, keys), keys, 8, 8, 3, 3, 7, -1);
            see(format, read(plain, keys), keys, 3, 3, 3, 3, -1, -1);
          }
        }
        assertThat(overlay.size()).isEqualTo(4);
        see(format, read(first, keys), keys, 7, 3, 3, 3, 7, -1);
      }
    }
  }

  private static void see(RowFormat format, Map<Long, float[]> read, long[] keys, float... thirds) {
    for (int i = 0; i < thirds.length; i++) {
      float[] row = thirds[i] < 0 ? DEFAULT_0 : other(keys[i], thirds[i]);
      assertThat(read.get(keys[i]))
          .containsExactly(row, within(format == RowFormat.INT8 ? 0.04f : 0));
    }
  }

  @Test
  void change_overlayIsFull_saysSoAndLeavesWhatIsSeenAlone() {
    long[] keys = LongStream.range(1, 5).map(id -> RowKey.of(0, id)).toArray();
    put(keys);
    try (TierView plain = tier(3, RowThreads.none())) {
      RowOverlay overlay = plain.tier().overlay(3);
      assertThat(overlay.change(List.of(changes(7, keys[0], keys[1])))).isTrue();
      try (TierView view = plain.tier().open(overlay)) {
        assertThat(overlay.change(List.of(changes(8, keys[0], keys[1], keys[2])))).isFalse();
        see(RowFormat.FP32, read(view, keys), keys, 7, 7, 3, 3);
      }
      overlay.close();
    }
  }

  /** With the threads of the service, and memory for a few of the rows. */
  @Test
  void copyRows_manyThreadsWhileRowsComeAndGo_givesEachItsOwnRows() throws Exception {
    int range = 3000;
    put(LongStream.range(0, range).map(id -> RowKey.of(0, id)).toArray());
    try (RowThreads threads = RowThreads.start(2, meters);
        TierView tier = tier(300, threads);
        ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Integer>> wrong = new ArrayList<>();
      for (int c = 0; c < 6; c++) {
        SplittableRandom random = new SplittableRandom(c);
        wrong.add(callers.submit(() -> wrongRows(tier, random, range)));
      }
      for (Future<Integer> of : wrong) {
        assertThat(of.get(60, TimeUnit.SECONDS)).isZero();
      }
    }
    assertThat(counted("unread")).isZero();
    assertThat(meters.get("wukong.embedding.evictions").tag("table", "user").counter().count())
        .isPositive();
  }

  /** Of 400 requests, how many rows are not those of their keys. */
  private int wrongRows(TierView tier, SplittableRandom random, int range) {
    int wrong = 0;
    try (ModelInputs own = new ModelInputs(layout, Element.FLOAT32, _ -> {})) {
      for (int request = 0; request < 400; request++) {
        UniqueRows unique = new UniqueRows(layout);
        for (int i = 0; i < 400; i++) {
          // Some are asked for far more often than others.
          unique.slotOf(0, RowKey.of(0, random.nextInt(1 + random.nextInt(range))));
        }
        own.begin(0, 1);
        Defaulted without = tier.copyRows(0, unique, own, Long.MAX_VALUE / 2);
        wrong += without == null ? 0 : without.slots().cardinality();
        int count = unique.size(0);
        MemorySegment rows = own.rows(0, count);
        for (int slot = 1; slot <= count; slot++) {
          float[] expected = row(unique.key(0, slot));
          for (int i = 0; i < WIDTH; i++) {
            float value = rows.getAtIndex(ValueLayout.JAVA_FLOAT, (long) slot * WIDTH + i);
            wrong += value == expected[i] ? 0 : 1;
          }
        }
      }
    }
    return wrong;
  }

  @Test
  void copyRows_someKeysInEachRequest_stayInMemoryWhileOthersComeAndGo() {
    long[] hot = LongStream.range(0, 50).map(id -> RowKey.of(0, id)).toArray();
    long[] cold = LongStream.range(0, 5000).map(id -> RowKey.of(1, id)).toArray();
    put(hot);
    put(cold);
    try (TierView tier = tier(100, RowThreads.none())) {
      int warm = 0;
      for (int request = 0; request < 100; request++) {
        if (request == 50) {
          warm = LongStream.of(hot).mapToInt(store::asked).sum();
        }
        read(
            tier,
            LongStream.concat(LongStream.of(hot), LongStream.of(cold).skip(request * 50L).limit(50))
                .toArray());
      }
      // The first time each is read; and hardly ever again, though 5,000 others have come by.
      assertThat(LongStream.of(hot).mapToInt(store::asked).sum() - warm).isLessThan(50);
      assertThat(LongStream.of(cold)).allMatch(key -> store.asked(key) == 1);
      assertThat(counted("memory") + counted("store")).isEqualTo(100 * 100);
      double left =
          meters.find("wukong.embedding.evictions").counters().stream()
              .mapToDouble(Counter::count)
              .sum();
      double read = meters.get("wukong.embedding.read").timer().count();
      assertThat(left).isGreaterThanOrEqualTo(5000 - 100);
      assertThat(read).isBetween(100.0, 200.0); // 50 to 100 rows a request, 64 a read at most.
      long least = 100 * (WIDTH * Float.BYTES + 100);
      assertThat(tier.tier().residentBytes())
          .isBetween(
              least, EmbeddingTier.bytes(RowFormat.FP32, layout.groups(), new int[] {100}, false));
      // A row, its link, its two to eight entries of the index, and what keeps it.
      assertThat(tier.tier().residentBytes("user"))
          .isBetween(45L * (WIDTH * Float.BYTES + 8 + 32 + 100), 50L * (WIDTH * 4 + 8 + 128 + 110));
      assertThat(tier.tier().residentBytes("user") + tier.tier().residentBytes("item"))
          .isBetween(least, tier.tier().residentBytes());
      assertThat(tier.tier().residentBytes("other")).isZero();
    }
  }

  @Test
  void copyRows_rowsOfTwoTables_areCountedByTable() {
    put(RowKey.of(0, 1), RowKey.of(0, 2), RowKey.of(1, 1));
    try (TierView tier = tier(10, RowThreads.none())) {
      read(tier, RowKey.of(0, 1));
      read(tier, RowKey.of(0, 1), RowKey.of(0, 2), RowKey.of(1, 1), RowKey.of(1, 2));
      read(tier, RowKey.of(1, 2));
    }
    assertThat(counted("memory", "user")).isOne();
    assertThat(counted("store", "user")).isEqualTo(2);
    assertThat(counted("none", "user")).isZero();
    assertThat(counted("memory", "item")).isZero();
    assertThat(counted("store", "item")).isOne();
    assertThat(counted("none", "item")).isEqualTo(2);
  }

  private double counted(String from, String table) {
    return meters.get("wukong.embedding.rows").tags("from", from, "table", table).counter().count();
  }

  @ParameterizedTest
  @EnumSource
  void copyRows_anyFormatAndTarget_givesRowsWithinItsBounds(RowFormat format) {
    long[] keys = LongStream.range(0, 600).map(id -> RowKey.of(0, id)).toArray();
    put(keys);
    for (Element type : List.of(Element.FLOAT32, Element.FLOAT16)) {
      try (ModelInputs inputs = new ModelInputs(layout, type, _ -> {});
          TierView tier = tier(1000, format, RowThreads.none())) {
        // From the store, then from memory.
        for (int i = 0; i < 2; i++) {
          UniqueRows unique = unique(keys);
          inputs.begin(0, 1);
          assertThat(tier.copyRows(0, unique, inputs, Long.MAX_VALUE / 2)).isNull();
          MemorySegment rows = inputs.rows(0, keys.length);
          for (int slot = 1; slot <= keys.length; slot++) {
            float[] row = row(keys[slot - 1]);
            for (int j = 0; j < WIDTH; j++) {
              long at = (long) slot * WIDTH + j;
              float read =
                  type == Element.FLOAT32
                      ? rows.getAtIndex(ValueLayout.JAVA_FLOAT, at)
                      : Float.float16ToFloat(rows.getAtIndex(ValueLayout.JAVA_SHORT, at));
              assertThat(read).isCloseTo(row[j], within(600f / 127));
            }
          }
        }
        assertThat(tier.tier().residentRows()).isEqualTo(600);
      }
    }
  }

  @Test
  void copyRows_keyWithoutARow_isAskedForOnce() {
    try (TierView tier = tier(10, RowThreads.none())) {
      for (int i = 0; i < 3; i++) {
        assertThat(read(tier, 7).get(7L)).containsExactly(DEFAULT_0);
      }
      assertThat(store.asked(7)).isOne();
      assertThat(counted("none")).isEqualTo(3);
    }
  }

  @Test
  void copyRows_storeFails_takesDefaultRowsSaysSoAndAsksAgain() {
    put(7);
    try (TierView tier = tier(10, RowThreads.none())) {
      store.failing = true;
      assertThat(read(tier, 7, 8).values())
          .allSatisfy(row -> assertThat(row).containsExactly(DEFAULT_0));
      assertThat(unread).isEqualTo(2);
      assertThat(counted("unread")).isEqualTo(2);
      store.failing = false;
      assertThat(read(tier, 7).get(7L)).containsExactly(row(7));
    }
  }

  @Test
  void copyRows_storeFailsAgainAndAgain_isLeftAloneAndWhatIsInMemoryServes() {
    put(7);
    try (TierView tier = tier(10, RowThreads.none())) {
      read(tier, 7);
      store.failing = true;
      for (int i = 0; i < 20; i++) {
        Map<Long, float[]> rows = read(tier, 7, 8);
        assertThat(rows.get(7L)).containsExactly(row(7));
        assertThat(rows.get(8L)).containsExactly(DEFAULT_0);
      }
      assertThat(store.failures).isBetween(5, 19);
    }
  }

  @Test
  void copyRows_storeIsLate_takesDefaultRowsAndTheRowWhenItHasCome() {
    put(7);
    Queue<Runnable> late = new ArrayDeque<>();
    try (TierView tier = tier(10, RowThreads.of(late::add, Runnable::run))) {
      long past = System.nanoTime() - 1;
      assertThat(readUntil(tier, past, 7).get(7L)).containsExactly(DEFAULT_0);
      assertThat(unread).isOne();
      // It is being read already.
      assertThat(readUntil(tier, past, 7).get(7L)).containsExactly(DEFAULT_0);
      assertThat(late).hasSize(1);
      late.forEach(Runnable::run);
      assertThat(readUntil(tier, past, 7).get(7L)).containsExactly(row(7));
      assertThat(unread).isZero();
      assertThat(store.asked(7)).isOne();
    }
  }

  @Test
  void copyRows_readCannotBegin_nobodyWaitsForItLater() {
    put(7);
    AtomicInteger begun = new AtomicInteger();
    RowThreads threads =
        RowThreads.of(
            read -> {
              if (begun.getAndIncrement() == 0) {
                throw new OutOfMemoryError("no thread");
              }
              read.run();
            },
            Runnable::run);
    try (TierView tier = tier(10, threads)) {
      assertThatThrownBy(() -> read(tier, 7)).isInstanceOf(OutOfMemoryError.class);
      assertThat(read(tier, 7).get(7L)).containsExactly(row(7));
    }
  }

  @Test
  void copyRows_twoRequestsForOneRow_readItOnce() throws Exception {
    put(7, 8);
    Queue<Runnable> reads = new ConcurrentLinkedQueue<>();
    AtomicInteger begun = new AtomicInteger();
    try (TierView tier =
            tier(
                10,
                RowThreads.of(
                    read -> {
                      reads.add(read);
                      begun.incrementAndGet();
                    },
                    Runnable::run));
        ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> first = callers.submit(() -> copy(tier, 7));
      while (begun.get() < 1) {
        Thread.onSpinWait();
      }
      Future<?> second = callers.submit(() -> copy(tier, 7, 8));
      while (begun.get() < 2) {
        Thread.onSpinWait();
      }
      reads.forEach(Runnable::run);
      assertThat(first.get(30, TimeUnit.SECONDS)).isEqualTo(0);
      assertThat(second.get(30, TimeUnit.SECONDS)).isEqualTo(0);
    }
    assertThat(store.asked(7)).isOne();
    assertThat(store.asked(8)).isOne();
  }

  /** Slots that took a default row. */
  private int copy(TierView tier, long... keys) {
    UniqueRows unique = unique(keys);
    try (ModelInputs own = new ModelInputs(layout, Element.FLOAT32, _ -> {})) {
      own.begin(0, 1);
      Defaulted without = tier.copyRows(0, unique, own, Long.MAX_VALUE / 2);
      return without == null ? 0 : without.slots().cardinality();
    }
  }

  @Test
  void copyRows_keeperIsLate_readsFromTheStoreUntilItIsThere() {
    put(7, 8);
    Queue<Runnable> late = new ArrayDeque<>();
    try (TierView tier = tier(10, RowThreads.of(Runnable::run, late::add))) {
      for (int i = 0; i < 2; i++) {
        assertThat(read(tier, 7).get(7L)).containsExactly(row(7));
      }
      assertThat(store.asked(7)).isEqualTo(2);
      late.forEach(Runnable::run);
      assertThat(read(tier, 7).get(7L)).containsExactly(row(7));
      assertThat(store.asked(7)).isEqualTo(2);
      read(tier, 8);
    }
    late.forEach(Runnable::run); // After the close: nothing is brought in, nothing is touched.
  }

  @Test
  void install_moreThanThereIsRoom_saysSoAndKeepsWhatFits() {
    try (TierView tier = tier(2, RowThreads.none())) {
      float[] rows = new float[3 * WIDTH];
      assertThat(tier.tier().install(0, new long[] {1, 2}, 2, rows)).isTrue();
      assertThat(tier.tier().install(0, new long[] {3}, 1, rows)).isFalse();
      assertThat(tier.tier().residentRows()).isEqualTo(2);
    }
  }
}
