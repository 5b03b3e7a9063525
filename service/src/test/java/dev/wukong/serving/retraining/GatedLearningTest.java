package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.wukong.client.Prediction;
import dev.wukong.proto.v1.AcceptLearnedRequest;
import dev.wukong.proto.v1.GateStatus;
import dev.wukong.proto.v1.GateStatus.Mode;
import dev.wukong.proto.v1.HealthyState;
import dev.wukong.proto.v1.ModelVersion;
import dev.wukong.proto.v1.StepBackRequest;
import dev.wukong.proto.v1.TrainingStatus;
import dev.wukong.serving.testing.Served;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.util.FileSystemUtils;

/** What was learned serves when it may, and no more when it must not. */
class GatedLearningTest {
  @TempDir Path folder;
  private Path bundles = Path.of("");

  @BeforeEach
  void train() throws Exception {
    bundles = LearningModel.train(folder);
  }

  private LearningService serve(String mode, String... more) throws Exception {
    List<String> settings = new ArrayList<>(List.of(more));
    settings.add("wukong.online.gate.mode=" + mode);
    settings.add("wukong.admin.rest=true");
    return LearningService.start(bundles, 1, settings.toArray(String[]::new));
  }

  private static TrainingStatus accept(LearningService service) throws Exception {
    service.awaitLearning();
    return service
        .admin()
        .acceptLearned(AcceptLearnedRequest.newBuilder().setModel(LearningModel.NAME).build())
        .getTraining();
  }

  private static TrainingStatus stepBack(LearningService service, long to) {
    return service
        .admin()
        .stepBack(StepBackRequest.newBuilder().setModel(LearningModel.NAME).setTo(to).build())
        .getTraining();
  }

  /** Answers of the healthy state that training's path finds the same, or not. */
  private static double skew(LearningService service, String outcome) {
    return counted(service, "wukong.online.skew.probabilities", outcome);
  }

  private static double counted(LearningService service, String counter, String outcome) {
    return service
        .served()
        .bean(MeterRegistry.class)
        .get(counter)
        .tag("outcome", outcome)
        .counter()
        .count();
  }

  @Test
  void gated_learns_servesTheBundleUntilOperatorsAcceptAlsoOverARestart() throws Exception {
    float[] first;
    float[] accepted;
    ModelVersion serving;
    try (LearningService service = serve("gated")) {
      first = service.predict(0).probabilities();
      service.click(0, 3, 3);
      service.awaitExamples(3 * LearningService.EXAMPLES);
      Prediction still = service.predict(0);
      assertThat(still.probabilities()).containsExactly(first);
      assertThat(still.response().getVersion().getDense()).isZero();
      assertThat(service.trainingByStatus().getDense()).isPositive();
      assertThat(skew(service, "same")).isPositive();
      assertThat(skew(service, "apart")).isZero();
    }
    try (LearningService service = serve("gated")) {
      assertThat(service.predict(0).probabilities()).containsExactly(first);

      GateStatus gate = accept(service).getGate();

      assertThat(gate.getMode()).isEqualTo(Mode.MODE_GATED);
      assertThat(gate.getHealthyList()).extracting(HealthyState::getNumber).endsWith(0L, 1L);
      Prediction now = service.predict(0);
      accepted = now.probabilities();
      serving = now.response().getVersion();
      assertThat(accepted).isNotEqualTo(first);
      assertThat(serving.getDense()).isEqualTo(service.trainingByStatus().getDense());
      service.click(0, 3, 3);
      service.awaitExamples(6 * LearningService.EXAMPLES);
      assertThat(service.predict(0).probabilities()).containsExactly(accepted);
    }
    try (LearningService service = serve("gated")) {
      Prediction again = service.predict(0);
      assertThat(again.probabilities()).containsExactly(accepted);
      assertThat(again.response().getVersion().getDense()).isEqualTo(serving.getDense());
    }
  }

