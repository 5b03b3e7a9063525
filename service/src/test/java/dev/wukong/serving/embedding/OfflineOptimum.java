package dev.wukong.serving.embedding;

import java.util.Arrays;

/**
 * The hits of a cache that knows the future: it keeps the ids whose next use is nearest (Belady's
 * MIN, and an id need not be taken in at all). No cache of that size has more. One thread.
 */
final class OfflineOptimum {
  private static final int NEVER = Integer.MAX_VALUE;

  private OfflineOptimum() {}

  /**
   * Positions of the requests {@code from} (inclusive) to {@code to} (exclusive) that find their id
   * in the cache, which is empty before the first request.
   *
   * @param requests distinct ids of each, all below {@code ids}; those after {@code to} are the
   *     future that is known
   * @param positions how many positions of the request have the id
   */
  static long hits(int[][] requests, int[][] positions, int ids, int capacity, int from, int to) {
    int[][] next = nextUses(requests, ids);
    int count = requests.length;
    // Ids in the cache, by the request that uses them next; of one request in any order.
    int[][] due = new int[count][64];
    int[] sizes = new int[count];
    boolean[] cached = new boolean[ids];
    int size = 0;
    int furthest = 0;
    long hits = 0;
    for (int r = 0; r < count; r++) {
      size -= sizes[r]; // All of these are used now.
      sizes[r] = 0;
      for (int i = 0; i < requests[r].length; i++) {
        int id = requests[r][i];
        if (cached[id] && r >= from && r < to) {
          hits += positions[r][i];
        }
        int use = next[r][i];
        cached[id] = use != NEVER;
        if (use != NEVER) {
          if (sizes[use] == due[use].length) {
            due[use] = Arrays.copyOf(due[use], 2 * sizes[use]);
          }
          due[use][sizes[use]++] = id;
          size++;
          furthest = Math.max(furthest, use);
        }
      }
      while (size > capacity) {
        if (sizes[furthest] == 0) {
          furthest--;
        } else {
          cached[due[furthest][--sizes[furthest]]] = false;
          size--;
        }
      }
    }
    return hits;
  }

  /** For each id of each request the next request that has it. */
  private static int[][] nextUses(int[][] requests, int ids) {
    int[] seen = new int[ids];
    Arrays.fill(seen, NEVER);
    int[][] next = new int[requests.length][];
    for (int r = requests.length - 1; r >= 0; r--) {
      next[r] = new int[requests[r].length];
      for (int i = 0; i < next[r].length; i++) {
        next[r][i] = seen[requests[r][i]];
        seen[requests[r][i]] = r;
      }
    }
    return next;
  }
}
