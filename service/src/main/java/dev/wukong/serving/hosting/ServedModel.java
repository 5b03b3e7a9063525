package dev.wukong.serving.hosting;

import dev.wukong.serving.batching.BatchCost;
import dev.wukong.serving.batching.Batcher;
import dev.wukong.serving.hosting.Routing.Share;
import dev.wukong.serving.hosting.Routing.Tried;
import dev.wukong.serving.hosting.VersionState.Phase;
import dev.wukong.serving.security.Audit;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A model by name: its loaded versions, which of them answers what, those before, and the batcher
 * they share. Any thread.
 */
public final class ServedModel {
  private static final Logger log = LoggerFactory.getLogger(ServedModel.class);

  /** Versions remembered, so that years of reloading do not fill the memory. */
  private static final int REMEMBERED = 32;

  private final String name;
  private final Batcher batcher;
  private final Clock clock;

  /** Changed under the lock of {@link #versions}, which keeps both in step. */
  private volatile Routing routing = Routing.NONE;

  /** Guarded by itself. */
  private final NavigableMap<Long, VersionState> versions = new TreeMap<>();

  /** A version that finishes what it began. */
  private record Draining(long version, CompletableFuture<Void> done) {}

  private final Queue<Draining> draining = new ConcurrentLinkedQueue<>();

  private volatile long previous;
  private volatile long keptOut;
  private volatile boolean served;

