package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

  /** Widths on both sides of what is copied piece by piece, and one that pieces do not fill. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 16, 32, 34, 64})
  void copyRows_someWithoutAPlace_putsTheOthersSideBySide(int width) {
    SplittableRandom random = new SplittableRandom(width);
    try (ResidentTable table = new ResidentTable(width, 100);
        Arena arena = Arena.ofConfined()) {
      float[] floats = new float[100 * width];
      for (int i = 0; i < floats.length; i++) {
        floats[i] = random.nextFloat();
      }
      for (int key = 0; key < 100; key++) {
        assertThat(table.install(key, floats, key * width)).isEqualTo(key);
      }
      int[] places = new int[300];
      for (int i = 0; i < places.length; i++) {
        places[i] = random.nextInt(5) == 0 ? ResidentTable.NONE : random.nextInt(100);
      }
      int count = 250;
      long rowBytes = 4L * width;
      MemorySegment to = arena.allocate(8 + places.length * rowBytes);

      table.copyRows(places, count, to, 8);

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
    ResidentTable table = new ResidentTable(64, 50_000); // 12.8 MB of rows.
    float[] ones = new float[64];
    Arrays.fill(ones, 1);
    assertThat(table.install(7, ones, 0)).isZero();
    assertThat(row(table, 0)).containsExactly(ones);
    assertThat(row(table, 49_999)).containsOnly(0);
    table.close();
    assertThatThrownBy(() -> table.find(7)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void allocate_moreThanThereIs_saysSo() {
    try (Arena arena = Arena.ofConfined()) {
      assertThatThrownBy(() -> MappedMemory.allocate(arena, 1L << 60))
          .isInstanceOf(OutOfMemoryError.class)
          .hasMessage("the system has no 1152921504606846976 bytes for rows");
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
