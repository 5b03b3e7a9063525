package dev.wukong.data;

/**
 * A permutation of the rows of a data set that follows from seed and epoch alone: it takes no
 * memory, and a resumed pass can begin anywhere. Larger sets are shuffled in two steps, chunks of
 * neighbouring rows and then the rows of some thousand chunks, so that a pass reads the file in
 * long strides. Immutable, safe for all threads.
 *
 * <p>Each step is a Feistel network over a power of four, walked until it lands inside the range.
 */
public final class Shuffle {
  private static final int CHUNK = 1024;
  private static final int WINDOW = 1 << 22;
  private static final int ROUNDS = 6;

  private final long rows;
  private final int chunk;
  private final int window;
  private final long key;

  private Shuffle(long rows, long key, int chunk, int window) {
    this.rows = rows;
    this.key = key;
    this.chunk = chunk;
    this.window = window;
  }

  /** The order of {@code rows} rows in pass {@code epoch}. */
  public static Shuffle of(long rows, long seed, long epoch) {
    return of(rows, seed, epoch, CHUNK, WINDOW);
  }

  static Shuffle of(long rows, long seed, long epoch, int chunk, int window) {
    if (rows < 0) {
      throw new IllegalArgumentException("%d rows".formatted(rows));
    }
    return new Shuffle(rows, Hash.of(Hash.of(seed) + epoch), chunk, window);
  }

  public long rows() {
    return rows;
  }

  /** The row that stands at {@code place}, 0 to rows - 1. */
  public long at(long place) {
    if (place < 0 || place >= rows) {
      throw new IndexOutOfBoundsException(place);
    }
    if (rows <= window) {
      return permute(place, rows, key);
    }
    long first = place / window * window;
    long moved = first + permute(place - first, Math.min(window, rows - first), key + 1 + first);
    long chunks = rows / chunk;
    long from = moved / chunk;
    // The short last chunk keeps its place among chunks; its rows still move within their window.
    return from == chunks ? moved : permute(from, chunks, key) * chunk + moved % chunk;
  }

  /**
   * Writes the rows at places {@code from} and on to all of {@code into}, or to as much as there
   * are places; returns how many.
   */
  public int fill(long from, long[] into) {
    int count = (int) Math.min(into.length, Math.max(0, rows - from));
    for (int i = 0; i < count; i++) {
      into[i] = at(from + i);
    }
    return count;
  }

  private static long permute(long index, long size, long key) {
    if (size <= 1) {
      return index;
    }
    int half = (64 - Long.numberOfLeadingZeros(size - 1) + 1) / 2;
    long mask = (1L << half) - 1;
    long moved = index;
    do {
      long left = moved >>> half;
      long right = moved & mask;
      for (int round = 0; round < ROUNDS; round++) {
        long mixed = left ^ (Hash.of(right ^ (key + round * 0x9E3779B97F4A7C15L)) & mask);
        left = right;
        right = mixed;
      }
      moved = left << half | right;
    } while (moved >= size);
    return moved;
  }
}
