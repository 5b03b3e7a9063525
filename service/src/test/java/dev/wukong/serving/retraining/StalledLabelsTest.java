package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.client.FeedbackClient;
import dev.wukong.client.Prediction;
import dev.wukong.proto.v1.AcceptLearnedRequest;
import dev.wukong.proto.v1.GateStatus;
import dev.wukong.proto.v1.HealthyState;
import dev.wukong.serving.testing.Parts;
import dev.wukong.serving.testing.Served;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whoever brings labels stalls, and comes again; requests meet the healthy state meanwhile. */
class StalledLabelsTest {
  private static final Duration DEADLINE = Duration.ofMinutes(1);
  private static final Duration TURN = Duration.ofMillis(500);

  /** Of candidates, 1 in 10: a dozen that do not come are of 12 predictions, then it is 10 s. */
  private static final int TURNS_TO_FREEZE = 60;

  private final AtomicReference<Instant> now = new AtomicReference<>(Instant.now());
  private long turn;

  /** What a service was set to, whose gate decides by figures nobody cares for here. */
  private LearningService serve(Path bundles) throws Exception {
    InstantSource source = now::get;
    Clock clock = source.withZone(ZoneOffset.UTC);
    return LearningService.start(
        bundles,
        new Parts().with(Clock.class, _ -> clock),
        1,
        "wukong.online.rate=1",
        "wukong.online.gate.mode=direct",
        "wukong.online.gate.every=5m",
        "wukong.online.gate.patience=2h",
        "wukong.online.gate.worse=100",
        "wukong.online.gate.harm=100",
        "wukong.online.gate.jump=1000");
  }

  /** So much later: a prediction all of whose candidates are shown, one clicked or none. */
  private void turn(LearningService service, Duration later, boolean labels) throws Exception {
    now.updateAndGet(at -> at.plus(later));
    Prediction prediction = service.predict(++turn);
    var id = prediction.response().getPredictionId();
    try (FeedbackClient feedback =
        FeedbackClient.over(
            service.served().channel(),
            refusal -> {
              throw new IllegalStateException(refusal.toString());
            })) {
      int[] all = IntStream.range(0, LearningService.CANDIDATES).toArray();
      long last = feedback.exposed(id, all, now.get());
      if (labels) {
        last = feedback.labelled(id, 3, "click", 1, now.get());
        last = feedback.labelled(id, 3, "conversion", 1, now.get());
      }
      feedback.awaitDurable(last, DEADLINE);
    }
    Served.await("all of it is taken", () -> service.trainer().lag() == 0);
  }

  private static boolean frozen(LearningService service) {
    return service.served().bean(MeterRegistry.class).get("wukong.join.frozen").gauge().value() > 0;
  }

  /** Turns until it is frozen, or is not. */
  private int turnsUntil(boolean frozen, LearningService service, boolean labels) throws Exception {
    int turns = 0;
    while (frozen(service) != frozen) {
      assertThat(turns++).isLessThan(TURNS_TO_FREEZE);
      turn(service, TURN, labels);
    }
    return turns;
  }

  private static GateStatus gate(LearningService service) {
    return service.trainingByStatus().getGate();
  }

  private static List<Long> healthy(LearningService service) {
    return gate(service).getHealthyList().stream().map(HealthyState::getNumber).toList();
  }

  /**
   * What was learned is healthy now: what it answers. Examples that still waited for their step may
   * already have changed what serves, and then all is accepted again.
   */
  private static float[] accepted(LearningService service) {
    while (true) {
      var _ =
          service
              .admin()
              .acceptLearned(
                  AcceptLearnedRequest.newBuilder().setModel(LearningModel.NAME).build());
      Prediction answer = service.predict(0);
      long healthy = gate(service).getHealthyList().getLast().getDense();
      if (answer.response().getVersion().getDense() == healthy) {
        return answer.probabilities();
      }
    }
  }

  @Test
  void labels_stallAndComeAgain_healthyStateServesUntilAPromotion(@TempDir Path folder)
      throws Exception {
    Path bundles = LearningModel.train(folder);
    try (LearningService service = serve(bundles)) {
      for (int i = 0; i < 5; i++) {
        turn(service, TURN, true);
      }
      service.awaitLearning();
      float[] good = accepted(service);
      for (int i = 0; i < 40; i++) {
        turn(service, TURN, true);
      }
      Served.await("what was learned serves", () -> !same(good, service));
      long before = service.predict(0).response().getVersion().getDense();
      assertThat(gate(service).getPhase()).isEqualTo(GateStatus.Phase.PHASE_OPEN);

      int turns = turnsUntil(true, service, false);

      // Ten seconds at least, and what is due must have been shown as long ago.
      assertThat(turns).isGreaterThanOrEqualTo(20);
      Served.await("the healthy state serves", () -> same(good, service));
      assertThat(service.predict(0).response().getVersion().getDense()).isGreaterThan(before);
      assertThat(service.trainingByStatus().getReason())
          .startsWith("labels of task 'c")
          .contains("are missing");
      assertThat(gate(service).getPhase()).isEqualTo(GateStatus.Phase.PHASE_HOLDING);
      long examples = service.trainer().status().mark().examples();
      for (int i = 0; i < 20; i++) {
        turn(service, TURN, false);
        assertThat(same(good, service)).isTrue();
      }
      // Nobody is taken for one who likes nothing.
      assertThat(service.trainer().status().mark().examples()).isEqualTo(examples);

      assertThat(turnsUntil(false, service, true)).isGreaterThan(10);

      assertThat(service.trainingByStatus().getReason()).isEmpty();
      List<Long> known = healthy(service);
      while (service.trainer().status().mark().examples() < examples + 500) {
        turn(service, Duration.ofSeconds(2), true); // What was held comes after the grace.
        assertThat(same(good, service)).isTrue();
      }
      assertThat(healthy(service)).isEqualTo(known);
      while (healthy(service).equals(known)) {
        turn(service, Duration.ofSeconds(20), true);
      }
      Served.await("what was promoted serves", () -> !same(good, service));
      assertThat(gate(service).getPhase()).isEqualTo(GateStatus.Phase.PHASE_OPEN);
    }
  }

  private static boolean same(float[] probabilities, LearningService service) {
    return Arrays.equals(probabilities, service.predict(0).probabilities());
  }
}
