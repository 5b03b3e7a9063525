package dev.wukong.serving.hosting;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Measures how far what each model serves is behind the store: another process may have changed its
 * rows, or a commit of this one may have failed after it was stored. The watcher's thread only.
 */
final class StaleRows {
  private final MeterRegistry meters;
  private final Map<String, AtomicLong> behind = new HashMap<>();

  StaleRows(MeterRegistry meters) {
    this.meters = meters;
  }

  /**
   * Measures {@code model} now; 0 while no version of it serves.
   *
   * @throws dev.wukong.serving.embedding.StoreException if the store fails; what was measured last
   *     stays
   */
  void look(ServedModel model) {
    of(model.name()).set(model.ofServing(HostedModel::rowsBehind));
  }

  private AtomicLong of(String model) {
    return behind.computeIfAbsent(
        model,
        name -> {
          AtomicLong changes = new AtomicLong();
          Gauge.builder("wukong.embedding.stale", changes, AtomicLong::doubleValue)
              .description("Changes of rows that the store has and the version that serves has not")
              .tag("model", name)
              .register(meters);
          return changes;
        });
  }
}