  @Test
  void canary_learns_answersItsShareAndNobodyOnceItIsTakenBack() throws Exception {
    float[] first;
    try (LearningService service = serve("canary", "wukong.online.gate.canary=0.5,1")) {
      first = service.predict(0).probabilities();
      service.click(0, 3, 3);
      service.awaitExamples(3 * LearningService.EXAMPLES);
      awaitCanary(service);

      List<Prediction> both = predict(service);
      GateStatus gate = service.trainingByStatus().getGate();

      assertThat(gate.getMode()).isEqualTo(Mode.MODE_CANARY);
      assertThat(gate.getShare()).isEqualTo(0.5);
      long learned = service.trainingByStatus().getDense();
      // By chance all are of one kind once in 2^63 times.
      assertThat(both).extracting(Prediction::dense).containsOnly(0L, learned);
      float[] canary = ofDense(both, learned);
      assertThat(canary).isNotEqualTo(first);
      for (Prediction of : both) {
        assertThat(of.probabilities()).containsExactly(of.dense() == 0 ? first : canary);
      }
    }
    // It is in no store: the healthy state answers until training has come to it again.
    try (LearningService service = serve("canary", "wukong.online.gate.canary=0.5")) {
      Prediction bundle = service.predict(0);
      assertThat(bundle.dense() == 0 ? bundle.probabilities() : first).containsExactly(first);
      service.click(0, 3, 1);
      service.awaitExamples(4 * LearningService.EXAMPLES);
      awaitCanary(service);
      long learned = service.trainingByStatus().getDense();
      float[] canary = ofDense(predict(service), learned);

      accept(service);

      for (Prediction of : predict(service)) {
        assertThat(of.dense()).isEqualTo(learned);
        assertThat(of.probabilities()).containsExactly(canary);
      }
      service.click(0, 3, 1);
      service.awaitExamples(5 * LearningService.EXAMPLES);
      awaitCanary(service);
      assertThat(predict(service))
          .extracting(Prediction::dense)
          .containsOnly(learned, service.trainingByStatus().getDense());

      stepBack(service, 0);

      for (Prediction of : predict(service)) {
        assertThat(of.probabilities()).containsExactly(first);
      }
    }
  }

  private static void awaitCanary(LearningService service) throws Exception {
    Served.await(
        "a canary answers",
        () -> service.trainer().gate().stream().anyMatch(gate -> gate.share() > 0));
  }

  private static List<Prediction> predict(LearningService service) {
    return IntStream.range(0, 64).mapToObj(_ -> service.predict(0)).toList();
  }

  private static float[] ofDense(List<Prediction> of, long dense) {
    return of.stream().filter(p -> p.dense() == dense).findAny().orElseThrow().probabilities();
  }

  @Test
  void stepBack_direct_servesWhatWasServedThenAndNeverAnOlderVersion() throws Exception {
    try (LearningService service = serve("direct")) {
      float[] first = service.predict(0).probabilities();
      service.click(0, 3, 2);
      service.awaitExamples(2 * LearningService.EXAMPLES);
      TrainingStatus accepted = accept(service);
      float[] learned = service.predict(0).probabilities();
      service.click(0, 3, 2);
      service.awaitExamples(4 * LearningService.EXAMPLES);
      Prediction more = service.predict(0);
      assertThat(more.probabilities()).isNotEqualTo(learned);

      TrainingStatus back = stepBack(service, 1);

      Prediction then = service.predict(0);
      assertThat(then.probabilities()).containsExactly(learned);
      assertThat(then.response().getVersion().getDense())
          .isGreaterThan(more.response().getVersion().getDense());
      assertThat(back.getExamples()).isEqualTo(accepted.getExamples());
      assertThat(back.getGate().getPhase()).isEqualTo(GateStatus.Phase.PHASE_HOLDING);

      // What comes is learned, and serves once it is accepted.
      service.click(0, 3, 1);
      service.awaitExamples(3 * LearningService.EXAMPLES);
      assertThat(service.predict(0).probabilities()).containsExactly(learned);
      TrainingStatus again = stepBack(service, 0);
      assertThat(service.predict(0).probabilities()).containsExactly(first);
      assertThat(again.getGate().getHealthyList())
          .extracting(HealthyState::getNumber)
          .containsExactly(0L);
    }
    try (LearningService service = serve("direct")) {
      Prediction still = service.predict(0);
      assertThat(still.response().getVersion().getDense()).isPositive();
    }
  }

  /** Or what nobody was to see would be the next version, and serve. */
  @Test
  void export_whatIsNotPromoted_isRefusedUntilItIsAcceptedOrNoMore() throws Exception {
    String export = "/models/" + LearningModel.NAME + "/training/export";
    try (LearningService service = serve("shadow")) {
      service.click(0, 3, 1);
      service.awaitExamples(LearningService.EXAMPLES);
      service.awaitLearning();
      HttpResponse<String> refused = service.post(export, "application/json");
      assertThat(refused.statusCode()).isEqualTo(409);
      assertThat(refused.body()).contains("accept that, or step back, and export then");

      TrainingStatus _ = stepBack(service, 0);
      HttpResponse<String> nothing = service.post(export, "application/json");
      assertThat(nothing.statusCode()).isEqualTo(409);
      assertThat(nothing.body()).contains("has learned nothing since version 1");
      service.click(0, 3, 1);
      service.awaitExamples(LearningService.EXAMPLES);

      TrainingStatus _ = accept(service);

      HttpResponse<String> exported = service.post(export, "application/json");
      assertThat(exported.statusCode()).as(exported.body()).isEqualTo(200);
    }
  }