  private final Audit audit = new Audit();
  private final Consumer<String> serves;
  private final ServedMeters meters;

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
    this.meters = new ServedMeters(this, meters);
  }

  /** The model's name. */
  public String name() {
    return name;
  }

  /** Where requests of all versions are merged. */
  public Batcher batcher() {
    return batcher;
  }

  /** The bundle version that answers whoever asks for none; 0 while none does. */
  public long servingVersion() {
    return routing.main();
  }

  /** Versions by label; {@link #lostLabels} are not loaded. */
  public Map<String, Long> labels() {
    return routing.labels();
  }

  /**
   * The labels whose versions are not loaded, with these: requests for them are refused, and their
   * shares go to the version that serves.
   */
  public Map<String, Long> lostLabels() {
    Routing now = routing;
    Map<String, Long> lost = new TreeMap<>(now.labels());
    lost.values().removeAll(now.loaded().keySet());
    return lost;
  }

  /** Shares of the requests that ask for no version, by label. */
  public Map<String, Double> shares() {
    return shares(false);
  }

  /** Shares of the same requests of which versions score copies, by label. */
  public Map<String, Double> copied() {
    return shares(true);
  }

  private Map<String, Double> shares(boolean shadow) {
    return routing.shares().stream()
        .filter(share -> share.shadow() == shadow)
        .collect(Collectors.toMap(Share::label, Share::part));
  }

  /** Whether some version scores copies of requests. */
  public boolean hasShadows() {
    Routing now = routing;
    return !now.shares().isEmpty() && now.shares().stream().anyMatch(Share::shadow);
  }

  /** The labels whose loaded versions score a copy of a request at {@code point}. */
  public List<String> copies(double point) {
    return routing.copies(point);
  }

  /** What batches of the loaded versions cost, by {@link HostedModel#shape}. */
  Map<String, BatchCost> costs() {
    Map<String, BatchCost> costs = new HashMap<>();
    routing.loaded().values().forEach(model -> costs.put(model.shape(), model.cost()));
    return costs;
  }

  /** The versions that can answer. */
  public Set<Long> loadedVersions() {
    return routing.loaded().keySet();
  }

  /** Whether a version of it serves or has served. */
  public boolean hasServed() {
    return served;
  }

  long refusedVersions() {
    long serves = servingVersion();
    synchronized (versions) {
      return versions.tailMap(serves, false).values().stream()
          .filter(v -> v.phase() instanceof VersionState.Failed)
          .count();
    }
  }

  /**
   * Which version followed which.
   *
   * @param serving that answers whoever asks for none; 0: none does
   * @param before that did so before it; 0 where this process knows of none
   */
  record Succession(long serving, long before) {}

  /** The version that serves, and the one before it at the same moment. */
  Succession succession() {
    synchronized (versions) {
      return new Succession(routing.main(), previous);
    }
  }

  /** The version that served before the one that serves; 0 where this process knows of none. */
  long previousVersion() {
    return previous;
  }

  /** The versions that can answer, and those whose leases are not all back. */
  Set<Long> inUse() {
    Set<Long> versions = new HashSet<>(routing.loaded().keySet());
    draining.stream().filter(d -> !d.done().isDone()).map(Draining::version).forEach(versions::add);
    return versions;
  }

  /** A figure of the version that serves; 0 while none does. */
  long ofServing(ToLongFunction<HostedModel> figure) {
    HostedModel model = lease();
    if (model == null) {
      return 0;
    }
    try {
      return figure.applyAsLong(model);
    } finally {
      model.release();
    }
  }

  /** A lease of the version that serves, to be released; null while none does. */
  public @Nullable HostedModel lease() {
    return lease(Routing::serving);
  }

  /**
   * A lease of the version that answers a request which asks for none, to be released; null while
   * none does.
   *
   * @param point of the request, in [0, 1): equal ones go to the same version as long as shares
   *     stay the same
   */
  public @Nullable HostedModel leaseAt(double point) {
    return lease(routing -> routing.at(point));
  }

  /** A lease of a version, to be released; null while it is not loaded. */
  public @Nullable HostedModel leaseVersion(long version) {
    return lease(routing -> routing.loaded().get(version));
  }

  /** A lease of the version that a label points to, to be released; null while there is none. */
  public @Nullable HostedModel leaseLabel(String label) {
    return lease(routing -> routing.labelled(label));
  }

  private @Nullable HostedModel lease(Function<Routing, @Nullable HostedModel> pick) {
    while (true) {
      HostedModel model = pick.apply(routing);
      // A version is closed only after routing has changed: then there is another, or none.
      if (model == null || model.acquire()) {
        return model;
      }
      Thread.onSpinWait();
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

  /** Has {@code next} answer those who ask for it. */
  void add(HostedModel next) {
    HostedModel before;
    synchronized (versions) {
      before = routing.loaded().get(next.bundle());
      routing = routing.with(next);
      enter(next.bundle(), new VersionState.Ready());
    }
    meters.tables(next.tables());
    log.info("model '{}': version {} is loaded", name, next.bundle());
    if (before != null) {
      retire(before);
    }
  }

  /**
   * Has the rows and dense weights of a loaded version change at one instant: a request is answered
   * by those before or those after. One commit a version at a time.
   *
   * @param bundle the version
   * @return whether they do; of a version that is loaded no more, or was loaded again meanwhile,
   *     nobody asks, and whether the store has the change is no matter
   * @throws IllegalStateException if the version takes no changes
   * @throws EngineException if the graph cannot be run here: then nothing has changed
   * @throws dev.wukong.serving.embedding.StoreException if the store fails: nor then
   */
  public boolean commit(long bundle, ModelCommit commit) {
    HostedModel before = leaseVersion(bundle);
    if (before == null) {
      return false;
    }
    HostedModel next;
    try {
      next = before.commit(commit);
    } finally {
      before.release();
    }
    boolean same;
    synchronized (versions) {
      same = routing.loaded().get(bundle) == before;
      if (same) {
        routing = routing.with(next);
      }
    }
    retire(same ? before : next);
    return same;
  }

  /**
   * Has a state of a loaded version, which is in no store, answer a share of what that version
   * would; no other does so then.
   *
   * @param next its host's lease goes to this; null: none
   * @param share 0 to 1
   * @return whether it does: of a version that is loaded no more nothing is tried out
   */
  boolean tryOut(@Nullable HostedModel next, double share) {
    HostedModel before;
    boolean kept;
    synchronized (versions) {
      Tried now = routing.trial();
      before = now == null ? null : now.model();
      kept = next != null && routing.loaded().containsKey(next.bundle());
      routing = routing.withTrial(next != null && kept ? new Tried(next, share) : null);
    }
    if (before != null && (before != next || !kept)) {
      retire(before);
    }
    if (next != null && before != next && !kept) {
      retire(next);
    }
    return kept;
  }

  /** The share of requests by which what was learned is tried out; 0: it is not. */
  public double tried() {
    Tried now = routing.trial();
    return now == null ? 0 : now.share();
  }

  /** Has the loaded {@code version} answer those who ask for none, from now on. */
  void serve(long version) {
    String origin;
    synchronized (versions) {
      long before = routing.main();
      HostedModel next = routing.loaded().get(version);
      if (before == version || next == null) {
        return;
      }
      origin = next.origin();
      routing = routing.withMain(version);
      served = true;
      if (before > 0) {
        previous = before;
        enter(before, new VersionState.Ready());
      }
      enter(version, new VersionState.Serving());
    }
    log.info("model '{}': version {} serves", name, version);
    audit.changed("model '%s' version %d serves: %s".formatted(name, version, origin));
    serves.accept(name);
  }

  /** The highest of the versions that operators keep out, there or not; 0: none. */
  public long keptOut() {
    return keptOut;
  }

  /** The same from now on. */
  void keepsOut(long highest) {
    keptOut = highest;
  }

  /** Labels and shares from now on. */
  void route(Map<String, Long> labels, List<Share> shares) {
    synchronized (versions) {
      routing = routing.withLabels(labels, shares);
    }
  }

  /**
   * Unloads every version but those {@code wanted} and the one that serves. Each finishes what it
   * began, then closes.
   *
   * @return whether there were others
   */
  boolean retain(Set<Long> wanted) {
    List<HostedModel> unwanted = new ArrayList<>();
    synchronized (versions) {
      for (HostedModel model : routing.loaded().values()) {
        if (!wanted.contains(model.bundle()) && model.bundle() != routing.main()) {
          unwanted.add(model);
        }
      }
      for (HostedModel model : unwanted) {
        routing = routing.without(model.bundle());
      }
    }
    unwanted.forEach(this::retire);
    return !unwanted.isEmpty();
  }

  /** Serves nothing from now on; completes when nothing is left open. */
  CompletableFuture<Void> stop() {
    Routing before;
    synchronized (versions) {
      before = routing;
      routing = new Routing(new TreeMap<>(), 0, before.labels(), before.shares(), null);
    }
    Tried tried = before.trial();
    if (tried != null) {
      retire(tried.model());
    }
    before.loaded().values().forEach(this::retire);
    return CompletableFuture.allOf(
        draining.stream().map(Draining::done).toArray(CompletableFuture<?>[]::new));
  }

  private void retire(HostedModel model) {
    long version = model.bundle();
    synchronized (versions) {
      if (!routing.loaded().containsKey(version)) {
        enter(version, new VersionState.Draining());
      }
    }
    draining.removeIf(d -> d.done().isDone());
    draining.add(new Draining(version, model.retire().thenRun(() -> drained(version))));
  }

  private void drained(long version) {
    synchronized (versions) {
      VersionState now = versions.get(version);
      // Where it was loaded again meanwhile, or was tried to be, the state is that of the later
      // one.
      if (now != null && now.phase() instanceof VersionState.Draining) {
        enter(version, new VersionState.Unloaded());
      }
    }
  }
}
