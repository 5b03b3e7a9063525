package dev.wukong.serving.predict;

import dev.wukong.serving.hosting.HostedModel;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * What each loaded version has answered. The meters of a version go when it is closed: years of new
 * versions do not fill the registry. Any thread.
 */
final class VersionMeters {
  private record Version(String model, long bundle) {}

  private record Own(Counter requests, Counter candidates, Counter defaulted) {}

  private final MeterRegistry registry;

  /** Changed under this object's lock together with the registry. */
  private final ConcurrentMap<Version, Own> versions = new ConcurrentHashMap<>();

  VersionMeters(MeterRegistry registry) {
    this.registry = registry;
  }

  /** Counts a request that {@code model} has answered. */
  void answered(HostedModel model, int candidates, int defaulted) {
    Version version = new Version(model.name(), model.bundle());
    Own own = versions.get(version);
    if (own == null) {
      own = add(version);
      // At once where it is unloaded since its scores were taken.
      var _ = model.unloaded().thenRun(() -> remove(version));
    }
    own.requests().increment();
    own.candidates().increment(candidates);
    own.defaulted().increment(defaulted);
  }

  private synchronized Own add(Version version) {
    return versions.computeIfAbsent(
        version,
        v ->
            new Own(
                counter("wukong.version.requests", "Requests that a version answered", v),
                counter("wukong.version.candidates", "Candidates that a version answered", v),
                counter(
                    "wukong.version.defaulted",
                    "Id positions of them whose value has no row of its own",
                    v)));
  }

  private Counter counter(String name, String description, Version version) {
    return Counter.builder(name)
        .description(description)
        .tag("model", version.model())
        .tag("version", Long.toString(version.bundle()))
        .register(registry);
  }

  private synchronized void remove(Version version) {
    Own own = versions.remove(version);
    if (own != null) {
      List.of(own.requests(), own.candidates(), own.defaulted()).forEach(registry::remove);
    }
  }
}
