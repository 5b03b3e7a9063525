package dev.wukong.serving.hosting;

import dev.wukong.bundle.BundleStore;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Drops stored rows that nobody needs any more, so that a new bundle each hour does not fill the
 * disk. The watcher's thread only, which is also the one that imports: no version is dropped while
 * its rows come in.
 *
 * <p>Of a model that serves, the store keeps the versions that are loaded and those whose leases
 * are not all back; one that outlives the process also the version that served before, for a
 * rollback by a restart. Where processes share a store, a version goes with the last that uses it.
 */
final class RowRetention {
  private static final Logger log = LoggerFactory.getLogger(RowRetention.class);
  private static final Comparator<RowsView> ORDER =
      Comparator.comparing(RowsView::model).thenComparingLong(RowsView::bundle);

  private final RowStore store;
  private final BundleStore bundles;
  private final BooleanSupplier stopping;

  /** Models whose versions have changed since the last look at their rows. */
  private final Set<String> due = new HashSet<>();

  /**
   * Drops nothing yet.
   *
   * @param stopping whether what is left should wait for the next start
   */
  RowRetention(RowStore store, BundleStore bundles, BooleanSupplier stopping) {
    this.store = store;
    this.bundles = bundles;
    this.stopping = stopping;
  }

  /** Drops versions that have no bundle. Called before any version is loaded. */
  void dropOrphans() {
    // A root that is not mounted yet does not say that its bundles are gone.
    if (!Files.isDirectory(bundles.root())) {
      return;
    }
    try {
      Set<RowsView> orphans = new HashSet<>();
      for (RowsView view : store.stored()) {
        if (!bundles.versions(view.model()).contains(view.bundle())) {
          orphans.add(view);
        }
      }
      drop(orphans, "it has no bundle");
    } catch (IOException | StoreException e) {
      log.warn("cannot tell which stored rows have no bundle", e);
    }
  }

  /** Says that a version of {@code model} was loaded or refused. */
  void changed(ServedModel model) {
    due.add(model.name());
  }

  /**
   * Drops what the import of a version has left that cannot be used: also of a model of which no
   * version serves, where {@link #sweep} drops nothing. What was learned since the import stays: no
   * bundle has it.
   */
  void refused(ServedModel model, long version) {
    RowsView view = new RowsView(model.name(), version, 0);
    if (model.inUse().contains(version)) {
      return;
    }
    try {
      if (store.stored().contains(view) && store.version(view) == 0) {
        drop(List.of(view), "it cannot be used");
      }
    } catch (StoreException e) {
      log.warn("cannot drop rows of model '{}' version {}", model.name(), version, e);
    }
  }

  /** Drops the versions of {@code model} that are no longer needed, if it has changed. */
  void sweep(ServedModel model) {
    long serving = model.servingVersion();
    if (serving == 0 || !due.contains(model.name())) {
      return;
    }
    Set<Long> inUse = model.inUse();
    // Those that finish what they began will be free later: then there is another look.
    if (inUse.equals(model.loadedVersions())) {
      due.remove(model.name());
    }
    try {
      List<RowsView> own =
          store.stored().stream().filter(view -> view.model().equals(model.name())).toList();
      long previous = store.durable() ? previous(model, own) : 0;
      Predicate<RowsView> needed =
          view -> inUse.contains(view.bundle()) || view.bundle() == previous;
      drop(
          own.stream().filter(needed.negate()).toList(),
          "version %d serves%s"
              .formatted(serving, previous > 0 ? ", version %d is kept".formatted(previous) : ""));
    } catch (StoreException e) {
      due.remove(model.name());
      log.warn(
          "cannot drop rows of model '{}'; tried again with its next version", model.name(), e);
    }
  }

  /**
   * What served before; after a restart, the newest version below the one that serves with all its
   * rows. 0: none.
   */
  private long previous(ServedModel model, List<RowsView> own) {
    if (model.previousVersion() > 0) {
      return model.previousVersion();
    }
    return own.stream()
        .filter(view -> view.bundle() < model.servingVersion() && store.imported(view).isPresent())
        .mapToLong(RowsView::bundle)
        .max()
        .orElse(0);
  }

  private void drop(Collection<RowsView> views, String why) {
    for (RowsView view : views.stream().sorted(ORDER).toList()) {
      if (stopping.getAsBoolean()) {
        return;
      }
      log.info(
          store.dropUnused(view)
              ? "model '{}' version {}: stored rows dropped, {}"
              : "model '{}' version {}: stored rows left to others that use them; here {}",
          view.model(),
          view.bundle(),
          why);
    }
  }
}
