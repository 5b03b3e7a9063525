package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.wukong.proto.v1.GetModelRequest;
import dev.wukong.proto.v1.PauseTrainingRequest;
import dev.wukong.proto.v1.StatusServiceGrpc;
import dev.wukong.proto.v1.TrainingStatus;
import dev.wukong.proto.v1.TrainingStatus.Phase;
import dev.wukong.serving.testing.TinyModel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Operators stop and start training. */
class PausedLearningTest {
  @TempDir Path folder;
  private Path bundles = Path.of("");

  @BeforeEach
  void train() throws Exception {
    bundles = LearningModel.train(folder);
  }

  @Test
  void pause_feedbackComes_isLearnedAfterResumeAlsoOverARestart() throws Exception {
    try (LearningService service = LearningService.start(bundles, 1)) {
      service.click(0, 3, 2);
      service.awaitExamples(2 * LearningService.EXAMPLES);
      TrainingStatus paused = service.pause();
      assertThat(paused.getPhase()).isEqualTo(Phase.PHASE_PAUSED);
      assertThat(paused.getReason()).isEqualTo("operators have paused it");
      assertThat(paused.getBundle()).isEqualTo(1);
      assertThat(paused.getEpoch()).isEqualTo(1);
      assertThat(paused.getDense()).isPositive();
      assertThat(paused.getExamples()).isEqualTo(2 * LearningService.EXAMPLES);
      float[] before = service.predict(0).probabilities();
      service.click(0, 3, 3);
      assertThat(service.predict(0).probabilities()).containsExactly(before);
      TrainingStatus still = service.trainingByStatus();
      assertThat(still.getPosition()).isEqualTo(paused.getPosition());
      assertThat(still.getLag()).isGreaterThanOrEqualTo(9);
      assertThat(service.get("/models/" + LearningModel.NAME).body())
          .contains("\"training\":{\"phase\":\"PAUSED\",\"reason\":\"operators have paused it\"");
    }
    try (LearningService service = LearningService.start(bundles, 1)) {
      assertThat(service.pause().getPhase()).isEqualTo(Phase.PHASE_PAUSED);
      assertThat(service.trainingByStatus().getPhase()).isEqualTo(Phase.PHASE_PAUSED);
      assertThat(service.resume().getPhase()).isNotEqualTo(Phase.PHASE_PAUSED);
      service.awaitExamples(5 * LearningService.EXAMPLES);
      assertThat(service.trainingByStatus().getPhase()).isEqualTo(Phase.PHASE_LEARNING);
    }
    try (LearningService service = LearningService.start(bundles, 1)) {
      service.click(0, 3, 1);
      service.awaitExamples(6 * LearningService.EXAMPLES);
    }
  }

  @Test
  void rest_operatorsMayUseIt_pausesResumesAndExports() throws Exception {
    String training = "/models/" + LearningModel.NAME + "/training/";
    try (LearningService service = LearningService.start(bundles, 1)) {
      assertThat(service.post(training + "pause", "application/json").statusCode()).isEqualTo(404);
    }
    try (LearningService service = LearningService.start(bundles, 1, "wukong.admin.rest=true")) {
      service.click(0, 3, 2);
      service.awaitExamples(2 * LearningService.EXAMPLES);
      HttpResponse<String> paused = service.post(training + "pause", "application/json");
      assertThat(paused.statusCode()).isEqualTo(200);
      assertThat(paused.body())
          .contains("\"phase\":\"PAUSED\"", "\"examples\":" + 2 * LearningService.EXAMPLES);
      HttpResponse<String> exported = service.post(training + "export", "application/json");
      assertThat(exported.body()).contains("\"version\":2", "\"source\":1");
      assertThat(service.post(training + "resume", "application/json").statusCode()).isEqualTo(200);
      // What a form of another site could send.
      assertThat(service.post(training + "pause", "text/plain").statusCode()).isEqualTo(415);
      HttpResponse<String> none = service.post("/models/none/training/pause", "application/json");
      assertThat(none.statusCode()).isEqualTo(404);
      assertThat(none.body()).contains("there is no model 'none'; there are [learner]");
    }
  }

  @Test
  void pause_modelDoesNotLearnOrIsNotThere_isRefused() throws Exception {
    new TinyModel(1).write(bundles, "tiny", 1);
    try (LearningService service = LearningService.start(bundles, 1)) {
      service.served().awaitServing("tiny", 1);
      StatusRuntimeException other = refusal(service, "tiny");
      assertThat(other.getStatus().getCode()).isEqualTo(Code.FAILED_PRECONDITION);
      assertThat(other.getStatus().getDescription())
          .isEqualTo("model 'tiny' does not learn; wukong.online.model is 'learner'");
      StatusRuntimeException none = refusal(service, "none");
      assertThat(none.getStatus().getCode()).isEqualTo(Code.NOT_FOUND);
      assertThat(none.getStatus().getDescription())
          .isEqualTo("there is no model 'none'; there are [learner, tiny]");
      assertThat(refusal(service, "None").getStatus().getCode()).isEqualTo(Code.INVALID_ARGUMENT);
      assertThat(
              StatusServiceGrpc.newBlockingStub(service.served().channel())
                  .getModel(GetModelRequest.newBuilder().setName("tiny").build())
                  .getStatus()
                  .hasTraining())
          .isFalse();
    }
  }

  private static StatusRuntimeException refusal(LearningService service, String model) {
    PauseTrainingRequest request = PauseTrainingRequest.newBuilder().setModel(model).build();
    return catchThrowableOfType(
        StatusRuntimeException.class, () -> service.admin().pauseTraining(request));
  }
}
