package dev.wukong.serving.hosting;

import dev.wukong.bundle.BundleStore;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads versions one at a time. One that cannot be used is reported once and passed over until
 * {@link Refusals} says that it may be tried again. Watcher thread only.
 *
 * <p>No failure of a load ends the watching: neither an error of the machine nor a defect of this
 * program. What such a failure left behind belongs to the one load that is given up.
 */
final class VersionLoads {
  private static final Logger log = LoggerFactory.getLogger(VersionLoads.class);

  /** Tells the state of a version's folder. */
  @FunctionalInterface
  interface FolderStates {
    FolderState of(Path folder) throws IOException;
  }

  private final ModelHost host;
  private final BundleStore bundles;
  private final FolderStates folders;
  private final BundleLoader loader;
  private final Refusals refusals;
  private final RowRetention retention;
  private final MeterRegistry meters;
  private final LongSupplier clock;
  private final BooleanSupplier stopping;

  /** Whether the thread stands behind those that answer requests. */
  private boolean quiet;

  /**
   * Loads into the models of {@code host}.
   *
   * @param clock nanoseconds, as of {@link System#nanoTime}
   * @param stopping whether loads are given up
   */
  VersionLoads(
      ModelHost host,
      BundleStore bundles,
      FolderStates folders,
      BundleLoader loader,
      Refusals refusals,
      RowRetention retention,
      MeterRegistry meters,
      LongSupplier clock,
      BooleanSupplier stopping) {
    this.host = host;
    this.bundles = bundles;
    this.folders = folders;
    this.loader = loader;
    this.refusals = refusals;
    this.retention = retention;
    this.meters = meters;
    this.clock = clock;
    this.stopping = stopping;
  }

  /**
   * Loads a version; whether that went well.
   *
   * @param asked whether an operator waits for it: then no pause is kept after a failure that can
   *     pass
   */
  boolean load(ServedModel model, long number, boolean asked) throws IOException {
    Path folder = bundles.path(model.name(), number);
    FolderState state;
    try {
      state = folders.of(folder);
    } catch (NoSuchFileException e) {
      log.debug("version {} of model '{}' went away", number, model.name(), e);
      return false;
    } catch (IOException e) {
      // Such as a folder in it that this process may not list: that is this version's trouble, and
      // an older one may serve meanwhile.
      if (mayTry(model, number, FolderState.UNKNOWN, asked)) {
        refuse(model, number, FolderState.UNKNOWN, e);
      }
      return false;
    }
    if (!mayTry(model, number, state, asked)) {
      return false;
    }
    model.loading(number);
    try {
      if (!quiet && host.models().stream().anyMatch(other -> other.servingVersion() > 0)) {
        // Before anybody is served there is nobody to be kept waiting.
        QuietThread.begin();
        quiet = true;
      }
      long began = System.nanoTime();
      HostedModel loaded = loader.load(folder, model.costs());
      log.info(
          "model '{}' version {}: loaded in {} ms, {} rows in memory",
          model.name(),
          number,
          TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began),
          loaded.residentRows());
      count(model, "loaded");
      model.add(loaded);
    } catch (Throwable e) { // Also errors: one model's load may not end the watching of all.
      if (stopping.getAsBoolean()) {
        // Whatever it was, nobody is left to whom the version is refused.
        log.info("model '{}' version {}: the load was given up, stopping", model.name(), number);
        log.debug("model '{}' version {}: the load was given up", model.name(), number, e);
      } else {
        refuse(model, number, state, e);
      }
      return false;
    }
    refusals.forget(model.name(), number);
    retention.changed(model);
    return true;
  }

  private boolean mayTry(ServedModel model, long number, FolderState state, boolean asked) {
    if (asked) {
      refusals.endPause(model.name(), number);
    }
    return refusals.mayTry(model.name(), number, state, clock.getAsLong());
  }

  private void refuse(ServedModel model, long number, FolderState state, Throwable thrown) {
    LoadFailure failure = LoadFailure.of(thrown);
    boolean news = refusals.add(model.name(), number, state, failure, clock.getAsLong());
    count(model, "refused"); // Before it is to be seen, so that whoever sees it finds it counted.
    model.failed(number, failure.reason());
    retention.changed(model);
    if (!failure.passing()) {
      retention.refused(model, number);
    }
    if (news) {
      log.error(
          "model '{}' version {} cannot be used, {}, {}: {}",
          model.name(),
          number,
          model.servingVersion() == 0
              ? "no version serves"
              : "version %d keeps serving".formatted(model.servingVersion()),
          failure.passing() ? "it is tried again" : "it is tried again when its files change",
          failure.reason());
    }
    log.debug("model '{}' version {} cannot be used", model.name(), number, thrown);
  }

  private void count(ServedModel model, String outcome) {
    Counter.builder("wukong.hosting.loads")
        .description("Tries to load a bundle version")
        .tag("model", model.name())
        .tag("outcome", outcome)
        .register(meters)
        .increment();
  }
}
