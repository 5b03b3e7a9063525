package dev.wukong.serving.hosting;

import dev.wukong.serving.batching.Batcher;
import dev.wukong.serving.hosting.VersionState.Phase;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A model by name: the version that serves, those before it, and the batcher they share. Any
 * thread.
 */
public final class ServedModel {
  private static final Logger log = LoggerFactory.getLogger(ServedModel.class);

  /** Versions remembered, so that years of reloading do not fill the memory. */
  private static final int REMEMBERED = 32;

  private final String name;
  private final Batcher batcher;
  private final Clock clock;
  private final AtomicReference<@Nullable HostedModel> serving = new AtomicReference<>();

  /** Guarded by itself. */
  private final NavigableMap<Long, VersionState> versions = new TreeMap<>();

  /** A version that finishes what it began. */
  private record Draining(long version, CompletableFuture<Void> done) {}

  private final Queue<Draining> draining = new ConcurrentLinkedQueue<>();

  private volatile long previous;
  private volatile boolean served;

  private final Consumer<String> serves;

  /**
   * A model without a version.
   *
   * @param serves told the name whenever a version begins to serve
   */
  ServedModel(
      String name, Batcher batcher, Clock clock, MeterRegistry meters, Consumer<String> serves) {
    this.serves = serves;
    this.name = name;
    this.batcher = batcher;
    this.clock = clock;
    Gauge.builder("wukong.hosting.version", this, ServedModel::servingVersion)
        .description("Bundle version that serves; 0 while none does")
        .tag("model", name)
        .register(meters);
    Gauge.builder("wukong.hosting.refused", this, ServedModel::refusedVersions)
        .description("Bundle versions above the one that serves that cannot be used")
        .tag("model", name)
        .register(meters);
    Gauge.builder("wukong.embedding.resident", this, ServedModel::residentRows)
        .description("Rows in memory of the version that serves")
        .tag("model", name)
        .register(meters);
  }

  /** The model's name. */
  public String name() {
    return name;
  }

  /** Where requests of all versions are merged. */
  public Batcher batcher() {
    return batcher;
  }

  /** The bundle version that serves; 0 while none does. */
  public long servingVersion() {
    HostedModel model = serving.get();
    return model == null ? 0 : model.bundle();
  }

  /** Whether a version of it serves or has served. */
  public boolean hasServed() {
    return served;
  }

  private long refusedVersions() {
    long serves = servingVersion();
    synchronized (versions) {
      return versions.tailMap(serves, false).values().stream()
          .filter(v -> v.phase() instanceof VersionState.Failed)
          .count();
    }
  }

  /** The version that served before the one that serves; 0 where this process knows of none. */
  long previousVersion() {
    return previous;
  }

  /** The version that serves, and those whose leases are not all back. */
  Set<Long> inUse() {
    Set<Long> versions = new HashSet<>();
    HostedModel model = serving.get();
    if (model != null) {
      versions.add(model.bundle());
    }
    draining.stream().filter(d -> !d.done().isDone()).map(Draining::version).forEach(versions::add);
    return versions;
  }

  private long residentRows() {
    HostedModel model = lease();
    if (model == null) {
      return 0;
    }
    try {
      return model.residentRows();
    } finally {
      model.release();
    }
  }

  /** A lease of the version that serves, to be released; null while none does. */
  public @Nullable HostedModel lease() {
    while (true) {
      HostedModel model = serving.get();
      if (model == null || model.acquire()) {
        return model;
      }
      // It was replaced and closed since it was read: the next one is there, or none will be.
      if (serving.compareAndSet(model, null)) {
        return null;
      }
    }
  }

  /** All versions met, newest first. */
  public List<VersionState> versions() {
    synchronized (versions) {
      return new ArrayList<>(versions.descendingMap().values());
    }
  }

  /** Says that a version is being loaded. One that failed before stays so until it serves. */
  void loading(long version) {
    synchronized (versions) {
      VersionState before = versions.get(version);
      if (before == null || !(before.phase() instanceof VersionState.Failed)) {
        enter(version, new VersionState.Loading());
      }
    }
  }

  /** Says that a version cannot be used. It has been so since it first failed for this reason. */
  void failed(long version, String reason) {
    VersionState.Failed failed = new VersionState.Failed(reason);
    synchronized (versions) {
      VersionState before = versions.get(version);
      if (before == null || !before.phase().equals(failed)) {
        enter(version, failed);
      }
    }
  }

  /** Forgets a version that failed and is no more. */
  void forget(long version) {
    synchronized (versions) {
      versions.remove(version);
    }
  }

  private void enter(long version, Phase phase) {
    synchronized (versions) {
      versions.put(version, new VersionState(version, phase, clock.instant()));
      while (versions.size() > REMEMBERED) {
        // The one that serves is to be seen, however many newer ones were refused.
        long serves = servingVersion();
        versions.keySet().stream()
            .filter(number -> number != serves)
            .findFirst()
            .ifPresent(versions::remove);
      }
    }
  }

  /** Serves {@code next} from now on. The version before finishes what it began, then closes. */
  void swap(HostedModel next) {
    HostedModel before = serving.getAndSet(next);
    served = true;
    if (before != null) {
      previous = before.bundle();
    }
    enter(next.bundle(), new VersionState.Serving());
    log.info("model '{}': version {} serves", name, next.bundle());
    retire(before);
    serves.accept(name);
  }

  /** Serves nothing from now on; completes when nothing is left open. */
  CompletableFuture<Void> stop() {
    retire(serving.getAndSet(null));
    return CompletableFuture.allOf(
        draining.stream().map(Draining::done).toArray(CompletableFuture<?>[]::new));
  }

  private void retire(@Nullable HostedModel model) {
    if (model != null) {
      enter(model.bundle(), new VersionState.Draining());
      draining.removeIf(d -> d.done().isDone());
      draining.add(
          new Draining(
              model.bundle(),
              model.retire().thenRun(() -> enter(model.bundle(), new VersionState.Unloaded()))));
    }
  }
}
