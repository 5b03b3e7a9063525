package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ResidentTableTest {
  private static float[] row(ResidentTable table, int place) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment to = arena.allocate(8L + 4L * table.width());
      table.copyFloats(place, to, 8);
      return to.asSlice(8).toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  @RepeatedTest(value = 200, name = "seed {currentRepetition}")
  void add_anyKeys_findsWhatAMapFinds(RepetitionInfo run) {
    SplittableRandom random = new SplittableRandom(run.getCurrentRepetition());
    long[] keys = random.longs(random.nextInt(500), 0, 401).toArray();
    Map<Long, Float> expected = new HashMap<>();
    try (ResidentTable table = new ResidentTable(RowFormat.FP32, 2, 200)) {
      for (long key : keys) {
        float value = expected.size();
        int place = table.add(key, 0, new float[] {-1, value, -value}, 1);
        if (expected.containsKey(key)) {
          assertThat(place).isEqualTo(table.find(key, 0));
        } else if (expected.size() < 200) {
          expected.put(key, value);
        } else {
          assertThat(place).isEqualTo(ResidentTable.NONE);
        }
      }
      assertThat(table.size()).isEqualTo(expected.size());
      for (long key = 0; key <= 400; key++) {
        Float value = expected.get(key);
        if (value == null) {
          assertThat(table.find(key, 0)).isEqualTo(ResidentTable.NONE);
        } else {
          assertThat(row(table, table.find(key, 0))).containsExactly(value, -value);
        }
      }
    }
  }

  /** Widths on both sides of what is copied piece by piece, and one that pieces do not fill. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 16, 32, 34, 64})
  void copyRows_someWithoutAPlace_putsTheOthersSideBySide(int width) {
    SplittableRandom random = new SplittableRandom(width);
    try (ResidentTable table = new ResidentTable(RowFormat.FP32, width, 100);
        Arena arena = Arena.ofConfined()) {
      float[] floats = new float[100 * width];
      for (int i = 0; i < floats.length; i++) {
        floats[i] = random.nextFloat();
      }
      for (int key = 0; key < 100; key++) {
        assertThat(table.add(key, 0, floats, key * width)).isEqualTo(key);
      }
      int[] places = new int[300];
      for (int i = 0; i < places.length; i++) {
        places[i] = random.nextInt(5) == 0 ? ResidentTable.NONE : random.nextInt(100);
      }
      int count = 250;
      long rowBytes = 4L * width;
      MemorySegment to = arena.allocate(8 + places.length * rowBytes);

      table.copies().floats(places, count, to, 8);

      for (int i = 0; i < places.length; i++) {
        float[] expected =
            i < count && places[i] != ResidentTable.NONE
                ? Arrays.copyOfRange(floats, places[i] * width, (places[i] + 1) * width)
                : new float[width];
        assertThat(to.asSlice(8 + i * rowBytes, rowBytes).toArray(ValueLayout.JAVA_FLOAT))
            .containsExactly(expected);
      }
    }
  }

  @Test
  void close_tableInAMappingOfItsOwn_givesItBack() {
    ResidentTable table = new ResidentTable(RowFormat.FP32, 64, 50_000); // 12.8 MB of rows.
    float[] ones = new float[64];
    Arrays.fill(ones, 1);
    assertThat(table.add(7, 0, ones, 0)).isZero();
    assertThat(row(table, 0)).containsExactly(ones);
    assertThat(row(table, 49_999)).containsOnly(0);
    table.close();
    assertThatThrownBy(() -> table.find(7, 0)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void find_whileAnotherThreadInstalls_neverSeesARowHalfWritten() throws Exception {
    int count = 20_000;
    int width = 16;
    AtomicBoolean done = new AtomicBoolean();
    CountDownLatch ready = new CountDownLatch(2);
    try (ResidentTable table = new ResidentTable(RowFormat.FP32, width, count);
        ExecutorService readers = Executors.newFixedThreadPool(2)) {
      List<Future<Integer>> wrong = new ArrayList<>();
      for (int r = 0; r < 2; r++) {
        long start = r * 7919L;
        wrong.add(
            readers.submit(
                () -> {
                  ready.countDown();
                  int bad = 0;
                  for (long key = start; !done.get(); key = (key + 1) % count) {
                    int place = table.find(key, 0);
                    if (place != ResidentTable.NONE) {
                      for (float value : row(table, place)) {
                        bad += value == key ? 0 : 1;
                      }
                    }
                  }
                  return bad;
                }));
      }
      ready.await();
      float[] floats = new float[width];
      for (int key = 0; key < count; key++) {
        Arrays.fill(floats, key);
        assertThat(table.add(key, 0, floats, 0)).isEqualTo(key);
      }
      done.set(true);
      for (Future<Integer> bad : wrong) {
        assertThat(bad.get()).isZero();
      }
    }
  }

  /**
   * As a model's rows live: commits replace and delete them, misses bring them in, some are
   * evicted, and readers of several versions are about. The truth is a map of all that was ever
   * committed.
   */
  @RepeatedTest(value = 200, name = "seed {currentRepetition}")
  void anyOperations_aReaderOfAnyVersionFindsItsRowOrNone(RepetitionInfo run) {
    SplittableRandom random = new SplittableRandom(run.getCurrentRepetition());
    int keys = random.nextInt(1, 40);
    boolean roomy = random.nextBoolean();
    Map<Long, TreeMap<Integer, Float>> truth = new HashMap<>();
    Map<Long, Integer> known = new HashMap<>(); // From which version on.
    int current = 0;
    int oldest = 0;
    try (ResidentTable table =
        new ResidentTable(RowFormat.FP32, 2, roomy ? 4000 : random.nextInt(1, 40))) {
      for (int step = 0; step < 1500; step++) {
        long key = random.nextInt(keys);
        switch (random.nextInt(6)) {
          case 0 -> {
            current++;
            for (int i = random.nextInt(5); i > 0; i--) {
              key = random.nextInt(keys);
              float value = random.nextInt(4) == 0 ? Float.NaN : random.nextInt(1 << 20);
              TreeMap<Integer, Float> versions = truth.computeIfAbsent(key, k -> new TreeMap<>());
              if (versions.containsKey(current)) {
                continue;
              }
              versions.put(current, value);
              boolean there =
                  Float.isNaN(value)
                      ? table.setAbsent(key, current)
                      : table.set(key, current, new float[] {value, -value}, 0);
              Map.Entry<Integer, Float> former = versions.lowerEntry(current);
              boolean wasAbsent = former == null || Float.isNaN(former.getValue());
              if (!there) {
                known.remove(key);
              } else if (Float.isNaN(value) || wasAbsent) {
                known.put(key, current); // An absence and what is beside it are no chain.
              } else {
                known.putIfAbsent(key, current);
              }
            }
          }
          case 1, 2 -> {
            // What a store that is read at the current version says.
            Map.Entry<Integer, Float> now =
                truth.getOrDefault(key, new TreeMap<>()).floorEntry(current);
            if (!known.containsKey(key)) {
              if (now == null || Float.isNaN(now.getValue())) {
                if (table.setAbsent(key, current)) {
                  known.put(key, current);
                }
              } else if (table.add(
                      key, now.getKey(), new float[] {now.getValue(), -now.getValue()}, 0)
                  != ResidentTable.NONE) {
                known.put(key, now.getKey());
              }
            }
          }
          case 3 -> {
            if (random.nextInt(3) == 0) {
              table.evict(key);
              known.remove(key);
            }
          }
          case 4 -> {
            oldest = random.nextInt(oldest, current + 1);
            table.reclaim(oldest);
          }
          default -> {
            int version = random.nextInt(oldest, current + 1);
            int place = table.find(key, version);
            Map.Entry<Integer, Float> expected =
                truth.getOrDefault(key, new TreeMap<>()).floorEntry(version);
            boolean absent = expected == null || Float.isNaN(expected.getValue());
            if (place == ResidentTable.NONE) {
              assertThat(known.getOrDefault(key, Integer.MAX_VALUE)).isGreaterThan(version);
            } else if (absent) {
              assertThat(place).isEqualTo(ResidentTable.ABSENT);
            } else {
              assertThat(row(table, place))
                  .containsExactly(expected.getValue(), -expected.getValue());
            }
          }
        }
      }
    }
  }

  @Test
  void evict_somebodyReads_keepsTheRowUntilTheyLeave() {
    try (ResidentTable table = new ResidentTable(RowFormat.FP32, 1, 2)) {
      table.add(1, 0, new float[] {1}, 0);
      table.add(2, 0, new float[] {2}, 0);
      int reader = table.enter();
      int place = table.find(1, 0);
      table.evict(1);
      for (int i = 0; i < 5; i++) {
        table.reclaim(0);
      }
      assertThat(table.find(1, 0)).isEqualTo(ResidentTable.NONE);
      assertThat(table.add(3, 0, new float[] {3}, 0)).isEqualTo(ResidentTable.NONE);
      assertThat(row(table, place)).containsExactly(1);
      table.leave(reader);
      table.reclaim(0);
      assertThat(table.add(3, 0, new float[] {3}, 0)).isEqualTo(place);
      assertThat(row(table, table.find(3, 0))).containsExactly(3);
      assertThat(row(table, table.find(2, 0))).containsExactly(2);
      assertThat(table.size()).isEqualTo(2);
    }
  }

  @Test
  void set_noRoom_leavesNothingOfTheKey() {
    try (ResidentTable table = new ResidentTable(RowFormat.FP32, 1, 1)) {
      table.add(1, 0, new float[] {1}, 0);
      assertThat(table.set(1, 1, new float[] {2}, 0)).isFalse();
      assertThat(table.find(1, 1)).isEqualTo(ResidentTable.NONE);
      assertThat(table.find(1, 0)).isEqualTo(ResidentTable.NONE);
      table.reclaim(1);
      assertThat(table.set(1, 1, new float[] {2}, 0)).isTrue();
      assertThat(row(table, table.find(1, 1))).containsExactly(2);
    }
  }

  @Test
  void add_olderThanWhatIsThere_isNotTaken() {
    try (ResidentTable table = new ResidentTable(RowFormat.FP32, 1, 4)) {
      table.set(1, 5, new float[] {5}, 0);
      assertThat(table.add(1, 4, new float[] {4}, 0)).isEqualTo(ResidentTable.NONE);
      assertThat(row(table, table.find(1, 5))).containsExactly(5);
      assertThat(table.find(1, 4)).isEqualTo(ResidentTable.NONE);
      table.setAbsent(1, 6);
      assertThat(table.add(1, 5, new float[] {5}, 0)).isEqualTo(ResidentTable.NONE);
      assertThat(table.find(1, 6)).isEqualTo(ResidentTable.ABSENT);
      assertThat(table.find(1, 5)).isEqualTo(ResidentTable.NONE);
    }
  }

  /** Far more keys than there are entries, so that the index is made anew again and again. */
  @Test
  void evict_manyKeysComeAndGo_allRoomIsUsedAgain() {
    int capacity = 1000;
    try (ResidentTable table = new ResidentTable(RowFormat.FP32, 1, capacity)) {
      ArrayDeque<Long> there = new ArrayDeque<>();
      SplittableRandom random = new SplittableRandom(5);
      for (int step = 0; step < 100_000; step++) {
        if (there.size() == capacity - 1) {
          table.evict(there.remove());
          table.reclaim(0);
        }
        long key = random.nextLong(1L << 50);
        float value = (float) (key % 1000);
        assertThat(table.add(key, 0, new float[] {value}, 0)).isNotNegative();
        there.add(key);
      }
      assertThat(table.size()).isEqualTo(there.size());
      for (long key : there) {
        assertThat(row(table, table.find(key, 0))).containsExactly((float) (key % 1000));
      }
    }
  }

  /**
   * Rows carry their key and version; one thread replaces, evicts and brings in, others read at the
   * version published last. Any number that is not the reader's own is a torn or foreign row.
   */
  @Test
  void find_whileAnotherThreadReplacesAndEvicts_neverSeesAnotherRowOrVersion() throws Exception {
    int keys = 500;
    int width = 16;
    AtomicBoolean done = new AtomicBoolean();
    AtomicInteger current = new AtomicInteger();
    AtomicIntegerArray reading = new AtomicIntegerArray(new int[] {0, 0});
    List<Semaphore> sections = List.of(new Semaphore(0), new Semaphore(0));
    try (ResidentTable table = new ResidentTable(RowFormat.FP32, width, 700);
        ExecutorService readers = Executors.newFixedThreadPool(2)) {
      List<Future<long[]>> seen = new ArrayList<>();
      for (int r = 0; r < 2; r++) {
        int reader = r;
        seen.add(
            readers.submit(
                () -> {
                  SplittableRandom random = new SplittableRandom(reader);
                  long[] counts = new long[2];
                  while (!done.get()) {
                    // As a view is leased: said first, then looked at again.
                    int version = current.get();
                    reading.set(reader, version);
                    if (current.get() == version) {
                      readSome(table, random, keys, version, counts);
                      sections.get(reader).release();
                    }
                  }
                  return counts;
                }));
      }
      SplittableRandom random = new SplittableRandom(77);
      float[] floats = new float[width];
      int[] versions = new int[keys];
      try {
        for (int version = 1; version <= 3000; version++) {
          for (int i = 0; i < 30; i++) {
            int key = random.nextInt(keys);
            if (random.nextInt(4) == 0) {
              table.evict(key);
            } else if (versions[key] < version) {
              Arrays.fill(floats, stamp(key, version));
              table.set(key, version, floats, 0);
              versions[key] = version;
            }
          }
          sections.forEach(Semaphore::drainPermits);
          current.set(version);
          table.reclaim(Math.min(reading.get(0), reading.get(1)));
          // In step with the readers, whatever they have read before: a writer alone empties the
          // table, as nothing is free again while a reader stands still, and they find no row.
          for (Semaphore read : sections) {
            assertThat(read.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
          }
        }
      } finally {
        done.set(true); // Whatever it was, or nobody would ever end.
      }
      for (Future<long[]> counts : seen) {
        assertThat(counts.get()[0]).isPositive();
        assertThat(counts.get()[1]).isZero();
      }
    }
  }

  private static float stamp(long key, int version) {
    return (float) (key + 1000L * version);
  }

  /** Adds the rows found to {@code counts[0]}, the wrong ones to {@code counts[1]}. */
  private static void readSome(
      ResidentTable table, SplittableRandom random, int keys, int version, long[] counts) {
    int section = table.enter();
    for (int i = 0; i < 50; i++) {
      long key = random.nextInt(keys);
      int place = table.find(key, version);
      if (place >= 0) {
        float[] row = row(table, place);
        counts[0]++;
        boolean own = row[0] % 1000 == key && row[0] <= stamp(key, version);
        for (float value : row) {
          own &= value == row[0];
        }
        counts[1] += own ? 0 : 1;
      }
    }
    table.leave(section);
  }
}
