package dev.wukong.serving.embedding;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.concurrent.TimeUnit;

/**
 * Counts where the distinct rows that requests ask for were found, by model. Any thread; once a
 * request and group, not once a row.
 */
public final class RowMeters {
  private final Counter memory;
  private final Counter store;
  private final Counter absent;
  private final Counter unread;
  private final Counter evicted;
  private final Timer read;

  /** The counters of {@code model}, which all its versions share. */
  public RowMeters(String model, MeterRegistry registry) {
    memory = counter("memory", model, registry);
    store = counter("store", model, registry);
    absent = counter("none", model, registry);
    unread = counter("unread", model, registry);
    evicted =
        Counter.builder("wukong.embedding.evictions")
            .description("Rows that left memory for others")
            .tag("model", model)
            .register(registry);
    read =
        Timer.builder("wukong.embedding.read")
            .description("Reading rows from the store, up to 64 of one request and group at a time")
            .tag("model", model)
            .register(registry);
  }

  private static Counter counter(String from, String model, MeterRegistry registry) {
    return Counter.builder("wukong.embedding.rows")
        .description("Distinct rows that requests asked for, by where they were found")
        .tag("model", model)
        .tag("from", from)
        .register(registry);
  }

  /** Says that a row left memory. */
  void evicted() {
    evicted.increment();
  }

  /** Says how long the store took for one read. */
  void read(long nanos) {
    read.record(nanos, TimeUnit.NANOSECONDS);
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
