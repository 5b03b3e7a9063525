package dev.wukong.serving.predict;

import dev.wukong.bundle.BundleStore;
import dev.wukong.data.Hash;
import dev.wukong.proto.v1.ModelSelector;
import dev.wukong.serving.hosting.HostedModel;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.hosting.ServedModel;
import dev.wukong.serving.predict.ServingException.BadRequest;
import dev.wukong.serving.predict.ServingException.NotReady;
import dev.wukong.serving.predict.ServingException.Unknown;
import dev.wukong.text.ShownText;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** Finds the model a request names. Any thread. */
final class ModelLookup {
  private final ModelHost host;

  ModelLookup(ModelHost host) {
    this.host = host;
  }

  /**
   * The model called {@code name}; where {@code name} is empty the only one, or the only one that
   * has ever served: a second model that cannot be loaded, or not yet, changes nothing for those
   * who name none.
   *
   * @param field that holds the name, for messages
   */
  ServedModel served(String field, String name) {
    if (name.isEmpty()) {
      List<ServedModel> all = host.models();
      if (all.isEmpty()) {
        throw new NotReady("no model is loaded yet");
      }
      return all.size() == 1 ? all.getFirst() : onlyServed(field, all);
    }
    if (!BundleStore.isModel(name)) {
      throw new BadRequest(
          "%s is '%s'; 1 to 64 of a-z, 0-9, '_' and '-' are allowed"
              .formatted(field, ShownText.of(name)));
    }
    return host.model(name)
        .orElseThrow(
            () ->
                new Unknown("%s is '%s'; this server has %s".formatted(field, name, host.names())));
  }

  private ServedModel onlyServed(String field, List<ServedModel> all) {
    List<ServedModel> served = all.stream().filter(ServedModel::hasServed).toList();
    if (served.size() != 1) {
      throw new BadRequest(
          "%s is empty; this server has several models: %s".formatted(field, host.names()));
    }
    return served.getFirst();
  }

  /**
   * A lease of the version that {@code selector} picks.
   *
   * @param point of a request that asks for no version, by {@link #point}
   */
  HostedModel lease(ServedModel served, ModelSelector selector, double point) {
    HostedModel model =
        switch (selector.getPickCase()) {
          case VERSION -> version(served, selector.getVersion());
          case LABEL -> label(served, selector.getLabel());
          case PICK_NOT_SET -> served.leaseAt(point);
        };
    if (model == null) {
      throw new NotReady("model '%s' has no version that serves yet".formatted(served.name()));
    }
    return model;
  }

  private static @Nullable HostedModel version(ServedModel served, long version) {
    if (version < 1) {
      throw new BadRequest("model.version is %d; 1 or more is allowed".formatted(version));
    }
    HostedModel model = served.leaseVersion(version);
    if (model == null && !served.loadedVersions().isEmpty()) {
      throw new Unknown(
          "model.version is %d; loaded of '%s' are %s"
              .formatted(version, served.name(), served.loadedVersions()));
    }
    return model;
  }

  private static @Nullable HostedModel label(ServedModel served, String label) {
    // A label is spelt like a model's name.
    if (!BundleStore.isModel(label)) {
      throw new BadRequest(
          "model.label is '%s'; 1 to 64 of a-z, 0-9, '_' and '-' are allowed"
              .formatted(ShownText.of(label)));
    }
    HostedModel model = served.leaseLabel(label);
    if (model == null) {
      Long lost = served.lostLabels().get(label);
      if (lost != null) {
        throw new NotReady(
            "model.label is '%s', which points to version %d of model '%s'; it is not loaded"
                .formatted(label, lost, served.name()));
      }
      throw new Unknown(
          served.labels().isEmpty()
              ? "model.label is '%s'; model '%s' has no labels".formatted(label, served.name())
              : "model.label is '%s'; model '%s' has the labels %s"
                  .formatted(label, served.name(), new TreeMap<>(served.labels())));
    }
    return model;
  }

  /** Where a key lies in [0, 1), another place for each model; anywhere where there is no key. */
  static double point(ServedModel served, String key) {
    if (key.isEmpty()) {
      return ThreadLocalRandom.current().nextDouble();
    }
    byte[] bytes = (served.name() + '/' + key).getBytes(StandardCharsets.UTF_8);
    return Hash.fraction(Hash.of(bytes));
  }
}
