package dev.wukong.serving.hosting;

import dev.wukong.serving.embedding.HotRows;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps which rows of each model are in memory over a restart, of those models whose rows are not
 * all there. The watcher's thread only.
 */
final class HotSets {
  private static final Logger log = LoggerFactory.getLogger(HotSets.class);

  /** A process that is killed loses so much of what has become hot. */
  private static final Duration EVERY = Duration.ofMinutes(5);

  private final Optional<HotRows> rows;
  private final LongSupplier clock;

  /** When each model's were kept, by {@link System#nanoTime}. */
  private final Map<String, Long> kept = new HashMap<>();

  /**
   * Kept in {@code folder}; nowhere where there is none.
   *
   * @param clock nanoseconds, as of {@link System#nanoTime}
   */
  HotSets(Optional<Path> folder, LongSupplier clock) {
    this.rows = folder.map(HotRows::new);
    this.clock = clock;
  }

  /** Keeps those of {@code model} where that was not done for some minutes. */
  void keepSometimes(ServedModel model) throws IOException {
    long now = clock.getAsLong();
    long last = kept.computeIfAbsent(model.name(), name -> now);
    if (now - last >= EVERY.toNanos()) {
      keep(model);
    }
  }

  /** Keeps those of {@code model} now. */
  void keep(ServedModel model) throws IOException {
    kept.put(model.name(), clock.getAsLong());
    if (rows.isEmpty()) {
      return;
    }
    HostedModel serving = model.lease();
    if (serving == null) {
      return;
    }
    try {
      List<long[]> keys = serving.hottestRows();
      if (keys.stream().anyMatch(group -> group.length > 0)) {
        rows.get().keep(model.name(), serving.schemaId(), keys);
      }
    } finally {
      serving.release();
    }
  }

  /**
   * The keys of the rows that a model of this schema had in memory, those asked for most first, by
   * group; empty where that is not known.
   */
  List<long[]> of(String model, String schemaId) {
    if (rows.isEmpty()) {
      return List.of();
    }
    try {
      return rows.get().of(model, schemaId);
    } catch (IOException e) {
      log.warn("model '{}': begins without its last hot rows: {}", model, e.getMessage());
      return List.of();
    }
  }
}
