package dev.wukong.serving.hosting;

import dev.wukong.serving.hosting.Routing.Share;
import dev.wukong.serving.hosting.ServedModel.Succession;
import dev.wukong.serving.hosting.VersionException.NotNow;
import dev.wukong.serving.hosting.VersionException.Unknown;
import dev.wukong.serving.hosting.VersionState.Failed;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What operators may ask of a model's versions. Any thread that may wait: everything is done on the
 * watcher's thread, one after another, and is done for good when a method returns.
 */
public final class VersionControl {
  private static final Logger log = LoggerFactory.getLogger(VersionControl.class);

  private final ModelHost host;
  private final BundleWatcher watcher;

  public VersionControl(ModelHost host, BundleWatcher watcher) {
    this.host = host;
    this.watcher = watcher;
  }

  /** The model of that name, as it is now. */
  public Optional<ServedModel> find(String name) {
    return host.model(name);
  }

  /**
   * Loads a version beside those that are.
   *
   * @param serve whether it answers those who ask for none from now on; newer ones are unloaded
   *     then
   */
  public ServedModel load(String name, long version, boolean serve) throws VersionException {
    return ordered(
        name,
        model -> {
          require(model, version);
          VersionPlan plan = watcher.plans().of(name);
          if (serve) {
            serve(model, plan, version);
          } else {
            change(model, model.servingVersion() == version ? plan : plan.hold(version));
          }
          log.info("model '{}': version {} was asked for, serve {}", name, version, serve);
          return model;
        });
  }

  /**
   * Unloads a version; it stays unloaded until it is asked for. The one that serves is unloaded
   * only where another one that is loaded serves then.
   */
  public ServedModel unload(String name, long version) throws VersionException {
    return ordered(
        name,
        model -> {
          VersionPlan plan = watcher.plans().of(name);
          if (!model.loadedVersions().contains(version)) {
            throw new Unknown(
                "version %d of model '%s' is not loaded; loaded are %s"
                    .formatted(version, name, model.loadedVersions()));
          }
          if (plan.labels().containsValue(version)) {
            throw new NotNow(
                "version %d of model '%s' has a label (%s); move the label first"
                    .formatted(version, name, plan.labels()));
          }
          VersionPlan next = plan.takeOut(version);
          boolean others =
              model.loadedVersions().stream().anyMatch(v -> watcher.mayServe(model, next, v));
          if (model.servingVersion() == version && !others) {
            throw new NotNow(
                ("version %d of model '%s' is the only one that serves; have another one serve"
                        + " first")
                    .formatted(version, name));
          }
          change(model, next);
          log.info("model '{}': version {} was unloaded", name, version);
          return model;
        });
  }

  /**
   * Points a label to a loaded version.
   *
   * @param version 0: removes the label and its share
   */
  public ServedModel label(String name, String label, long version) throws VersionException {
    return ordered(
        name,
        model -> {
          VersionPlan plan = watcher.plans().of(name);
          if (version == 0 && !plan.labels().containsKey(label)) {
            throw new Unknown(
                "model '%s' has no label '%s'; it has %s".formatted(name, label, plan.labels()));
          }
          if (version > 0 && !model.loadedVersions().contains(version)) {
            throw new NotNow(
                "version %d of model '%s' is not loaded, so no label can point to it; loaded are %s"
                    .formatted(version, name, model.loadedVersions()));
          }
          change(model, plan.label(label, version));
          log.info("model '{}': label '{}' points to version {}", name, label, version);
          return model;
        });
  }

  /**
   * Gives labels a part of the requests that ask for no version; the rest goes to the one that
   * serves.
   *
   * @param parts by label, each 0 to 1, at most 1 together; they replace those before
   * @param copies likewise, each 0 to 1: parts of the requests of which the label's version scores
   *     a copy after they were answered
   */
  public ServedModel share(String name, Map<String, Double> parts, Map<String, Double> copies)
      throws VersionException {
    return ordered(
        name,
        model -> {
          VersionPlan plan = watcher.plans().of(name);
          List<Share> shares = new ArrayList<>();
          for (boolean shadow : new boolean[] {false, true}) {
            Map<String, Double> asked = new TreeMap<>(shadow ? copies : parts);
            for (Map.Entry<String, Double> share : asked.entrySet()) {
              String label = share.getKey();
              if (!plan.labels().containsKey(label)) {
                throw new Unknown(
                    "model '%s' has no label '%s'; it has %s"
                        .formatted(name, label, plan.labels()));
              }
              if (share.getValue() > 0 && model.lostLabels().containsKey(label)) {
                throw new NotNow(
                    ("label '%s' of model '%s' points to version %d, which is not loaded; move the"
                            + " label first")
                        .formatted(label, name, plan.labels().get(label)));
              }
              shares.add(new Share(label, share.getValue(), shadow));
            }
          }
          change(model, plan.share(shares));
          log.info("model '{}': shares of requests are {}", name, shares);
          return model;
        });
  }

  /**
   * What a rollback did.
   *
   * @param before the version that served
   */
  public record RolledBack(ServedModel model, long before) {}

