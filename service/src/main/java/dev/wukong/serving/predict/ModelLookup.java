package dev.wukong.serving.predict;

import dev.wukong.bundle.BundleStore;
import dev.wukong.data.ShownText;
import dev.wukong.proto.v1.ModelSelector;
import dev.wukong.serving.hosting.HostedModel;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.hosting.ServedModel;
import dev.wukong.serving.predict.ServingException.BadRequest;
import dev.wukong.serving.predict.ServingException.NotReady;
import dev.wukong.serving.predict.ServingException.Unknown;
import java.util.List;

/** Finds the model a request names. Any thread. */
final class ModelLookup {
  private final ModelHost host;

  ModelLookup(ModelHost host) {
    this.host = host;
  }

  /**
   * The model called {@code name}; the only one where {@code name} is empty.
   *
   * @param field that holds the name, for messages
   */
  ServedModel served(String field, String name) {
    if (name.isEmpty()) {
      List<ServedModel> all = host.models();
      if (all.isEmpty()) {
        throw new NotReady("no model is loaded yet");
      }
      if (all.size() > 1) {
        throw new BadRequest(
            "%s is empty; this server has several models: %s".formatted(field, names()));
      }
      return all.getFirst();
    }
    if (!BundleStore.isModel(name)) {
      throw new BadRequest(
          "%s is '%s'; 1 to 64 of a-z, 0-9, '_' and '-' are allowed"
              .formatted(field, ShownText.of(name)));
    }
    return host.model(name)
        .orElseThrow(
            () -> new Unknown("%s is '%s'; this server has %s".formatted(field, name, names())));
  }

  /** A lease of the version that {@code selector} picks. */
  HostedModel lease(ServedModel served, ModelSelector selector) {
    checkLabel(served, selector);
    HostedModel model = served.lease();
    if (model == null) {
      throw new NotReady("model '%s' has no version that serves yet".formatted(served.name()));
    }
    if (selector.hasVersion() && selector.getVersion() != model.bundle()) {
      long serving = model.bundle();
      model.release();
      if (selector.getVersion() < 1) {
        throw new BadRequest(
            "model.version is %d; 1 or more is allowed".formatted(selector.getVersion()));
      }
      throw new Unknown(
          "model.version is %d; loaded of '%s' is %d"
              .formatted(selector.getVersion(), served.name(), serving));
    }
    return model;
  }

  private static void checkLabel(ServedModel served, ModelSelector selector) {
    if (selector.hasLabel()) {
      // A label is spelt like a model's name.
      if (!BundleStore.isModel(selector.getLabel())) {
        throw new BadRequest(
            "model.label is '%s'; 1 to 64 of a-z, 0-9, '_' and '-' are allowed"
                .formatted(ShownText.of(selector.getLabel())));
      }
      throw new Unknown(
          "model.label is '%s'; model '%s' has no labels"
              .formatted(selector.getLabel(), served.name()));
    }
  }

  private List<String> names() {
    return host.models().stream().map(ServedModel::name).toList();
  }
}
