package dev.wukong.serving.hosting;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** Shows what a model serves, and in how much memory. Any thread. */
final class ServedMeters {
  private static final String BYTES = "bytes";

  private final ServedModel model;
  private final MeterRegistry registry;

  ServedMeters(ServedModel model, MeterRegistry registry) {
    this.model = model;
    this.registry = registry;
    register(
        gauge("wukong.hosting.version", ServedModel::servingVersion)
            .description("Bundle version that serves; 0 while none does"));
    register(
        gauge("wukong.hosting.refused", ServedModel::refusedVersions)
            .description("Bundle versions above the one that serves that cannot be used"));
    register(
        gauge("wukong.hosting.labels.lost", m -> m.lostLabels().size())
            .description("Labels whose version is not loaded"));
    register(
        gauge("wukong.embedding.bytes", m -> m.ofServing(HostedModel::residentBytes))
            .description("Memory for the rows of the version that serves, of Java's heap also")
            .baseUnit(BYTES));
    register(
        gauge("wukong.embedding.resident", m -> m.ofServing(HostedModel::residentRows))
            .description("Rows in memory of the version that serves"));
  }

  private Gauge.Builder<ServedModel> gauge(String name, ToDoubleFunction<ServedModel> figure) {
    return Gauge.builder(name, model, figure).tag("model", model.name());
  }

  private void register(Gauge.Builder<ServedModel> gauge) {
    Gauge _ = gauge.register(registry);
  }

  /** Shows these tables also, as far as the version that serves has them. */
  void tables(List<String> names) {
    for (String table : names) {
      register(
          gauge(
                  "wukong.embedding.table.bytes",
                  m -> m.ofServing(serving -> serving.residentBytes(table)))
              .description("Memory for the rows of a table that are there, with what finds them")
              .baseUnit(BYTES)
              .tag("table", table));
    }
  }
}
