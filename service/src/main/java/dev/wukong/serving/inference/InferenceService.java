package dev.wukong.serving.inference;

import dev.wukong.data.DataException;
import dev.wukong.data.Schema;
import dev.wukong.proto.inference.GRPCInferenceServiceGrpc;
import dev.wukong.proto.inference.ModelConfigRequest;
import dev.wukong.proto.inference.ModelConfigResponse;
import dev.wukong.proto.inference.ModelInferRequest;
import dev.wukong.proto.inference.ModelInferResponse;
import dev.wukong.proto.inference.ModelMetadataRequest;
import dev.wukong.proto.inference.ModelMetadataResponse;
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
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.serving.hosting.HostedModel;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.hosting.ServedModel;
import dev.wukong.serving.predict.PredictLimits;
import dev.wukong.serving.predict.PredictService;
import dev.wukong.serving.sight.Door;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Answers clients of the Open Inference Protocol by the path of Predict: the same checks, batches,
 * limits and refusals. Each call runs on a thread of its own.
 */
public final class InferenceService extends GRPCInferenceServiceGrpc.GRPCInferenceServiceImplBase {
  private final RequestedModels models;
  private final PredictService predict;
  private final Function<String, ModelStatisticsResponse> statistics;
  private final PredictLimits limits;

  /**
   * The service.
   *
   * @param statistics of a model by name; of all where that is empty
   * @param limits what a request may ask for
   */
  public InferenceService(
      ModelHost host,
      PredictService predict,
      Function<String, ModelStatisticsResponse> statistics,
      PredictLimits limits) {
    this.models = new RequestedModels(host);
    this.predict = predict;
    this.statistics = statistics;
    this.limits = limits;
  }

  @Override
  public void serverLive(ServerLiveRequest request, StreamObserver<ServerLiveResponse> answer) {
    answer(answer, () -> ServerLiveResponse.newBuilder().setLive(true).build());
  }

  @Override
  public void serverReady(ServerReadyRequest request, StreamObserver<ServerReadyResponse> answer) {
    answer(answer, () -> ServerReadyResponse.newBuilder().setReady(models.anyServes()).build());
  }

  @Override
  public void modelReady(ModelReadyRequest request, StreamObserver<ModelReadyResponse> answer) {
    answer(
        answer,
        () -> {
          HostedModel model = models.find(models.served(request.getName()), request.getVersion());
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
        () -> described(request.getName(), request.getVersion(), ModelDescriptions::metadata));
  }

  @Override
  public void modelConfig(ModelConfigRequest request, StreamObserver<ModelConfigResponse> answer) {
    answer(
        answer,
        () ->
            described(
                request.getName(),
                request.getVersion(),
                (served, schema) -> ModelDescriptions.config(served, schema, limits.candidates())));
  }

  @Override
  public void modelStatistics(
      ModelStatisticsRequest request, StreamObserver<ModelStatisticsResponse> answer) {
    answer(
        answer,
        () -> {
          if (!request.getName().isEmpty()) {
            var _ = models.served(request.getName());
          }
          return statistics.apply(request.getName());
        });
  }

  @Override
  public void modelInfer(ModelInferRequest request, StreamObserver<ModelInferResponse> answer) {
    answer(answer, () -> infer(request));
  }

  private ModelInferResponse infer(ModelInferRequest request) {
    Set<Output> wanted;
    try {
      wanted = InferenceTranslation.outputs(request);
    } catch (DataException e) {
      throw predict.refuse(Door.OIP, e);
    }
    PredictRequest asked =
        PredictRequest.newBuilder()
            .setModel(RequestedModels.selector(request.getModelName(), request.getModelVersion()))
            .setRequestId(request.getId())
            .setWantLogits(wanted.contains(Output.LOGITS))
            .build();
    PredictResponse scored =
        predict.score(
            Door.OIP,
            asked,
            (envelope, model) ->
                InferenceTranslation.complete(envelope, request, model.layout().schema(), limits)
                    .setSchemaId(model.schemaId())
                    .build());
    return InferenceTranslation.response(request.getId(), scored, wanted);
  }

  /** Something said of a version. */
  @FunctionalInterface
  private interface Description<R> {
    R of(ServedModel served, Schema schema);
  }

  private <R> R described(String name, String version, Description<R> description) {
    ServedModel served = models.served(name);
    HostedModel model = models.lease(served, version);
    try {
      return description.of(served, model.layout().schema());
    } finally {
      model.release();
    }
  }

  private static <R> void answer(StreamObserver<R> answer, Supplier<R> call) {
    R response;
    try {
      response = call.get();
    } catch (DataException e) {
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