  /** Between two promotions there always is more than was promoted. */
  @Test
  void export_gated_waitsForAPromotion() throws Exception {
    String export = "/models/" + LearningModel.NAME + "/training/export";
    try (LearningService service = serve("gated");
        ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      service.click(0, 3, 1);
      service.awaitExamples(LearningService.EXAMPLES);
      Future<HttpResponse<String>> exported =
          executor.submit(() -> service.post(export, "application/json"));
      Served.await("it waits", () -> service.trainer().awaitsPromotion());
      assertThat(exported.isDone()).isFalse();

      TrainingStatus _ = accept(service);

      HttpResponse<String> answer = exported.get();
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    }
  }

  /** At none of the places that what was learned knows. */
  @Test
  void start_logIsLost_learnsFromANewOneThatBeginsWhereItWas() throws Exception {
    long next;
    try (LearningService service = serve("direct")) {
      service.click(0, 3, 3);
      service.awaitExamples(3 * LearningService.EXAMPLES);
      next = service.trainer().status().next();
    }
    assertThat(FileSystemUtils.deleteRecursively(bundles.resolveSibling("events"))).isTrue();
    try (LearningService service = serve("direct")) {
      service.awaitLearning();
      assertThat(service.trainer().status().next()).isGreaterThanOrEqualTo(next);
      service.click(0, 3, 1);
      service.awaitExamples(4 * LearningService.EXAMPLES);
      assertThat(counted(service, "wukong.join.labels", "duplicate")).isZero();
      assertThat(counted(service, "wukong.join.labels", "joined")).isEqualTo(1);
    }
  }

  /** An older copy is behind what was learned: waiting for it would be for ever. */
  @Test
  void start_logIsAnOlderCopy_haltsAndSaysSo() throws Exception {
    Path events = bundles.resolveSibling("events");
    Path older = bundles.resolveSibling("older");
    try (LearningService service = serve("direct")) {
      service.click(0, 3, 1);
      service.awaitExamples(LearningService.EXAMPLES);
    }
    FileSystemUtils.copyRecursively(events, older);
    try (LearningService service = serve("direct")) {
      service.click(0, 3, 3);
      service.awaitExamples(4 * LearningService.EXAMPLES);
    }
    assertThat(FileSystemUtils.deleteRecursively(events)).isTrue();
    FileSystemUtils.copyRecursively(older, events);
    try (LearningService service = serve("direct")) {
      Served.await(
          "it halts", () -> service.trainer().status().phase() == OnlineTrainer.Phase.HALTED);
      assertThat(service.trainer().status().reason()).contains("it is another log");
      assertThat(service.predict(0).probabilities()).isNotEmpty();

      // It goes on logging, and is soon as long as the one that was learned from.
      service.click(0, 3, 30);
      service.resume();
      MeterRegistry meters = service.served().bean(MeterRegistry.class);
      Served.await("it halts again", () -> meters.get("wukong.online.halts").counter().count() > 1);
      assertThat(service.trainer().status().reason()).contains("it is another log");
      assertThat(service.trainer().lag()).isPositive();
    }
  }

  /** Who asks at once is told what is known from before the restart. */
  @Test
  void start_afterARestart_gateAndHealthyStatesAreKnown() throws Exception {
    try (LearningService service = serve("gated")) {
      service.click(0, 3, 1);
      service.awaitExamples(LearningService.EXAMPLES);
      assertThat(accept(service).getGate().getHealthyCount()).isEqualTo(2);
    }
    try (LearningService service = serve("gated")) {
      service.awaitLearning();
      assertThat(service.trainer().gate().orElseThrow().healthy()).hasSize(2);
    }
  }

  @Test
  void stepBack_noSuchState_isRefusedByNumber() throws Exception {
    try (LearningService service = serve("shadow")) {
      service.click(0, 3, 1);
      service.awaitExamples(LearningService.EXAMPLES);
      Served.await("the gate is known", () -> service.trainer().gate().isPresent());

      StatusRuntimeException refused =
          catchThrowableOfType(StatusRuntimeException.class, () -> stepBack(service, 7));

      assertThat(refused.getStatus().getCode()).isEqualTo(Code.NOT_FOUND);
      assertThat(refused.getStatus().getDescription())
          .isEqualTo("model 'learner' has no healthy state 7, there are [0]");
      String path = "/models/" + LearningModel.NAME + "/training/";
      assertThat(service.post(path + "step-back?to=7", "application/json").statusCode())
          .isEqualTo(404);
      HttpResponse<String> empty = service.post(path + "step-back?to=", "application/json");
      assertThat(empty.statusCode()).isEqualTo(400);
      assertThat(empty.body())
          .contains("parameter 'to' is '', allowed is the number of a healthy state");
      assertThat(service.post(path + "step-back", "application/json").body())
          .contains("\"mode\":\"SHADOW\"", "\"phase\":\"HOLDING\"");
      assertThat(service.post(path + "accept", "application/json").statusCode()).isEqualTo(200);
    }
  }
}
