package dev.wukong.serving.embedding;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Counts where the distinct rows that requests ask for were found, by model and table. Any thread;
 * once a request and group, not once a row.
 */
public final class RowMeters {
  /** The counters of one table. */
  private record OfTable(
      Counter memory, Counter store, Counter absent, Counter unread, Counter evicted) {}

  private final String model;
  private final MeterRegistry registry;
  private final Timer read;
  private final Map<String, OfTable> tables = new ConcurrentHashMap<>();

  /** The counters of {@code model}, which all its versions share. */
  public RowMeters(String model, MeterRegistry registry) {
    this.model = model;
    this.registry = registry;
    read =
        Timer.builder("wukong.embedding.read")
            .description("Reading rows from the store, up to 64 of one request and group at a time")
            .tag("model", model)
            .register(registry);
  }

  private OfTable of(String table) {
    return tables.computeIfAbsent(
        table,
        name ->
            new OfTable(
                counter(name, "memory"),
                counter(name, "store"),
                counter(name, "none"),
                counter(name, "unread"),
                Counter.builder("wukong.embedding.evictions")
                    .description("Rows that left memory for others")
                    .tag("model", model)
                    .tag("table", name)
                    .register(registry)));
  }

  private Counter counter(String table, String from) {
    return Counter.builder("wukong.embedding.rows")
        .description("Distinct rows that requests asked for, by where they were found")
        .tag("model", model)
        .tag("table", table)
        .tag("from", from)
        .register(registry);
  }

  /** Says that a row of {@code table} left memory. */
  void evicted(String table) {
    of(table).evicted().increment();
  }

  /** Says how long the store took for one read. */
  void read(long nanos) {
    read.record(nanos, TimeUnit.NANOSECONDS);
  }

  /**
   * Adds where rows were found.
   *
   * @param names of all tables, by ordinal
   */
  void count(List<String> names, RowTally tally) {
    for (int t = 0; t < names.size(); t++) {
      if (tally.asked(t)) {
        OfTable table = of(names.get(t));
        add(table.memory(), tally.memory(t));
        add(table.store(), tally.stored(t));
        add(table.absent(), tally.absent(t));
        add(table.unread(), tally.unread(t));
      }
    }
  }

  /** Most are none: where all rows are in memory, all but one of a table's four. */
  private static void add(Counter counter, int rows) {
    if (rows > 0) {
      counter.increment(rows);
    }
  }
}
