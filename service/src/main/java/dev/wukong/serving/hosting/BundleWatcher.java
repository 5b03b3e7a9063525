package dev.wukong.serving.hosting;

import dev.wukong.bundle.BundleStore;
import dev.wukong.bundle.Manifest;
import dev.wukong.runtime.DeviceException;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.embedding.StoreException;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the bundle root from time to time and serves the newest version of each model that can
 * be used. A version that cannot be used is reported once and passed over until its manifest
 * changes; what served before keeps serving. Stored rows that are no longer needed are dropped in
 * between.
 */
public final class BundleWatcher implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(BundleWatcher.class);

  private record Version(String model, long number) {}

  private final ModelHost host;
  private final HostingOptions options;
  private final BundleStore bundles;
  private final BundleLoader loader;
  private final RowRetention retention;
  private final MeterRegistry meters;
  private final Thread thread;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition wake = lock.newCondition();

  /** Guarded by the lock. */
  private boolean closed;

  /**
   * Versions that could not be used, and when their manifest had been written. Watcher thread only.
   */
  private final Map<Version, FileTime> refused = new HashMap<>();

  /** A watcher that begins with {@link #start}. */
  public BundleWatcher(
      ModelHost host,
      HostingOptions options,
      RowStore store,
      Executor readers,
      MeterRegistry meters) {
    this.host = host;
    this.options = options;
    this.bundles = new BundleStore(options.root());
    this.loader = new BundleLoader(options, store, readers);
    this.retention = new RowRetention(store, bundles, this::isClosed);
    this.meters = meters;
    this.thread = Thread.ofPlatform().daemon().name("bundles").unstarted(this::work);
    options.models().forEach(host::add);
  }

  /** Starts watching, on a thread of its own. */
  public void start() {
    thread.start();
  }

  private void work() {
    retention.dropOrphans();
    lock.lock();
    try {
      while (!closed) {
        lock.unlock();
        try {
          poll();
        } finally {
          lock.lock();
        }
        if (!closed) {
          boolean woken = wake.await(options.poll().toNanos(), TimeUnit.NANOSECONDS);
          log.trace("woken: {}", woken);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  /** Looks once. Watcher thread, or a test instead of it. */
  void poll() {
    try {
      List<String> names = options.models().isEmpty() ? bundles.models() : options.models();
      for (String name : names) {
        poll(host.add(name));
      }
    } catch (IOException e) {
      log.warn("cannot look at the bundles in {}", options.root(), e);
    }
    host.models().forEach(retention::sweep);
  }

  private void poll(ServedModel model) throws IOException {
    List<Long> versions = bundles.versions(model.name()).reversed();
    refused
        .keySet()
        .removeIf(v -> v.model().equals(model.name()) && !versions.contains(v.number()));
    for (long number : versions) {
      if (number <= model.servingVersion() || isClosed()) {
        return;
      }
      if (load(model, number)) {
        return;
      }
    }
  }

  private boolean load(ServedModel model, long number) throws IOException {
    Path folder = bundles.path(model.name(), number);
    Version version = new Version(model.name(), number);
    FileTime written;
    try {
      written = Files.getLastModifiedTime(folder.resolve(Manifest.FILE), LinkOption.NOFOLLOW_LINKS);
    } catch (IOException e) {
      log.debug("version {} of model '{}' went away", number, model.name(), e);
      return false;
    }
    if (written.equals(refused.get(version))) {
      return false;
    }
    model.enter(number, new VersionState.Loading());
    try {
      long began = System.nanoTime();
      HostedModel loaded = loader.load(folder);
      log.info(
          "model '{}' version {}: loaded in {} ms, {} rows in memory",
          model.name(),
          number,
          TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began),
          loaded.residentRows());
      model.swap(loaded);
      retention.changed(model);
      count(model, "loaded");
      return true;
    } catch (IOException
        | DeviceException
        | EngineException
        | StoreException
        | IllegalArgumentException
        | IllegalStateException e) {
      String reason = String.valueOf(e.getMessage());
      model.enter(number, new VersionState.Failed(reason));
      refused.put(version, written);
      retention.changed(model);
      count(model, "refused");
      log.error(
          "model '{}' version {} cannot be used, version {} keeps serving: {}",
          model.name(),
          number,
          model.servingVersion(),
          reason,
          e);
      return false;
    }
  }

  private void count(ServedModel model, String outcome) {
    Counter.builder("wukong.hosting.loads")
        .description("Bundle versions loaded or refused")
        .tag("model", model.name())
        .tag("outcome", outcome)
        .register(meters)
        .increment();
  }

  private boolean isClosed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  /** Stops looking; waits for a load under way. */
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
  }
}
