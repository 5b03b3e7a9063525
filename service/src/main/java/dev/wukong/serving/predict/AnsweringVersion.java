package dev.wukong.serving.predict;

import dev.wukong.proto.v1.ModelVersion;
import dev.wukong.serving.hosting.HostedModel;

/** Which weights and rows answer, as the protocol says it. */
final class AnsweringVersion {
  private AnsweringVersion() {}

  static ModelVersion of(HostedModel model) {
    return ModelVersion.newBuilder()
        .setBundle(model.bundle())
        .setEpoch(model.epoch())
        .setDense(model.dense())
        .setRows(model.rows())
        .build();
  }
}
