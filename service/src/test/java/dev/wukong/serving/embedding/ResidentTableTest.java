package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class ResidentTableTest {
  private static float[] row(ResidentTable table, int place) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment to = arena.allocate(8L + 4L * table.width());
      table.copyRow(place, to, 8);
      return to.asSlice(8).toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  @RepeatedTest(value = 200, name = "seed {currentRepetition}")
  void install_anyKeys_findsWhatAMapFinds(RepetitionInfo run) {
    SplittableRandom random = new SplittableRandom(run.getCurrentRepetition());
    long[] keys = random.longs(random.nextInt(500), 0, 401).toArray();
    Map<Long, Float> expected = new HashMap<>();
    try (ResidentTable table = new ResidentTable(2, 200)) {
      for (long key : keys) {
        float value = expected.size();
        int place = table.install(key, new float[] {-1, value, -value}, 1);
        if (expected.containsKey(key)) {
          assertThat(place).isEqualTo(table.find(key));
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
          assertThat(table.find(key)).isEqualTo(ResidentTable.NONE);
        } else {
          assertThat(row(table, table.find(key))).containsExactly(value, -value);
        }
      }
    }
  }

  @Test
  void find_whileAnotherThreadInstalls_neverSeesARowHalfWritten() throws Exception {
    int count = 20_000;
    int width = 16;
    AtomicBoolean done = new AtomicBoolean();
    CountDownLatch ready = new CountDownLatch(2);
    try (ResidentTable table = new ResidentTable(width, count);
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
                    int place = table.find(key);
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
        assertThat(table.install(key, floats, 0)).isEqualTo(key);
      }
      done.set(true);
      for (Future<Integer> bad : wrong) {
        assertThat(bad.get()).isZero();
      }
    }
  }
}
