package dev.wukong.serving.admin;

import dev.wukong.bundle.BundleStore;
import dev.wukong.data.DataException;
import dev.wukong.proto.v1.AcceptLearnedRequest;
import dev.wukong.proto.v1.AcceptLearnedResponse;
import dev.wukong.proto.v1.AdminServiceGrpc;
import dev.wukong.proto.v1.EraseIdRequest;
import dev.wukong.proto.v1.EraseIdResponse;
import dev.wukong.proto.v1.ExportBundleRequest;
import dev.wukong.proto.v1.ExportBundleResponse;
import dev.wukong.proto.v1.LoadVersionRequest;
import dev.wukong.proto.v1.LoadVersionResponse;
import dev.wukong.proto.v1.ModelStatus;
import dev.wukong.proto.v1.ModelVersion;
import dev.wukong.proto.v1.PauseTrainingRequest;
import dev.wukong.proto.v1.PauseTrainingResponse;
import dev.wukong.proto.v1.ResumeTrainingRequest;
import dev.wukong.proto.v1.ResumeTrainingResponse;
import dev.wukong.proto.v1.RollbackRequest;
import dev.wukong.proto.v1.RollbackResponse;
import dev.wukong.proto.v1.SetLabelRequest;
import dev.wukong.proto.v1.SetLabelResponse;
import dev.wukong.proto.v1.SetTrafficRequest;
import dev.wukong.proto.v1.SetTrafficResponse;
import dev.wukong.proto.v1.StepBackRequest;
import dev.wukong.proto.v1.StepBackResponse;
import dev.wukong.proto.v1.TrafficShare;
import dev.wukong.proto.v1.UnloadVersionRequest;
import dev.wukong.proto.v1.UnloadVersionResponse;
import dev.wukong.serving.hosting.ServedModel;
import dev.wukong.serving.hosting.TrainingState;
import dev.wukong.serving.hosting.VersionControl;
import dev.wukong.serving.hosting.VersionControl.RolledBack;
import dev.wukong.serving.hosting.VersionException;
import dev.wukong.serving.predict.StatusService;
import dev.wukong.serving.retraining.IdValue;
import dev.wukong.serving.retraining.TrainingControl;
import dev.wukong.text.ShownText;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Versions, labels, shares and training by call. Each call runs on a thread of its own, which may
 * wait.
 */
public final class AdminService extends AdminServiceGrpc.AdminServiceImplBase {
  private static final Logger log = LoggerFactory.getLogger(AdminService.class);
  private static final int MAX_REASON = 1024;

  private final VersionControl versions;
  private final TrainingControl training;
  private final Function<ServedModel, ModelStatus> status;

  /**
   * The service.
   *
   * @param status describes a model after what was done to it
   */
  public AdminService(
      VersionControl versions,
      TrainingControl training,
      Function<ServedModel, ModelStatus> status) {
    this.versions = versions;
    this.training = training;
    this.status = status;
  }

  /** What a call does. */
  @FunctionalInterface
  private interface Call<R> {
    R run() throws VersionException;
  }

  @Override
  public void loadVersion(LoadVersionRequest request, StreamObserver<LoadVersionResponse> answer) {
    answer(
        answer,
        () -> {
          ServedModel model =
              versions.load(
                  model(request.getModel()), version(request.getVersion()), request.getServe());
          return LoadVersionResponse.newBuilder().setStatus(status.apply(model)).build();
        });
  }

  @Override
  public void unloadVersion(
      UnloadVersionRequest request, StreamObserver<UnloadVersionResponse> answer) {
    answer(
        answer,
        () -> {
          ServedModel model =
              versions.unload(model(request.getModel()), version(request.getVersion()));
          return UnloadVersionResponse.newBuilder().setStatus(status.apply(model)).build();
        });
  }

  @Override
  public void setLabel(SetLabelRequest request, StreamObserver<SetLabelResponse> answer) {
    answer(
        answer,
        () -> {
          if (request.getVersion() < 0) {
            throw bad("version is %d; 0 or more is allowed".formatted(request.getVersion()));
          }
          ServedModel model =
              versions.label(
                  model(request.getModel()),
                  name("label", request.getLabel()),
                  request.getVersion());
          return SetLabelResponse.newBuilder().setStatus(status.apply(model)).build();
        });
  }

  @Override
  public void setTraffic(SetTrafficRequest request, StreamObserver<SetTrafficResponse> answer) {
    answer(
        answer,
        () -> {
          Map<String, Double> shares = new HashMap<>();
          Map<String, Double> copies = new HashMap<>();
          double sum = 0;
          for (TrafficShare share : request.getSharesList()) {
            if (!(share.getShare() >= 0 && share.getShare() <= 1)) {
              throw bad(
                  "share of label '%s' is %s; 0 to 1 are allowed"
                      .formatted(ShownText.of(share.getLabel()), share.getShare()));
            }
            Map<String, Double> to = share.getShadow() ? copies : shares;
            if (to.put(name("label", share.getLabel()), share.getShare()) != null) {
              throw bad("label '%s' has two shares".formatted(share.getLabel()));
            }
            sum += share.getShadow() ? 0 : share.getShare();
          }
          if (sum > 1 + 1e-9) {
            throw bad("shares add up to %s; up to 1 is allowed".formatted(sum));
          }
          ServedModel model = versions.share(model(request.getModel()), shares, copies);
          return SetTrafficResponse.newBuilder().setStatus(status.apply(model)).build();
        });
  }

