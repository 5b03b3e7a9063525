package dev.wukong.serving.hosting;

import dev.wukong.serving.hosting.Routing.Share;
import dev.wukong.serving.hosting.VersionException.NotNow;
import dev.wukong.serving.hosting.VersionException.Unknown;
import dev.wukong.serving.hosting.VersionState.Failed;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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

  /** Unloads a version; it stays unloaded until it is asked for. */
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
          boolean others =
              model.loadedVersions().stream().anyMatch(v -> v != version && plan.mayServe(v));
          if (model.servingVersion() == version && !others) {
            throw new NotNow(
                ("version %d of model '%s' is the only one that serves; have another one serve"
                        + " first")
                    .formatted(version, name));
          }
          change(model, plan.takeOut(version));
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
   * Has an earlier version serve again, and keeps newer ones out until they are asked for. A
   * version that comes later still takes over.
   *
   * @param to 0: the one that served before
   */
  public RolledBack rollback(String name, long to, String reason) throws VersionException {
    return ordered(
        name,
        model -> {
          long before = model.servingVersion();
          long version = to > 0 ? to : earlier(model);
          require(model, version);
          serve(model, watcher.plans().of(name), version);
          log.warn(
              "model '{}': rolled back from version {} to {}: {}", name, before, version, reason);
          return new RolledBack(model, before);
        });
  }

  private long earlier(ServedModel model) throws IOException, VersionException {
    Set<Long> known = known(model);
    long previous = model.previousVersion();
    if (known.contains(previous) && previous < model.servingVersion()) {
      return previous;
    }
    return known.stream()
        .filter(version -> version < model.servingVersion())
        .max(Long::compare)
        .orElseThrow(
            () ->
                new NotNow(
                    "model '%s' has no version before %d; there are %s"
                        .formatted(model.name(), model.servingVersion(), known)));
  }

  private void serve(ServedModel model, VersionPlan plan, long version)
      throws IOException, VersionException {
    Set<Long> newer = known(model);
    newer.removeIf(other -> other <= version);
    // A label keeps its version, which then answers only those who ask for it.
    VersionPlan next = plan.serve(version, newer);
    for (long labelled : plan.labels().values()) {
      next = newer.contains(labelled) ? next.hold(labelled) : next;
    }
    change(model, next);
  }

  private Set<Long> known(ServedModel model) throws IOException {
    Set<Long> known = new TreeSet<>(watcher.bundles().versions(model.name()));
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
    if (!watcher.load(model, version)) {
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

  /** Something done to a model on the watcher's thread. */
  @FunctionalInterface
  private interface Order<T> {
    T on(ServedModel model) throws IOException, VersionException;
  }

  private <T> T ordered(String name, Order<T> order) throws VersionException {
    ServedModel model =
        host.model(name)
            .orElseThrow(
                () ->
                    new Unknown(
                        "there is no model '%s'; there are %s".formatted(name, host.names())));
    Callable<T> task = () -> order.on(model);
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
