package dev.wukong.serving.hosting;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Versions that could not be loaded, and when each is tried again: at once when a file of its
 * folder has changed; after a pause that doubles from one look at the folder to {@link #LONGEST}
 * where the failure can pass; else never. One thread.
 */
final class Refusals {
  /** The longest pause between two tries, unless the folder is looked at less often. */
  static final Duration LONGEST = Duration.ofMinutes(5);

  private record Version(String model, long number) {}

  private record Refusal(FolderState folder, LoadFailure failure, long pause, long untilNanos) {}

  private final long shortest;
  private final long longest;
  private final Map<Version, Refusal> refused = new HashMap<>();

  /**
   * Nothing refused yet.
   *
   * @param poll the first pause
   */
  Refusals(Duration poll) {
    shortest = poll.toNanos();
    longest = Math.max(shortest, LONGEST.toNanos());
  }

  /** Whether the version, whose files are {@code folder}, should be loaded now. */
  boolean mayTry(String model, long number, FolderState folder, long nowNanos) {
    Refusal refusal = refused.get(new Version(model, number));
    return refusal == null
        || !refusal.folder().equals(folder)
        || (refusal.failure().passing() && nowNanos - refusal.untilNanos() >= 0);
  }

  /**
   * Remembers that the version failed.
   *
   * @param folder its files before the try
   * @return whether that is news: the version has not failed in the same way just before
   */
  boolean add(String model, long number, FolderState folder, LoadFailure failure, long nowNanos) {
    Version version = new Version(model, number);
    Refusal before = refused.get(version);
    boolean unchanged = before != null && before.folder().equals(folder);
    long pause = before != null && unchanged ? Math.min(2 * before.pause(), longest) : shortest;
    refused.put(version, new Refusal(folder, failure, pause, nowNanos + pause));
    return before == null || !before.failure().same(failure);
  }

  /** Forgets a version, which was loaded. */
  void forget(String model, long number) {
    refused.remove(new Version(model, number));
  }

  /** Forgets a version whose failure can pass: it may be tried now, and pauses begin anew. */
  void endPause(String model, long number) {
    refused.computeIfPresent(
        new Version(model, number), (_, refusal) -> refusal.failure().passing() ? null : refusal);
  }

  /** Forgets the versions of a model that are not among {@code there}; returns these. */
  List<Long> retain(String model, Collection<Long> there) {
    List<Version> gone =
        refused.keySet().stream()
            .filter(v -> v.model().equals(model) && !there.contains(v.number()))
            .toList();
    gone.forEach(refused::remove);
    return gone.stream().map(Version::number).toList();
  }
}