  /**
   * Has an earlier version serve again, and keeps newer ones out until they are asked for. Their
   * labels stay and keep them loaded, for those who ask for them and for copies of requests; their
   * shares of other requests end. A version that comes later still takes over.
   *
   * @param to 0: the one that served before that which serves when this is called; where that
   *     cannot be used, the next lower one that can. What takes over until this is done is kept out
   *     like other newer ones
   */
  public RolledBack rollback(String name, long to, String reason) throws VersionException {
    // What the operator sees now is to be replaced, not what a load under way may have put there.
    Succession seen = model(name).succession();
    return ordered(
        name,
        model -> {
          long before = model.servingVersion();
          long version = to > 0 ? to : earlier(model, seen);
          require(model, version);
          VersionPlan plan = watcher.plans().of(name);
          List<Share> ended = plan.answeredAbove(version);
          List<Share> shares = new ArrayList<>(plan.shares());
          shares.removeAll(ended);
          serve(model, plan.share(shares), version);
          log.warn(
              "model '{}': rolled back from version {} to {}, shares ended {}: {}",
              name,
              before,
              version,
              ended,
              reason);
          return new RolledBack(model, before);
        });
  }

  /**
   * The version that served before the one of {@code seen}, or else the newest below it that may
   * serve and can be used; it is loaded then.
   */
  private long earlier(ServedModel model, Succession seen) throws IOException, VersionException {
    VersionPlan plan = watcher.plans().of(model.name());
    long before = seen.before();
    if (before == 0 && plan.chosen() == seen.serving()) {
      before = plan.before(); // As an earlier process knew it.
    }
    long newest = before > 0 && before < seen.serving() ? before : seen.serving() - 1;
    NavigableSet<Long> known = known(model);
    List<VersionException> refused = new ArrayList<>();
    for (long version : known.headSet(newest, true).descendingSet()) {
      // One that has served may do so again, though it is held for those who ask for it.
      if (version == before ? plan.out().contains(version) : !plan.mayServe(version)) {
        continue;
      }
      try {
        require(model, version);
        return version;
      } catch (VersionException e) {
        if (watcher.isClosed()) {
          throw e;
        }
        log.warn("model '{}': looking for an earlier version, as {}", model.name(), e.getMessage());
        refused.add(e);
      }
    }
    if (!refused.isEmpty()) {
      throw refused.getFirst();
    }
    throw new NotNow(
        "model '%s' has no version before %d that may serve; there are %s"
            .formatted(model.name(), seen.serving(), known));
  }

  private void serve(ServedModel model, VersionPlan plan, long version)
      throws IOException, VersionException {
    Set<Long> newer = known(model);
    newer.removeIf(other -> other <= version);
    // A label keeps its version, which then answers only those who ask for it.
    VersionPlan next = plan.serve(version, newer, model.servingVersion());
    for (long labelled : plan.labels().values()) {
      next = newer.contains(labelled) ? next.hold(labelled) : next;
    }
    change(model, next);
  }

  private NavigableSet<Long> known(ServedModel model) throws IOException {
    NavigableSet<Long> known = new TreeSet<>(watcher.bundles().versions(model.name()));
    known.addAll(model.loadedVersions());
    return known;
  }

  /** Fails unless {@code version} is there and can be used; it is loaded then. */
  private void require(ServedModel model, long version) throws IOException, VersionException {
    if (model.loadedVersions().contains(version)) {
      return;
    }
    if (!known(model).contains(version)) {
      throw new Unknown(
          "model '%s' has no version %d; there are %s"
              .formatted(model.name(), version, known(model)));
    }
    if (!watcher.loadNow(model, version)) {
      String why =
          model.versions().stream()
              .filter(state -> state.version() == version)
              .map(state -> state.phase() instanceof Failed(String reason) ? reason : "")
              .findFirst()
              .orElse("");
      throw new NotNow(
          "version %d of model '%s' cannot be used: %s".formatted(version, model.name(), why));
    }
  }

  private void change(ServedModel model, VersionPlan plan) throws IOException {
    watcher.plans().put(model.name(), plan);
    watcher.poll(model);
  }

  private ServedModel model(String name) throws Unknown {
    return host.model(name)
        .orElseThrow(
            () ->
                new Unknown("there is no model '%s'; there are %s".formatted(name, host.names())));
  }

  /** Something done to a model on the watcher's thread. */
  @FunctionalInterface
  private interface Order<T> {
    T on(ServedModel model) throws IOException, VersionException;
  }

  private <T> T ordered(String name, Order<T> order) throws VersionException {
    ServedModel model = model(name);
    Callable<T> task =
        () -> {
          watcher.lookFirst(model);
          return order.on(model);
        };
    try {
      return watcher.order(task).get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new NotNow("interrupted; the operation may still be done");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof VersionException failure) {
        throw failure;
      }
      if (e.getCause() instanceof IOException failure) {
        throw new NotNow(String.valueOf(failure.getMessage()));
      }
      throw new IllegalStateException("an operation failed", e);
    }
  }
}
