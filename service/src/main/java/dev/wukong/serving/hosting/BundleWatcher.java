package dev.wukong.serving.hosting;

import dev.wukong.bundle.BundleException;
import dev.wukong.bundle.BundleStore;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.embedding.RowThreads;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the bundle root from time to time, loads the versions of each model that its policy and
 * its operators want, and serves the newest that can be used. A version that cannot be used is
 * reported once and passed over until {@link Refusals} says that it may be tried again; what served
 * before keeps serving. Stored rows that are no longer needed are dropped in between.
 *
 * <p>No failure of one model ends the watching: neither an error of the machine nor a defect of
 * this program. What such a failure left behind belongs to the one load that is given up.
 */
public final class BundleWatcher implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(BundleWatcher.class);

  private static final String LOOK_STALE = "see whether rows of model '%s' are behind the store";
  private static final String KEEP_HOT = "remember which rows of model '%s' are hot";

  /** Something that may fail without harm to the rest. */
  @FunctionalInterface
  private interface Step {
    void run() throws IOException;
  }

  private final ModelHost host;
  private final HostingOptions options;
  private final BundleStore bundles;
  private final VersionLoads loads;
  private final RowRetention retention;
  private final HotSets hot;
  private final StaleRows stale;
  private final Thread thread;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition wake = lock.newCondition();

  /** Guarded by the lock. */
  private boolean closed;

  /** Starts what answers requests. */
  private final ThreadStarter starter = new ThreadStarter();

  /** What is to be done on the watcher's thread. */
  private final Orders orders = new Orders(starter);

  private final VersionPlans plans;

  /** Models that were looked at. Watcher thread only. */
  private final Set<String> looked = new HashSet<>();

  /** Labels by model that answer nothing, as they were last logged. Watcher thread only. */
  private final Map<String, Map<String, Long>> lost = new HashMap<>();

  /** Watcher thread only. */
  private final Refusals refusals;

  /** The last failure of each step, so that it is logged once. Watcher thread only. */
  private final Map<String, String> troubles = new HashMap<>();

  /**
   * A watcher that begins with {@link #start}.
   *
   * @param learned what was learned since bundles were made
   * @param clock nanoseconds, as of {@link System#nanoTime}
   */
  public BundleWatcher(
      ModelHost host,
      HostingOptions options,
      RowStore store,
      RowThreads threads,
      LearnedWeights learned,
      MeterRegistry meters,
      LongSupplier clock) {
    this(host, options, store, threads, learned, meters, clock, FolderState::of);
  }

  /** The same over folders whose states {@code folders} tells. */
  BundleWatcher(
      ModelHost host,
      HostingOptions options,
      RowStore store,
      RowThreads threads,
      LearnedWeights learned,
      MeterRegistry meters,
      LongSupplier clock,
      VersionLoads.FolderStates folders) {
    this.host = host;
    this.options = options;
    this.bundles = new BundleStore(options.root());
    this.hot = new HotSets(options.hotRows(), clock);
    this.stale = new StaleRows(meters);
    // A session on one thread starts none; others have helpers, which answer requests.
    BundleLoader loader =
        new BundleLoader(
            options,
            store,
            threads,
            hot,
            learned,
            meters,
            this::isClosed,
            options.engine().threads() > 1 ? starter::start : Supplier::get);
    this.retention = new RowRetention(store, bundles, this::isClosed);
    this.refusals = new Refusals(options.poll());
    this.loads =
        new VersionLoads(
            host, bundles, folders, loader, refusals, retention, meters, clock, this::isClosed);
    this.plans = new VersionPlans(options.plans());
    this.thread = Thread.ofPlatform().daemon().name("bundles").unstarted(this::work);
    options.models().forEach(host::add);
  }

  /** Starts watching, on a thread of its own. */
  public void start() {
    thread.start();
  }

  /** Whether the folder is looked at; false where the thread has ended though nobody closed it. */
  public boolean watches() {
    return thread.getState() != Thread.State.TERMINATED || isClosed();
  }

  private void work() {
    attempt("look at the bundles in " + options.root(), this::describeRoot);
    attempt("drop rows that have no bundle", retention::dropOrphans);
    lock.lock();
    try {
      while (!closed) {
        lock.unlock();
        try {
          poll();
          orders.run();
        } finally {
          lock.lock();
        }
        if (!closed && orders.isEmpty()) {
          boolean woken = wake.await(options.poll().toNanos(), TimeUnit.NANOSECONDS);
          log.trace("woken: {}", woken);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
      orders.close();
    }
  }

  /**
   * Does something on the watcher's thread, between two looks at models.
   *
   * @throws VersionException.Busy if too much waits for that already, or the service stops
   */
  <T> CompletableFuture<T> order(Callable<T> task) throws VersionException.Busy {
    CompletableFuture<T> result = orders.add(task);
    lock.lock();
    try {
      wake.signalAll();
    } finally {
      lock.unlock();
    }
    return result;
  }

  /** What operators have asked for. Watcher thread only. */
  VersionPlans plans() {
    return plans;
  }

  BundleStore bundles() {
    return bundles;
  }

  /** Logs what is watched and what is there to begin with. */
  private void describeRoot() throws IOException {
    Path root = options.root().toAbsolutePath().normalize();
    if (!Files.isDirectory(root)) {
      log.warn("bundles are expected in {}, which does not exist yet", root);
      return;
    }
    List<String> found = new ArrayList<>();
    for (String name : bundles.models()) {
      found.add("%s (%s)".formatted(name, describe(bundles.versions(name))));
    }
    if (found.isEmpty()) {
      log.warn("bundles are expected in {}, which has none yet", root);
    } else {
      log.info("bundles are in {}: {}", root, String.join(", ", found));
    }
    if (!options.models().isEmpty()) {
      log.info("only these models are served: {}", String.join(", ", options.models()));
    }
  }

  private static String describe(List<Long> versions) {
    return versions.size() == 1
        ? "version %d".formatted(versions.getFirst())
        : "%d versions up to %d".formatted(versions.size(), versions.getLast());
  }

  /** Looks once. Watcher thread, or a test instead of it. */
  void poll() {
    attempt(
        "look at the bundles in " + options.root(),
        () -> {
          requireRoot();
          Set<String> names = new TreeSet<>(options.models());
          if (names.isEmpty()) {
            names.addAll(bundles.models());
            // Those whose folders are gone, too, so that their refused versions are forgotten.
            host.models().forEach(model -> names.add(model.name()));
          }
          for (String name : names) {
            attempt("look at model '%s'".formatted(name), () -> poll(added(name)));
            // Not only after all: each may have loads of minutes, and an order may be urgent.
            orders.run();
          }
        });
    for (ServedModel model : host.models()) {
      attempt("drop rows of model '%s'".formatted(model.name()), () -> retention.sweep(model));
      attempt(KEEP_HOT.formatted(model.name()), () -> hot.keepSometimes(model));
      attempt(LOOK_STALE.formatted(model.name()), () -> stale.look(model));
    }
  }

  /**
   * Fails where the folder is gone that bundles were loaded from, such as a volume that is not
   * mounted any more: what is loaded serves on, and nothing that is known of other versions is
   * forgotten.
   */
  private void requireRoot() throws IOException {
    boolean had = host.models().stream().anyMatch(ServedModel::hasServed);
    if (had && !Files.isDirectory(options.root())) {
      throw new BundleException("the folder is gone; no new version is seen");
    }
  }

  private ServedModel added(String name) {
    return host.model(name).orElseGet(() -> starter.start(() -> host.add(name)));
  }

  /** Runs {@code step}; a failure is logged unless it is the one of the time before. */
  private void attempt(String what, Step step) {
    try {
      step.run();
      troubles.remove(what);
    } catch (
        Throwable e) { // Also errors: the next look may find more memory, and others their turn.
      String reason = LoadFailure.of(e).reason();
      if (!reason.equals(troubles.put(what, reason))) {
        log.warn("cannot {}: {}", what, reason);
      }
      log.debug("cannot {}", what, e);
    }
  }

  /**
   * Looks at a model that was not looked at yet, so that an order finds in it what its policy wants
   * loaded. Watcher thread only.
   */
  void lookFirst(ServedModel model) throws IOException {
    if (!looked.contains(model.name())) {
      poll(model);
    }
  }

  /** Loads what the policy and the plan want, newest first, then unloads the rest. */
  void poll(ServedModel model) throws IOException {
    looked.add(model.name());
    Set<Long> there = new TreeSet<>(bundles.versions(model.name()));
    refusals.retain(model.name(), there).forEach(model::forget);
    VersionPlan plan = plans.of(model.name());
    model.route(plan.labels(), plan.shares());
    model.keepsOut(plan.out().stream().mapToLong(Long::longValue).max().orElse(0));
    there.addAll(model.loadedVersions()); // One whose folder is gone still serves.
    Set<Long> wanted = loadByPolicy(model, plan, there);
    for (long version : plan.wanted()) {
      if (there.contains(version) && (isLoaded(model, version) || load(model, version))) {
        wanted.add(version);
      }
    }
    if (isClosed()) {
      return;
    }
    if (model.retain(wanted)) {
      retention.changed(model);
    }
    reportLost(model);
  }

  /** The versions of the policy that are loaded; the newest of them serves. */
  private Set<Long> loadByPolicy(ServedModel model, VersionPlan plan, Set<Long> there)
      throws IOException {
    VersionPolicy policy = options.policy(model.name());
    Set<Long> wanted = new TreeSet<>();
    for (long version : new TreeSet<>(there).descendingSet()) {
      if (wanted.size() == policy.most() || isClosed()) {
        return wanted;
      }
      if (mayServe(model, plan, version) && (isLoaded(model, version) || load(model, version))) {
        if (wanted.isEmpty()) {
          model.serve(version);
        }
        wanted.add(version);
      }
    }
    return wanted;
  }

  /** Whether {@code version}, once loaded, may answer those who ask for none under {@code plan}. */
  boolean mayServe(ServedModel model, VersionPlan plan, long version) {
    return plan.mayServe(version)
        && (plan.chosen() == version || options.policy(model.name()).includes(version));
  }

  private static boolean isLoaded(ServedModel model, long version) {
    return model.loadedVersions().contains(version);
  }

  private boolean load(ServedModel model, long version) throws IOException {
    return loads.load(model, version, false);
  }

  /**
   * Loads a version that an operator waits for: at once, also in the pause after a failure that can
   * pass. Whether that went well. Watcher thread only.
   */
  boolean loadNow(ServedModel model, long version) throws IOException {
    return loads.load(model, version, true);
  }

  /** Logs which labels answer nothing, whenever that has changed. */
  private void reportLost(ServedModel model) {
    Map<String, Long> now = model.lostLabels();
    Map<String, Long> before =
        now.isEmpty() ? lost.remove(model.name()) : lost.put(model.name(), now);
    if (!now.isEmpty() && !now.equals(before)) {
      log.warn(
          "model '{}': these labels point to versions that are not loaded: {}; requests for them"
              + " are refused, and their shares go to version {}",
          model.name(),
          now,
          model.servingVersion());
    }
  }

  boolean isClosed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  /** Stops looking; waits until a load under way has been given up. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      wake.signalAll();
    } finally {
      lock.unlock();
    }
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    for (ServedModel model : host.models()) {
      attempt(KEEP_HOT.formatted(model.name()), () -> hot.keep(model));
    }
    starter.close();
  }
}
