package dev.wukong.serving.embedding;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;

/**
 * Counts where the distinct rows that requests ask for were found, by model. Any thread; once a
 * request and group, not once a row.
 */
public final class RowMeters {
  private final Counter memory;
  private final Counter store;
  private final Counter absent;
  private final Counter unread;

  /** The counters of {@code model}, which all its versions share. */
  public RowMeters(String model, MeterRegistry registry) {
    memory = counter("memory", model, registry);
    store = counter("store", model, registry);
    absent = counter("none", model, registry);
    unread = counter("unread", model, registry);
  }

  private static Counter counter(String from, String model, MeterRegistry registry) {
    return Counter.builder("wukong.embedding.rows")
        .description("Distinct rows that requests asked for, by where they were found")
        .tag("model", model)
        .tag("from", from)
        .register(registry);
  }

  /** Says that {@code rows} were in memory. */
  void inMemory(int rows) {
    memory.increment(rows);
  }

  /**
   * Says that of the others {@code rows} came from the store, {@code without} are nowhere, and
   * {@code late} were not read in time.
   */
  void others(int rows, int without, int late) {
    store.increment(rows);
    absent.increment(without);
    unread.increment(late);
  }
}
