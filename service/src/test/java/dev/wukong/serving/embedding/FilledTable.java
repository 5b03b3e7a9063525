package dev.wukong.serving.embedding;

import java.io.PrintWriter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/**
 * One table of random rows in a store, which has them all: ids from 0 on. Some floats of a row say
 * whose it is.
 */
record FilledTable(RowsView view, int width, int rows) {
  /** Which of a row's floats is the first of its id's digits. */
  private static final int OWN = 3;

  private static final int DIGITS = 3;

  /** Of a digit: half precision has whole numbers up to 2,048. */
  private static final int DIGIT_BITS = 10;

  /** Rows that go to the store together. */
  private static final int CHUNK = 1 << 14;

  private static final int TOLD = 1 << 23;

  /**
   * Writes the rows that {@code store} does not have yet.
   *
   * @return how many it wrote
   */
  int fill(RowStore store, PrintWriter progress) {
    String digest = "%d random rows of %d".formatted(rows, width);
    if (store.imported(view).filter(digest::equals).isPresent()) {
      return 0;
    }
    SplittableRandom random = new SplittableRandom(3);
    float[] values = new float[CHUNK * width];
    long[] keys = new long[CHUNK];
    try (BulkRows bulk = store.bulk(view, digest)) {
      int there = (int) (bulk.after() + 1);
      progress.printf("writing %,d rows of d %d; %,d are there%n", rows, width, there);
      for (int from = 0; from < rows; from += CHUNK) {
        int count = Math.min(CHUNK, rows - from);
        for (int i = 0; i < count; i++) {
          keys[i] = (long) from + i;
          // As trained rows are: nothing to compress.
          for (int j = 0; j < width; j++) {
            values[i * width + j] = random.nextFloat() - 0.5F;
          }
          sign(keys[i], values, i * width);
        }
        bulk.add(width, keys, count, values);
        if ((from + CHUNK) % TOLD == 0) {
          progress.printf("%,d rows%n", from + CHUNK);
          progress.flush();
        }
      }
      bulk.finish();
      return rows - there;
    }
  }

  private static float digit(long id, int which) {
    return (float) (id >> (which * DIGIT_BITS) & ((1 << DIGIT_BITS) - 1));
  }

  /** Has the row that begins at {@code offset} say that it is that of {@code id}. */
  static void sign(long id, float[] rows, int offset) {
    for (int d = 0; d < DIGITS; d++) {
      rows[offset + OWN + d] = digit(id, d);
    }
  }

  /**
   * Requires that the row in {@code slot} is that of {@code id}.
   *
   * @throws IllegalStateException if it is not
   */
  static void requireOwn(long id, MemorySegment rows, int slot, int width) {
    for (int d = 0; d < DIGITS; d++) {
      float is = rows.getAtIndex(ValueLayout.JAVA_FLOAT, (long) slot * width + OWN + d);
      if (is != digit(id, d)) {
        throw new IllegalStateException(
            "row %d is another one: digit %d is %f".formatted(id, d, is));
      }
    }
  }
}
