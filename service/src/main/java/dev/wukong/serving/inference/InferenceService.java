package dev.wukong.serving.inference;

import com.google.protobuf.ByteString;
import dev.wukong.bundle.BundleStore;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.ShownText;
import dev.wukong.proto.inference.DataType;
import dev.wukong.proto.inference.GRPCInferenceServiceGrpc;
import dev.wukong.proto.inference.InferParameter;
import dev.wukong.proto.inference.ModelConfig;
import dev.wukong.proto.inference.ModelConfigRequest;
import dev.wukong.proto.inference.ModelConfigResponse;
import dev.wukong.proto.inference.ModelInferRequest;
import dev.wukong.proto.inference.ModelInferRequest.InferRequestedOutputTensor;
import dev.wukong.proto.inference.ModelInferResponse;
import dev.wukong.proto.inference.ModelInferResponse.InferOutputTensor;
import dev.wukong.proto.inference.ModelInput;
import dev.wukong.proto.inference.ModelMetadataRequest;
import dev.wukong.proto.inference.ModelMetadataResponse;
import dev.wukong.proto.inference.ModelMetadataResponse.TensorMetadata;
import dev.wukong.proto.inference.ModelOutput;
import dev.wukong.proto.inference.ModelReadyRequest;
import dev.wukong.proto.inference.ModelReadyResponse;
import dev.wukong.proto.inference.ModelStatisticsRequest;
import dev.wukong.proto.inference.ModelStatisticsResponse;
import dev.wukong.proto.inference.ServerLiveRequest;
import dev.wukong.proto.inference.ServerLiveResponse;
import dev.wukong.proto.inference.ServerMetadataRequest;
import dev.wukong.proto.inference.ServerMetadataResponse;
import dev.wukong.proto.inference.ServerReadyRequest;
import dev.wukong.proto.inference.ServerReadyResponse;
import dev.wukong.proto.v1.Criticality;
import dev.wukong.proto.v1.ModelSelector;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.serving.hosting.HostedModel;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.hosting.ServedModel;
import dev.wukong.serving.inference.FeatureTensors.Spec;
import dev.wukong.serving.predict.CriticalityClass;
import dev.wukong.serving.predict.PredictService;
import dev.wukong.serving.sight.Door;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Answers clients of the Open Inference Protocol by the path of Predict: the same checks, batches,
 * limits and refusals. Each call runs on a thread of its own.
 */
public final class InferenceService extends GRPCInferenceServiceGrpc.GRPCInferenceServiceImplBase {
  private static final String PROBABILITIES = "probabilities";
  private static final String NUMBER = "[0-9]{1,18}";

  private static final String LOGITS = "logits";
  private static final Set<String> OUTPUTS = Set.of(PROBABILITIES, LOGITS);

  private final ModelHost host;
  private final PredictService predict;
  private final Function<String, ModelStatisticsResponse> statistics;
  private final int maxCandidates;

  /**
   * The service.
   *
   * @param statistics of a model by name; of all where that is empty
   * @param maxCandidates a request
   */
  public InferenceService(
      ModelHost host,
      PredictService predict,
      Function<String, ModelStatisticsResponse> statistics,
      int maxCandidates) {
    this.host = host;
    this.predict = predict;
    this.statistics = statistics;
    this.maxCandidates = maxCandidates;
  }

  @Override
  public void serverLive(ServerLiveRequest request, StreamObserver<ServerLiveResponse> answer) {
    answer(answer, () -> ServerLiveResponse.newBuilder().setLive(true).build());
  }

  @Override
  public void serverReady(ServerReadyRequest request, StreamObserver<ServerReadyResponse> answer) {
    answer(
        answer,
        () ->
            ServerReadyResponse.newBuilder()
                .setReady(host.models().stream().anyMatch(m -> m.servingVersion() > 0))
                .build());
  }

  @Override
  public void modelReady(ModelReadyRequest request, StreamObserver<ModelReadyResponse> answer) {
    answer(
        answer,
        () -> {
          HostedModel model = lease(served(request.getName()), request.getVersion());
          if (model != null) {
            model.release();
          }
          return ModelReadyResponse.newBuilder().setReady(model != null).build();
        });
  }

  @Override
  public void serverMetadata(
      ServerMetadataRequest request, StreamObserver<ServerMetadataResponse> answer) {
    answer(
        answer,
        () ->
            ServerMetadataResponse.newBuilder()
                .setName("wukong")
                .setVersion("1")
                .addExtensions("statistics")
                .addExtensions("model_configuration")
                .build());
  }

