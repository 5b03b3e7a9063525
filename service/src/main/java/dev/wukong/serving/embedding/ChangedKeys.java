package dev.wukong.serving.embedding;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.stream.LongStream;

/**
 * Which rows have changed since which version, as long as anybody may still bring in what was
 * before. One thread at a time.
 */
final class ChangedKeys {
  /** One commit's, ascending. */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  private record Changed(int version, long[] keys) {}

  /** By version, the newest first. */
  private final Deque<Changed> commits = new ArrayDeque<>();

  /**
   * Remembers those of one commit more, and forgets those that everybody sees.
   *
   * @param version above all before
   * @param oldest the lowest version at which anybody reads
   */
  void add(int version, long[] set, long[] removed, int oldest) {
    long[] keys = LongStream.concat(Arrays.stream(set), Arrays.stream(removed)).sorted().toArray();
    commits.addFirst(new Changed(version, keys));
    while (commits.getLast().version() <= oldest) {
      commits.removeLast();
    }
  }

  /** Whether {@code key} was changed after {@code version}, at which somebody reads. */
  boolean after(int version, long key) {
    Iterator<Changed> newest = commits.iterator();
    while (newest.hasNext()) {
      Changed changed = newest.next();
      if (changed.version() <= version) {
        return false;
      }
      if (Arrays.binarySearch(changed.keys(), key) >= 0) {
        return true;
      }
    }
    return false;
  }
}