  @Override
  public void rollback(RollbackRequest request, StreamObserver<RollbackResponse> answer) {
    answer(
        answer,
        () -> {
          int bytes = request.getReasonBytes().size();
          if (bytes < 1 || bytes > MAX_REASON) {
            throw bad("reason has %d bytes; 1 to %d are allowed".formatted(bytes, MAX_REASON));
          }
          long to = request.hasTo() ? version(request.getTo().getBundle()) : 0;
          RolledBack done =
              versions.rollback(
                  model(request.getModel()), to, ShownText.oneLine(request.getReason()));
          return RollbackResponse.newBuilder()
              .setServing(ModelVersion.newBuilder().setBundle(done.model().servingVersion()))
              .setReplaced(ModelVersion.newBuilder().setBundle(done.before()))
              .build();
        });
  }

  @Override
  public void pauseTraining(
      PauseTrainingRequest request, StreamObserver<PauseTrainingResponse> answer) {
    answer(
        answer,
        () -> {
          TrainingState state = training.pause(model(request.getModel()));
          return PauseTrainingResponse.newBuilder()
              .setVersion(version(request.getModel()))
              .setTraining(StatusService.training(state))
              .build();
        });
  }

  @Override
  public void resumeTraining(
      ResumeTrainingRequest request, StreamObserver<ResumeTrainingResponse> answer) {
    answer(
        answer,
        () -> {
          TrainingState state = training.resume(model(request.getModel()));
          return ResumeTrainingResponse.newBuilder()
              .setVersion(version(request.getModel()))
              .setTraining(StatusService.training(state))
              .build();
        });
  }

  @Override
  public void acceptLearned(
      AcceptLearnedRequest request, StreamObserver<AcceptLearnedResponse> answer) {
    answer(
        answer,
        () ->
            AcceptLearnedResponse.newBuilder()
                .setTraining(StatusService.training(training.accept(model(request.getModel()))))
                .build());
  }

  @Override
  public void stepBack(StepBackRequest request, StreamObserver<StepBackResponse> answer) {
    answer(
        answer,
        () -> {
          OptionalLong to =
              request.hasTo() ? OptionalLong.of(request.getTo()) : OptionalLong.empty();
          return StepBackResponse.newBuilder()
              .setTraining(StatusService.training(training.stepBack(model(request.getModel()), to)))
              .build();
        });
  }

  @Override
  public void eraseId(EraseIdRequest request, StreamObserver<EraseIdResponse> answer) {
    answer(
        answer,
        () -> {
          IdValue value =
              switch (request.getValueCase()) {
                case NUMBER -> new IdValue.Whole(request.getNumber());
                case TEXT -> new IdValue.Text(request.getText());
                case VALUE_NOT_SET -> throw bad("value is absent; number or text is needed");
              };
          TrainingControl.Erased erased;
          try {
            erased = training.erase(model(request.getModel()), request.getFeature(), value);
          } catch (DataException e) {
            throw bad(String.valueOf(e.getMessage()));
          }
          return EraseIdResponse.newBuilder()
              .setTables(erased.tables())
              .setTraining(StatusService.training(erased.training()))
              .build();
        });
  }

  @Override
  public void exportBundle(
      ExportBundleRequest request, StreamObserver<ExportBundleResponse> answer) {
    answer(
        answer,
        () -> {
          TrainingControl.Exported done = training.export(model(request.getModel()));
          return ExportBundleResponse.newBuilder()
              .setVersion(done.version())
              .setOf(
                  ModelVersion.newBuilder()
                      .setBundle(done.source())
                      .setEpoch(done.epoch())
                      .setDense(done.dense()))
              .setManifestSha256(done.manifestSha256())
              .build();
        });
  }

  /** The one that serves; nothing is set where none does. */
  private ModelVersion version(String model) {
    return versions
        .find(model)
        .map(of -> status.apply(of).getServing())
        .orElse(ModelVersion.getDefaultInstance());
  }

  private static String model(String name) {
    return name("model", name);
  }

  private static String name(String field, String value) {
    if (!BundleStore.isModel(value)) {
      throw bad(
          "%s is '%s'; 1 to 64 of a-z, 0-9, '_' and '-' are allowed"
              .formatted(field, ShownText.of(value)));
    }
    return value;
  }

  private static long version(long version) {
    if (version < 1) {
      throw bad("version is %d; 1 or more is allowed".formatted(version));
    }
    return version;
  }

  /** A field is wrong. */
  private static final class BadField extends RuntimeException {
    BadField(String message) {
      super(message, null, false, false);
    }
  }

  private static BadField bad(String message) {
    return new BadField(message);
  }

  private static <R> void answer(StreamObserver<R> answer, Call<R> call) {
    R response;
    try {
      response = call.run();
    } catch (BadField e) {
      fail(answer, Status.INVALID_ARGUMENT, e);
      return;
    } catch (VersionException e) {
      fail(
          answer,
          switch (e) {
            case VersionException.Unknown _ -> Status.NOT_FOUND;
            case VersionException.NotNow _ -> Status.FAILED_PRECONDITION;
            case VersionException.Busy _ -> Status.ABORTED;
          },
          e);
      return;
    } catch (RuntimeException e) {
      log.error("an operation failed", e);
      answer.onError(
          Status.INTERNAL
              .withDescription("the server failed on this operation; its log says why")
              .asRuntimeException());
      return;
    }
    answer.onNext(response);
    answer.onCompleted();
  }

  private static void fail(StreamObserver<?> answer, Status status, Exception failure) {
    answer.onError(status.withDescription(failure.getMessage()).asRuntimeException());
  }
}