  @Override
  public void modelMetadata(
      ModelMetadataRequest request, StreamObserver<ModelMetadataResponse> answer) {
    answer(
        answer,
        () ->
            described(
                request.getName(),
                request.getVersion(),
                (served, schema) -> {
                  ModelMetadataResponse.Builder metadata =
                      ModelMetadataResponse.newBuilder()
                          .setName(served.name())
                          .setPlatform("onnxruntime_onnx");
                  served.loadedVersions().forEach(v -> metadata.addVersions(Long.toString(v)));
                  for (Spec spec : FeatureTensors.of(schema)) {
                    metadata.addInputs(tensor(spec.name(), spec.datatype(), spec.width()));
                  }
                  for (String output : new TreeSet<>(OUTPUTS).descendingSet()) {
                    metadata.addOutputs(tensor(output, "FP32", schema.tasks().size()));
                  }
                  return metadata.build();
                }));
  }

  private static TensorMetadata tensor(String name, String datatype, long width) {
    return TensorMetadata.newBuilder()
        .setName(name)
        .setDatatype(datatype)
        .addShape(-1)
        .addShape(width)
        .build();
  }

  @Override
  public void modelConfig(ModelConfigRequest request, StreamObserver<ModelConfigResponse> answer) {
    answer(
        answer,
        () ->
            described(
                request.getName(),
                request.getVersion(),
                (served, schema) -> {
                  ModelConfig.Builder config =
                      ModelConfig.newBuilder()
                          .setName(served.name())
                          .setPlatform("onnxruntime_onnx")
                          .setBackend("onnxruntime")
                          .setMaxBatchSize(maxCandidates);
                  for (Spec spec : FeatureTensors.of(schema)) {
                    config.addInput(
                        ModelInput.newBuilder()
                            .setName(spec.name())
                            .setDataType(type(spec.datatype()))
                            .addDims(spec.width())
                            .setOptional(spec.optional()));
                  }
                  for (String output : new TreeSet<>(OUTPUTS).descendingSet()) {
                    config.addOutput(
                        ModelOutput.newBuilder()
                            .setName(output)
                            .setDataType(DataType.TYPE_FP32)
                            .addDims(schema.tasks().size()));
                  }
                  return ModelConfigResponse.newBuilder().setConfig(config).build();
                }));
  }

  private static DataType type(String datatype) {
    return datatype.equals("BYTES") ? DataType.TYPE_STRING : DataType.valueOf("TYPE_" + datatype);
  }

  @Override
  public void modelStatistics(
      ModelStatisticsRequest request, StreamObserver<ModelStatisticsResponse> answer) {
    answer(
        answer,
        () -> {
          if (!request.getName().isEmpty()) {
            served(request.getName());
          }
          return statistics.apply(request.getName());
        });
  }

  @Override
  public void modelInfer(ModelInferRequest request, StreamObserver<ModelInferResponse> answer) {
    answer(answer, () -> infer(request));
  }

  private ModelInferResponse infer(ModelInferRequest request) {
    ServedModel served = served(request.getModelName());
    Set<String> wanted = outputs(request);
    PredictResponse scored =
        predict.scorePacked(
            Door.OIP,
            () -> translate(request, served).setWantLogits(wanted.contains(LOGITS)).build());
    ModelInferResponse.Builder response =
        ModelInferResponse.newBuilder()
            .setModelName(scored.getModel())
            .setModelVersion(Long.toString(scored.getVersion().getBundle()))
            .setId(request.getId())
            .putParameters("defaulted_ids", number(scored.getQuality().getDefaultedIds()))
            .putParameters("missing_values", number(scored.getQuality().getMissingValues()));
    int tasks = scored.getTasksCount();
    for (String output : wanted) {
      ByteString values = output.equals(LOGITS) ? scored.getLogits() : scored.getScores();
      response
          .addOutputs(
              InferOutputTensor.newBuilder()
                  .setName(output)
                  .setDatatype("FP32")
                  .addShape(values.size() / (4L * tasks))
                  .addShape(tasks))
          .addRawOutputContents(values);
    }
    return response.build();
  }

  private static InferParameter number(long value) {
    return InferParameter.newBuilder().setInt64Param(value).build();
  }

  private static Set<String> outputs(ModelInferRequest request) {
    Set<String> names = new TreeSet<>(OUTPUTS).descendingSet();
    if (request.getOutputsCount() == 0) {
      return names;
    }
    Set<String> wanted =
        request.getOutputsList().stream()
            .map(InferRequestedOutputTensor::getName)
            .collect(Collectors.toCollection(TreeSet::new))
            .descendingSet();
    for (String name : wanted) {
      if (!OUTPUTS.contains(name)) {
        throw new BadInference(
            "outputs: there is no '%s'; the model has %s"
                .formatted(ShownText.of(name), String.join(", ", names)));
      }
    }
    return wanted;
  }

