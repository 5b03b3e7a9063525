package dev.wukong.serving.inference;

import dev.wukong.bundle.BundleStore;
import dev.wukong.data.DataException;
import dev.wukong.proto.v1.ModelSelector;
import dev.wukong.serving.hosting.HostedModel;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.hosting.ServedModel;
import dev.wukong.text.ShownText;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Finds the models that requests name. A version is its number or a label; empty: whichever
 * answers. Any thread.
 */
final class RequestedModels {
  private static final String NUMBER = "[0-9]{1,18}";

  private final ModelHost host;

  RequestedModels(ModelHost host) {
    this.host = host;
  }

  /**
   * The model called {@code name}.
   *
   * @throws DataException if no model can be called so
   * @throws StatusRuntimeException if none is
   */
  ServedModel served(String name) {
    if (!BundleStore.isModel(name)) {
      throw new DataException(
          "the model's name is '%s'; 1 to 64 of a-z, 0-9, '_' and '-' are allowed"
              .formatted(ShownText.of(name)));
    }
    return host.model(name)
        .orElseThrow(
            () ->
                Status.NOT_FOUND
                    .withDescription(
                        "the model's name is '%s'; this server has %s"
                            .formatted(name, host.names()))
                    .asRuntimeException());
  }

  /** Whether some model serves. */
  boolean anyServes() {
    return host.models().stream().anyMatch(model -> model.servingVersion() > 0);
  }

  /** A lease, to be released; null where there is no such version, or none serves. */
  @Nullable HostedModel find(ServedModel served, String version) {
    if (version.isEmpty()) {
      return served.leaseAt(ThreadLocalRandom.current().nextDouble());
    }
    return version.matches(NUMBER)
        ? served.leaseVersion(Long.parseLong(version))
        : served.leaseLabel(version);
  }

  /**
   * A lease, to be released.
   *
   * @throws StatusRuntimeException if there is no such version, or none serves
   */
  HostedModel lease(ServedModel served, String version) {
    HostedModel model = find(served, version);
    if (model == null && !version.isEmpty() && !served.loadedVersions().isEmpty()) {
      throw Status.NOT_FOUND
          .withDescription(
              "the version is '%s'; loaded of '%s' are %s, labels %s"
                  .formatted(
                      ShownText.of(version),
                      served.name(),
                      served.loadedVersions(),
                      served.labels()))
          .asRuntimeException();
    }
    if (model == null) {
      throw Status.UNAVAILABLE
          .withDescription(
              "model '%s' has no such version, or none that serves yet".formatted(served.name()))
          .asRuntimeException();
    }
    return model;
  }

  /** The same choice as Predict takes it. */
  static ModelSelector.Builder selector(String name, String version) {
    ModelSelector.Builder selector = ModelSelector.newBuilder().setName(name);
    if (version.isEmpty()) {
      return selector;
    }
    return version.matches(NUMBER)
        ? selector.setVersion(Long.parseLong(version))
        : selector.setLabel(version);
  }
}
