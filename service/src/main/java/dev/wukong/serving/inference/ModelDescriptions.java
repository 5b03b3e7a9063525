package dev.wukong.serving.inference;

import dev.wukong.data.Schema;
import dev.wukong.proto.inference.ModelConfig;
import dev.wukong.proto.inference.ModelConfigResponse;
import dev.wukong.proto.inference.ModelInput;
import dev.wukong.proto.inference.ModelMetadataResponse;
import dev.wukong.proto.inference.ModelMetadataResponse.TensorMetadata;
import dev.wukong.proto.inference.ModelOutput;
import dev.wukong.serving.hosting.ServedModel;
import dev.wukong.serving.inference.FeatureTensors.Spec;

/** What the protocol tells of a model: its versions, and the tensors of one of them. Stateless. */
final class ModelDescriptions {
  private static final String PLATFORM = "onnxruntime_onnx";

  private ModelDescriptions() {}

  /** Its versions and tensors; -1 stands for any number. */
  static ModelMetadataResponse metadata(ServedModel served, Schema schema) {
    ModelMetadataResponse.Builder metadata =
        ModelMetadataResponse.newBuilder().setName(served.name()).setPlatform(PLATFORM);
    served.loadedVersions().forEach(version -> metadata.addVersions(Long.toString(version)));
    for (Spec spec : FeatureTensors.of(schema)) {
      metadata.addInputs(tensor(spec.name(), spec.datatype(), spec.width()));
    }
    for (Output output : Output.values()) {
      metadata.addOutputs(tensor(output.key(), Datatype.FP32, schema.tasks().size()));
    }
    return metadata.build();
  }

  private static TensorMetadata tensor(String name, Datatype datatype, long width) {
    return TensorMetadata.newBuilder()
        .setName(name)
        .setDatatype(datatype.name())
        .addShape(-1)
        .addShape(width)
        .build();
  }

  /**
   * Its configuration.
   *
   * @param maxCandidates a request
   */
  static ModelConfigResponse config(ServedModel served, Schema schema, int maxCandidates) {
    ModelConfig.Builder config =
        ModelConfig.newBuilder()
            .setName(served.name())
            .setPlatform(PLATFORM)
            .setBackend("onnxruntime")
            .setMaxBatchSize(maxCandidates);
    for (Spec spec : FeatureTensors.of(schema)) {
      config.addInput(
          ModelInput.newBuilder()
              .setName(spec.name())
              .setDataType(spec.datatype().configured())
              .addDims(spec.width())
              .setOptional(spec.optional()));
    }
    for (Output output : Output.values()) {
      config.addOutput(
          ModelOutput.newBuilder()
              .setName(output.key())
              .setDataType(Datatype.FP32.configured())
              .addDims(schema.tasks().size()));
    }
    return ModelConfigResponse.newBuilder().setConfig(config).build();
  }
}