  private PredictRequest.Builder translate(ModelInferRequest request, ServedModel served) {
    HostedModel model = lease(served, request.getModelVersion());
    if (model == null) {
      throw Status.UNAVAILABLE
          .withDescription(
              "model '%s' has no such version, or none that serves yet".formatted(served.name()))
          .asRuntimeException();
    }
    Schema schema;
    String schemaId;
    try {
      schema = model.layout().schema();
      schemaId = model.schemaId();
    } finally {
      model.release();
    }
    InferenceTensors tensors = new InferenceTensors(request);
    int candidates = BlockTranslation.rows(tensors, schema, Scope.CANDIDATE);
    if (candidates == 0) {
      throw new BadInference("inputs: there is no tensor of the candidates' features");
    }
    PredictRequest.Builder translated =
        PredictRequest.newBuilder()
            .setModel(selector(served, request.getModelVersion()))
            .setSchemaId(schemaId)
            .setRequestId(request.getId())
            .setCriticality(criticality(request.getParametersMap()))
            .setCandidates(
                new BlockTranslation(tensors, schema, Scope.CANDIDATE, candidates).block());
    if (schema.hasContext()) {
      int contexts = Math.max(1, BlockTranslation.rows(tensors, schema, Scope.CONTEXT));
      translated
          .setContext(new BlockTranslation(tensors, schema, Scope.CONTEXT, contexts).block())
          .setContextOf(contextOf(tensors, contexts, candidates));
    }
    tensors.requireAllUsed(
        FeatureTensors.of(schema).stream()
            .map(Spec::name)
            .collect(Collectors.toCollection(TreeSet::new)));
    return translated;
  }

  /** Of no bytes where there is one context; each candidate's own where none are given. */
  private static ByteString contextOf(InferenceTensors tensors, int contexts, int candidates) {
    InferenceTensors.Values of = tensors.find(FeatureTensors.CONTEXT_OF, "INT32");
    if (of != null) {
      return of.bytes();
    }
    if (contexts == 1) {
      return ByteString.EMPTY;
    }
    if (contexts != candidates) {
      throw new BadInference(
          "inputs: '%s' is missing: there are %d contexts and %d candidates"
              .formatted(FeatureTensors.CONTEXT_OF, contexts, candidates));
    }
    ByteBuffer own = ByteBuffer.allocate(4 * candidates).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < candidates; i++) {
      own.putInt(i);
    }
    return ByteString.copyFrom(own.flip());
  }

  private static Criticality criticality(Map<String, InferParameter> parameters) {
    InferParameter given = parameters.get("criticality");
    if (given == null) {
      return Criticality.CRITICALITY_NORMAL;
    }
    return CriticalityClass.parse(given.getStringParam())
        .orElseThrow(
            () ->
                new BadInference(
                    "parameters: criticality is '%s'; %s are allowed"
                        .formatted(
                            ShownText.of(given.getStringParam()), CriticalityClass.ALLOWED)));
  }

  /** Something said of a version. */
  @FunctionalInterface
  private interface Description<R> {
    R of(ServedModel served, Schema schema);
  }

  private <R> R described(String name, String version, Description<R> description) {
    ServedModel served = served(name);
    HostedModel model = lease(served, version);
    if (model == null) {
      throw Status.UNAVAILABLE
          .withDescription(
              "model '%s' has no such version, or none that serves yet".formatted(served.name()))
          .asRuntimeException();
    }
    try {
      return description.of(served, model.layout().schema());
    } finally {
      model.release();
    }
  }

  private ServedModel served(String name) {
    if (!BundleStore.isModel(name)) {
      throw new BadInference(
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

  private static ModelSelector.Builder selector(ServedModel served, String version) {
    ModelSelector.Builder selector = ModelSelector.newBuilder().setName(served.name());
    if (version.isEmpty()) {
      return selector;
    }
    return version.matches(NUMBER)
        ? selector.setVersion(Long.parseLong(version))
        : selector.setLabel(version);
  }

  /** By number or label; whichever answers where {@code version} is empty. */
  private static @Nullable HostedModel lease(ServedModel served, String version) {
    if (version.isEmpty()) {
      return served.leaseAt(ThreadLocalRandom.current().nextDouble());
    }
    return version.matches(NUMBER)
        ? served.leaseVersion(Long.parseLong(version))
        : served.leaseLabel(version);
  }

  private static <R> void answer(StreamObserver<R> answer, Supplier<R> call) {
    R response;
    try {
      response = call.get();
    } catch (BadInference e) {
      answer.onError(Status.INVALID_ARGUMENT.withDescription(e.getMessage()).asRuntimeException());
      return;
    } catch (StatusRuntimeException e) {
      answer.onError(e);
      return;
    }
    answer.onNext(response);
    answer.onCompleted();
  }
}
