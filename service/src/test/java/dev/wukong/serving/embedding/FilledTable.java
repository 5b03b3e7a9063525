package dev.wukong.serving.embedding;

import java.io.PrintWriter;
import java.util.SplittableRandom;

/**
 * One table of random rows in a store, which has them all: ids from 0 on. One float of a row says
 * whose it is.
 */
record FilledTable(RowsView view, int width, int rows) {
  /** Which of a row's floats is its id. */
  static final int OWN = 3;

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
            values[i * width + j] = j == OWN ? from + i : random.nextFloat() - 0.5F;
          }
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
}
