package dev.wukong.serving.predict;

import dev.wukong.proto.v1.GetModelRequest;
import dev.wukong.proto.v1.GetModelResponse;
import dev.wukong.proto.v1.ListModelsRequest;
import dev.wukong.proto.v1.ListModelsResponse;
import dev.wukong.proto.v1.ModelStatus;
import dev.wukong.proto.v1.StatusServiceGrpc;
import dev.wukong.proto.v1.TrainingStatus;
import dev.wukong.proto.v1.VersionStatus;
import dev.wukong.proto.v1.VersionStatus.State;
import dev.wukong.runtime.Device;
import dev.wukong.serving.hosting.HostedModel;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.hosting.ServedModel;
import dev.wukong.serving.hosting.TrainingState;
import dev.wukong.serving.hosting.TrainingStates;
import dev.wukong.serving.hosting.VersionState;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.stream.Collectors;

/** What the server serves, over gRPC. */
public final class StatusService extends StatusServiceGrpc.StatusServiceImplBase {
  private final ModelHost host;
  private final ModelLookup models;
  private final String devices;
  private final TrainingStates training;

  public StatusService(ModelHost host, List<Device> devices, TrainingStates training) {
    this.training = training;
    this.host = host;
    this.models = new ModelLookup(host);
    this.devices = devices.stream().map(Device::toString).collect(Collectors.joining(","));
  }

  @Override
  public void listModels(ListModelsRequest request, StreamObserver<ListModelsResponse> answer) {
    ListModelsResponse.Builder response = ListModelsResponse.newBuilder();
    for (ServedModel model : host.models()) {
      response.addModels(describe(model));
    }
    answer.onNext(response.build());
    answer.onCompleted();
  }

  @Override
  public void getModel(GetModelRequest request, StreamObserver<GetModelResponse> answer) {
    GetModelResponse response;
    try {
      response = status(models.served("name", request.getName()));
    } catch (ServingException e) {
      answer.onError(StatusMapping.toStatus(e));
      return;
    }
    answer.onNext(response);
    answer.onCompleted();
  }

  /** A model and its versions. */
  public ModelStatus describe(ServedModel served) {
    return status(served).getStatus();
  }

  private GetModelResponse status(ServedModel served) {
    ModelStatus.Builder status = ModelStatus.newBuilder().setName(served.name()).setDevice(devices);
    GetModelResponse.Builder response = GetModelResponse.newBuilder();
    for (VersionState version : served.versions()) {
      status.addVersions(version(version));
    }
    status.putAllLabels(served.labels()).putAllShares(served.shares());
    status.putAllCopies(served.copied());
    training.of(served.name()).map(StatusService::training).ifPresent(status::setTraining);
    HostedModel model = served.lease();
    if (model != null) {
      try {
        status
            .setServing(AnsweringVersion.of(model))
            .setSchemaId(model.schemaId())
            .addAllTasks(model.taskNames())
            .setPrecision(model.precision().toString());
        response.setSchemaJson(model.schemaJson());
      } finally {
        model.release();
      }
    }
    return response.setStatus(status).build();
  }

  /** How training stands, as the protocol says it. */
  public static TrainingStatus training(TrainingState state) {
    TrainingStatus.Builder training =
        TrainingStatus.newBuilder()
            .setPhase(
                switch (state.phase()) {
                  case WAITING -> TrainingStatus.Phase.PHASE_WAITING;
                  case LEARNING -> TrainingStatus.Phase.PHASE_LEARNING;
                  case PAUSED -> TrainingStatus.Phase.PHASE_PAUSED;
                  case HALTED -> TrainingStatus.Phase.PHASE_HALTED;
                })
            .setReason(state.reason())
            .setBundle(state.bundle())
            .setPosition(state.position())
            .setLag(state.lag())
            .setEpoch(state.epoch())
            .setDense(state.dense())
            .setExamples(state.examples());
    state.gate().ifPresent(gate -> training.setGate(GateMessages.of(gate)));
    return training.build();
  }

  private static VersionStatus version(VersionState state) {
    VersionStatus.Builder version =
        VersionStatus.newBuilder()
            .setVersion(state.version())
            .setSinceMs(state.since().toEpochMilli());
    return switch (state.phase()) {
      case VersionState.Loading() -> version.setState(State.STATE_LOADING).build();
      case VersionState.Ready() -> version.setState(State.STATE_READY).build();
      case VersionState.Serving() -> version.setState(State.STATE_SERVING).build();
      case VersionState.Draining() -> version.setState(State.STATE_DRAINING).build();
      case VersionState.Unloaded() -> version.setState(State.STATE_UNLOADED).build();
      case VersionState.Failed(String reason) ->
          version.setState(State.STATE_FAILED).setMessage(reason).build();
    };
  }
}
