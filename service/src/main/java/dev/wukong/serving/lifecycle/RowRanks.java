package dev.wukong.serving.lifecycle;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;

/**
 * How many rows are of which worth, in steps: rows that were learned from more often are worth
 * more, among equals those more lately. One thread.
 */
final class RowRanks {
  /** Steps of how often: each is twice the one before. */
  private static final int TIMES = 32;

  /** Steps of how lately: four for each doubling of the age in minutes. */
  private static final int AGES = 64;

  /** Steps of worth. */
  static final int COUNT = TIMES * AGES;

  private final int[] rows = new int[COUNT];

  /** The worth of a row: 0 is the least. */
  static int rank(int times, Duration age) {
    // In whole numbers, which are the same on every machine.
    long minutes = Math.max(0, age.toMinutes()) + 1;
    int doublings = Long.SIZE - 1 - Long.numberOfLeadingZeros(minutes);
    int quarters = (int) ((minutes << 2 >> doublings) & 3);
    int old = Math.min(AGES - 1, 4 * doublings + quarters);
    int often = Integer.SIZE - Integer.numberOfLeadingZeros(Math.max(0, times));
    return Math.min(TIMES - 1, often) * AGES + AGES - 1 - old;
  }

  void add(int rank) {
    rows[rank]++;
  }

  void clear() {
    Arrays.fill(rows, 0);
  }

  /** The worth of the {@code count}-th row from below; the highest if there are not so many. */
  int of(long count) {
    long sum = 0;
    for (int rank = 0; rank < COUNT; rank++) {
      sum += rows[rank];
      if (sum >= count) {
        return rank;
      }
    }
    return COUNT - 1;
  }

  /** How many rows are worth less than {@code rank}. */
  long below(int rank) {
    return Arrays.stream(rows, 0, rank).asLongStream().sum();
  }

  void write(ByteBuffer to) {
    to.asIntBuffer().put(rows);
    to.position(to.position() + COUNT * Integer.BYTES);
  }

  void read(ByteBuffer from) {
    from.asIntBuffer().get(rows);
    from.position(from.position() + COUNT * Integer.BYTES);
  }
}
