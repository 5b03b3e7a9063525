package dev.wukong.serving.embedding;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/**
 * The breakers of a bundle's shards, which all its readers share: what one reader has found of a
 * node that is down, the next one need not find again. Any thread.
 */
final class RedisBreakers {
  /** A node that is back is noticed after this, at the latest. */
  private static final Duration LONGEST_PAUSE = Duration.ofMillis(500);

  /** By the bundle, with the version 0. */
  private final Map<RowsView, StoreBreaker[]> bundles = new ConcurrentHashMap<>();

  /** Those of the bundle of {@code view}, by shard. */
  StoreBreaker[] of(RowsView view) {
    return bundles.computeIfAbsent(view.imported(), _ -> closed());
  }

  /** Forgets those of a bundle that is no more. */
  void forget(RowsView view) {
    bundles.remove(view.imported());
  }

  private static StoreBreaker[] closed() {
    return IntStream.range(0, RedisKeys.SHARDS)
        .mapToObj(_ -> new StoreBreaker(System::nanoTime, LONGEST_PAUSE.toNanos()))
        .toArray(StoreBreaker[]::new);
  }
}
