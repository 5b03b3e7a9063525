package dev.wukong.training;

/**
 * How a batch is cut into ranges of neighbouring rows, each of which is a run of the graph on a
 * thread of its own. ONNX Runtime would rather share each operator among its threads; then they
 * wait for each other after every one, take data from each other's caches, and the operators that
 * know only one thread run alone.
 *
 * @param most ranges at once
 */
record Shards(int most) {
  /** Ranges of fewer rows are not worth a run. */
  private static final int MIN_ROWS = 32;

  /** Each range has gradients of its own for all weights; more threads share a range. */
  private static final int MOST = 8;

  static Shards of(int threads) {
    return new Shards(Math.min(threads, MOST));
  }

  /** The ranges of a batch of {@code rows}. */
  int count(int rows) {
    return Math.clamp(rows / MIN_ROWS, 1, most);
  }

  /** The first row of range {@code shard} of {@code count}; its end is the next one's first. */
  static int first(int rows, int count, int shard) {
    return (int) ((long) rows * shard / count);
  }
}
