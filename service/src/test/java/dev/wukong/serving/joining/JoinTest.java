package dev.wukong.serving.joining;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.Logged;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class JoinTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final TaskPolicy PLAIN = new TaskPolicy(MINUTE, Weighting.PLAIN, Optional.empty());
  private static final TaskPolicy AT_ONCE =
      new TaskPolicy(Duration.ZERO, Weighting.FAKE_NEGATIVE, Optional.empty());
  private static final TaskPolicy GIVEN =
      new TaskPolicy(MINUTE.multipliedBy(2), Weighting.CONSTANT_WAIT, Optional.of("click"));

  private final JoinTrial plain = new JoinTrial(JoinTrial.policy(PLAIN));
  private final JoinTrial given =
      new JoinTrial(
          JoinTrial.policy(List.of("click", "buy"), Map.of("click", PLAIN, "buy", GIVEN)));

  @Test
  void take_positiveLabel_isAnExampleAtOnce_asItWasScored() {
    long prediction = plain.score(3);
    assertThat(plain.at(1).expose(prediction, 2, 0)).isEmpty();
    List<Example> examples =
        plain.at(5).examples(new Event.Labelled(prediction, 2, "click", 0.5f, 3, 5000));

    assertThat(examples).hasSize(1);
    Example example = examples.getFirst();
    assertThat(JoinTrial.fully(example))
        .isEqualTo(
            "POSITIVE task 0 0/2"
                + " PredictionId[high=-7046029254386353131, low=-2]"
                + " ScoredVersion[bundle=1, epoch=2, dense=1, rows=3] encoding -1"
                + " 1[1000][][] 1[-1, 1048581][1.0, 1.25][1.25] [0.2]"
                + " label 0.5 PLAIN at 5000");
    assertThat(example.weight()).isEqualTo(3);
    assertThat(example.within()).isEqualTo(1);
    assertThat(plain.labels("joined")).isEqualTo(1);
    assertThat(plain.exposures("joined")).isEqualTo(2);
  }

  @Test
  void take_noLabelUntilWindowAndGraceAreOver_isANegative() {
    long prediction = plain.score(3);
    assertThat(plain.at(1).expose(prediction, 2, 0)).isEmpty();
    assertThat(plain.at(5).label(prediction, 0, "click", 1)).hasSize(1);
    assertThat(plain.gauge("waiting", "click")).isEqualTo(1);
    plain.commit();
    plain.restart();
    assertThat(plain.gauge("waiting", "click")).isEqualTo(1);
    assertThat(plain.at(70).pass()).isEmpty();
    assertThat(plain.at(71).pass()).containsExactly("NEGATIVE click 0/2 0.0 x 1.0");
    assertThat(plain.at(1000).pass()).isEmpty();
    assertThat(plain.gauge("waiting", "click")).isZero();
    assertThat(plain.gauge("watermark", null)).isEqualTo(1000);
  }

  @Test
  void take_notExposed_isNothing() {
    long prediction = plain.score(2);
    assertThat(plain.at(1).expose(prediction, 1)).isEmpty();
    assertThat(plain.at(1).label(prediction, 0, "click", 1)).isEmpty();
    assertThat(plain.at(100).pass()).containsExactly("NEGATIVE click 0/1 0.0 x 1.0");
    assertThat(plain.at(5000).pass()).isEmpty();
    assertThat(plain.labels("unexposed")).isEqualTo(1);
  }

  @Test
  void take_labelOfZero_isAFinalNegativeAtOnce() {
    long prediction = plain.score(1);
    assertThat(plain.at(1).expose(prediction, 0)).isEmpty();
    assertThat(plain.at(5).label(prediction, 0, "click", 0, 2, 5000))
        .containsExactly("NEGATIVE click 0/0 0.0 x 2.0");
    assertThat(plain.at(6).label(prediction, 0, "click", 1)).isEmpty();
    assertThat(plain.at(100).pass()).isEmpty();
    assertThat(plain.labels("duplicate")).isEqualTo(1);
  }

  @Test
  void take_labelAfterItsNegative_isLate() {
    long prediction = plain.score(2);
    assertThat(plain.at(1).expose(prediction, 0, 1)).isEmpty();
    assertThat(plain.at(71).label(prediction, 0, "click", 1))
        .containsExactly(
            "NEGATIVE click 0/0 0.0 x 1.0",
            "NEGATIVE click 0/1 0.0 x 1.0",
            "LATE click 0/0 1.0 x 1.0");
    assertThat(plain.label(prediction, 1, "click", 0)).isEmpty(); // It is one already.
    assertThat(plain.label(prediction, 1, "click", 1)).isEmpty();
    assertThat(plain.labels("late")).isEqualTo(2);
    assertThat(plain.labels("duplicate")).isEqualTo(1);
    assertThat(plain.gauge("within", "click")).isZero();
  }

  /** Whatever the time is, and however long it was silent. */
  @Test
  void take_explicitLabels_areExamplesAtOnceAndNothingElseIs() {
    JoinTrial explicit =
        new JoinTrial(
            JoinTrial.policy(new TaskPolicy(MINUTE, Weighting.EXPLICIT, Optional.empty())));
    long prediction = explicit.score(4);
    assertThat(explicit.at(1).expose(prediction, 0, 1, 2, 3)).isEmpty();
    assertThat(explicit.at(2).label(prediction, 0, "click", 1))
        .containsExactly("POSITIVE click 0/0 1.0 x 1.0");
    assertThat(explicit.at(3).label(prediction, 1, "click", 0, 2, 3000))
        .containsExactly("NEGATIVE click 0/1 0.0 x 2.0");
    assertThat(explicit.at(500).pass()).isEmpty();
    assertThat(explicit.at(1_000).label(prediction, 2, "click", 0))
        .containsExactly("NEGATIVE click 0/2 0.0 x 1.0");
    assertThat(explicit.at(1_001).label(prediction, 3, "click", 1))
        .containsExactly("POSITIVE click 0/3 1.0 x 1.0");
    assertThat(explicit.at(1_002).label(prediction, 1, "click", 1)).isEmpty();
    assertThat(explicit.at(9_000).pass()).isEmpty();
    assertThat(explicit.labels("joined")).isEqualTo(4);
    assertThat(explicit.labels("late")).isZero();
  }

  @Test
  void take_again_changesNothing() {
    long prediction = plain.score(2);
    assertThat(plain.at(1).expose(prediction, 0, 0)).isEmpty();
    assertThat(plain.at(30).label(prediction, 0, "click", 1)).hasSize(1);
    assertThat(plain.at(40).label(prediction, 0, "click", 0.5)).isEmpty();
    assertThat(plain.at(50).expose(prediction, 0, 1)).isEmpty();
    assertThat(plain.at(75).pass()).isEmpty();
    assertThat(plain.at(120).pass()).containsExactly("NEGATIVE click 0/1 0.0 x 1.0");
    assertThat(plain.exposures("duplicate")).isEqualTo(2);
    assertThat(plain.exposures("joined")).isEqualTo(2);
    assertThat(plain.labels("duplicate")).isEqualTo(1);
  }

  @Test
  void take_labelBeforeItsExposure_comesOutWithThat() {
    long prediction = plain.score(2);
    assertThat(plain.at(1).label(prediction, 1, "click", 1)).isEmpty();
    assertThat(plain.at(2).label(prediction, 1, "click", 0)).isEmpty();
    assertThat(plain.at(3).expose(prediction, 0, 1))
        .containsExactly("POSITIVE click 0/1 1.0 x 1.0");
    assertThat(plain.labels("joined")).isEqualTo(1);
    assertThat(plain.labels("duplicate")).isEqualTo(1);
    assertThat(plain.at(5000).pass()).containsExactly("NEGATIVE click 0/0 0.0 x 1.0");
    assertThat(plain.labels("unexposed")).isZero();
  }

  @Test
  void take_horizonIsOver_forgetsAll_andLabelsAreOrphans() {
    long prediction = plain.score(1);
    assertThat(plain.at(1).expose(prediction, 0)).isEmpty();
    assertThat(plain.at(3600).label(prediction, 0, "click", 1)).hasSize(2);
    assertThat(plain.kept(StateKind.JOIN)).isEqualTo(1);
    assertThat(plain.kept(StateKind.SHOWN)).isEqualTo(1);
    assertThat(plain.at(3601).label(prediction, 0, "click", 1)).isEmpty();
    assertThat(plain.expose(prediction, 0)).isEmpty();
    assertThat(plain.labels("orphan")).isEqualTo(1);
    assertThat(plain.exposures("unjoinable")).isEqualTo(1);
    assertThat(plain.kept(StateKind.JOIN)).isZero();
    assertThat(plain.kept(StateKind.SHOWN)).isZero();
  }

  @Test
  void take_queueIsLong_removesWhatIsForgotten() {
    for (int i = 0; i < 5000; i++) {
      assertThat(plain.at(i / 1000).expose(plain.score(1), 0)).isEmpty();
    }
    assertThat(plain.store.states(JoinTrial.VIEW, StateKind.DUE, -1, 1)).isEmpty();
    plain.commit();
    plain.restart();
    assertThat(plain.at(100).pass()).hasSize(5000);
    assertThat(plain.at(4000).pass()).isEmpty();
    plain.commit();
    assertThat(plain.store.states(JoinTrial.VIEW, StateKind.DUE, -1, 10_000)).hasSize(904);
    assertThat(plain.kept(StateKind.JOIN)).isZero();
  }

  /** Or after each start all that waits would be gone through again, though nothing came of it. */
  @Test
  void drain_somethingIsDone_keepsHowFarItHasCome() {
    long first = given.score(1);
    assertThat(given.expose(first, 0)).isEmpty(); // At 1.
    long second = given.after(60).score(1);
    assertThat(given.expose(second, 0)).isEmpty(); // At 3.
    assertThat(given.after(75).pass()).hasSize(1);
    assertThat(progress(given).tasks()).extracting(task -> task.passed).containsExactly(1L, -1L);
    assertThat(given.after(3610).pass()).isEmpty();
    assertThat(given.after(3620).pass()).hasSize(1);
    assertThat(progress(given).tasks()).extracting(task -> task.passed).containsExactly(3L, 3L);
    assertThat(progress(given).forgotten).isEqualTo(1);
    assertThat(progress(given).position()).isEqualTo(6);
  }

  private static JoinProgress progress(JoinTrial trial) {
    trial.commit();
    long[] key = {Join.FIRST_CURSOR};
    return JoinProgress.of(
        Objects.requireNonNull(
            trial.store.state(JoinTrial.VIEW, StateKind.CURSOR, key).getFirst()));
  }

  @Test
  void take_exposureOfNothing_isCounted() {
    long prediction = plain.score(2);
    assertThat(plain.expose(prediction, 0, 2, -1)).isEmpty();
    assertThat(plain.exposures("unjoinable")).isEqualTo(2);
    assertThat(plain.expose(prediction + 7, 0, 1)).isEmpty(); // It is not there yet.
    assertThat(plain.exposures("unjoinable")).isEqualTo(4);
    long gone = plain.score(2);
    plain.scored.remove(gone);
    assertThat(plain.expose(gone, 0, 1)).isEmpty();
    assertThat(plain.exposures("unjoinable")).isEqualTo(6);
    assertThat(plain.exposures("joined")).isEqualTo(1);
    assertThat(plain.label(prediction, -1, "click", 1)).isEmpty();
    assertThat(plain.label(prediction + 70, 0, "click", 1)).isEmpty();
    assertThat(plain.label(prediction, 0, "like", 1)).isEmpty();
    assertThat(plain.labels("orphan")).isEqualTo(3);
  }

  @Test
  void oldestNeeded_timePasses_isWhatMayStillBeExposed() {
    assertThat(plain.join().oldestNeeded()).isZero();
    long first = plain.after(100_000).score(1);
    long second = plain.after(100_960).score(1);
    long third = plain.after(101_000).score(1);
    assertThat(plain.after(101_799).pass()).isEmpty();
    assertThat(plain.join().oldestNeeded()).isEqualTo(first);
    assertThat(plain.after(101_880).pass())
        .isEmpty(); // 32 minutes less a sixteenth after its part.
    assertThat(plain.join().oldestNeeded()).isEqualTo(second);
    assertThat(plain.expose(first, 0)).isEmpty();
    assertThat(plain.exposures("unjoinable")).isEqualTo(1);
    assertThat(plain.expose(third, 0)).isEmpty();
    assertThat(plain.exposures("joined")).isEqualTo(1);
  }

  @Test
  void take_negativesAreFew_keepsTheirShareWithTheirWeight() {
    JoinPolicy few =
        new JoinPolicy(
            List.of("click"),
            Map.of("click", PLAIN),
            Duration.ofMinutes(30),
            Duration.ZERO,
            Duration.ofHours(1),
            0.25);
    JoinTrial trial = new JoinTrial(few);
    for (int i = 0; i < 1000; i++) {
      long prediction = trial.score(4);
      assertThat(trial.expose(prediction, 0, 1, 2, 3)).isEmpty();
      assertThat(trial.label(prediction, 0, "click", 1)).hasSize(1);
    }
    List<Example> negatives = trial.at(60).examples(new Event.Boundary());
    assertThat(negatives).hasSizeBetween(680, 820); // Of 3000, three deviations of 24.
    assertThat(negatives).allMatch(example -> example.weight() == 4);
  }

  @Test
  void take_fakeNegative_isANegativeWhenShown_andAPositiveLater() {
    JoinTrial trial = new JoinTrial(JoinTrial.policy(AT_ONCE));
    long prediction = trial.score(2);
    assertThat(trial.label(prediction, 1, "click", 1)).isEmpty();
    assertThat(trial.expose(prediction, 0, 1))
        .containsExactly(
            "NEGATIVE click 0/0 0.0 x 1.0",
            "NEGATIVE click 0/1 0.0 x 1.0",
            "POSITIVE click 0/1 1.0 x 1.0");
    assertThat(trial.at(1000).label(prediction, 0, "click", 1))
        .containsExactly("POSITIVE click 0/0 1.0 x 1.0");
    assertThat(trial.labels("late")).isZero();
    assertThat(trial.at(2000).pass()).isEmpty();
  }

  /** Or a model that begins would first learn that all are positive. */
  @Test
  void take_beginning_givesNoPositives_beforeNegativesComeOut() {
    JoinTrial trial = JoinTrial.cold(JoinTrial.policy(PLAIN));
    long prediction = trial.score(4);
    assertThat(trial.at(1).expose(prediction, 0, 1)).isEmpty();
    assertThat(trial.at(5).label(prediction, 0, "click", 1)).isEmpty();
    assertThat(trial.at(60).expose(prediction, 2, 3)).isEmpty();
    assertThat(trial.at(70).label(prediction, 2, "click", 0)).isEmpty();
    trial.commit();
    trial.restart();
    assertThat(trial.at(71).label(prediction, 3, "click", 1))
        .containsExactly("NEGATIVE click 0/1 0.0 x 1.0", "POSITIVE click 0/3 1.0 x 1.0");
    assertThat(trial.labels("unpaired")).isEqualTo(2);
    assertThat(trial.labels("joined")).isEqualTo(1);
    assertThat(trial.gauge("waiting", "click")).isZero();
    assertThat(trial.registry.get("wukong.join.delay").summary().count()).isEqualTo(2);
  }

  @Test
  void take_silence_isABeginningAgain_andNothingIsMadeOfItsEnd() {
    JoinTrial trial = JoinTrial.cold(JoinTrial.policy(PLAIN));
    long prediction = trial.score(6);
    assertThat(trial.at(1).expose(prediction, 0)).isEmpty();
    assertThat(trial.at(71).expose(prediction, 1, 2)).hasSize(1);
    assertThat(trial.at(100).label(prediction, 1, "click", 1)).hasSize(1);
    // Nobody is there when the window of the third closes, nor for long after that.
    assertThat(trial.after(200).expose(prediction, 3, 4)).isEmpty();
    assertThat(trial.at(230).label(prediction, 3, "click", 1)).isEmpty();
    assertThat(trial.registry.get("wukong.join.unpaired").counter().count()).isEqualTo(1);
    assertThat(trial.at(260).expose(prediction, 5)).isEmpty();
    assertThat(trial.at(270).label(prediction, 5, "click", 1))
        .containsExactly("NEGATIVE click 0/4 0.0 x 1.0", "POSITIVE click 0/5 1.0 x 1.0");
  }

  /**
   * Three requests a second, a third of which have a label after up to 45 s: then no more. Whatever
   * is learned from in ten seconds has about as many positives as ever, and at last there is none.
   */
  @Test
  void take_trafficEnds_negativesFadeAsLabelsDo() {
    JoinTrial trial = JoinTrial.cold(JoinTrial.policy(PLAIN));
    SplittableRandom random = new SplittableRandom(1);
    NavigableMap<Long, List<Long>> labels = new TreeMap<>();
    double[] positives = new double[50];
    double[] negatives = new double[50];
    for (int second = 0; second < 500; second++) {
      List<Example> examples = new ArrayList<>(trial.at(second).examples(new Event.Boundary()));
      for (int i = 0; i < 3 && second < 400; i++) {
        long prediction = trial.score(1);
        examples.addAll(
            trial.examples(new Event.Exposed(prediction, new int[] {0}, 1000L * second)));
        if (random.nextInt(3) == 0) {
          long at = second + random.nextLong(45);
          labels.computeIfAbsent(at, t -> new ArrayList<>()).add(prediction);
        }
      }
      for (long prediction : labels.getOrDefault((long) second, List.of())) {
        examples.addAll(
            trial.examples(new Event.Labelled(prediction, 0, "click", 1, 1, 1000L * second)));
      }
      for (Example example : examples) {
        double[] of = example.kind() == Example.Kind.POSITIVE ? positives : negatives;
        of[second / 10] += (double) example.weight();
      }
      trial.commit();
      trial.restart();
    }
    for (int i = 8; i < 40; i++) {
      assertThat(negatives[i]).as("in steps of ten seconds, %d", i).isBetween(10.0, 30.0);
    }
    for (int i = 40; i < 45; i++) {
      assertThat(negatives[i])
          .as("in steps of ten seconds, %d, beside %s", i, positives[i])
          .isCloseTo(2 * positives[i], within(8.0));
    }
    assertThat(Arrays.stream(negatives, 45, 50).sum()).isZero();
  }

  /** Who comes once in a while has no less of them. */
  @Test
  void take_gapsAreUsual_negativesCountWhole() {
    JoinTrial trial = JoinTrial.cold(JoinTrial.policy(PLAIN));
    List<String> negatives = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      negatives.addAll(trial.at(50L * i).pass());
      long prediction = trial.score(2);
      negatives.addAll(trial.expose(prediction, 0, 1));
      negatives.addAll(trial.at(50L * i + 20).label(prediction, 0, "click", 1));
      negatives.removeIf(example -> example.startsWith("POSITIVE"));
    }
    assertThat(negatives).hasSize(59).allMatch(example -> example.endsWith("x 1.0"));
  }

  /** Late labels go on when nobody is shown anything any more. */
  @Test
  void take_silence_hasNoLateLabels() {
    JoinTrial trial = JoinTrial.cold(JoinTrial.policy(PLAIN));
    long prediction = trial.score(3);
    assertThat(trial.at(1).expose(prediction, 0, 1)).isEmpty();
    assertThat(trial.at(60).expose(prediction, 2)).isEmpty();
    assertThat(trial.at(140).label(prediction, 0, "click", 1)).hasSize(4);
    assertThat(trial.at(141).label(prediction, 1, "click", 1)).isEmpty();
    assertThat(trial.labels("late")).isEqualTo(1);
    assertThat(trial.labels("unpaired")).isEqualTo(1);
  }

  @Test
  void take_fakeNegative_hasBothFromTheBeginning() {
    JoinTrial trial = JoinTrial.cold(JoinTrial.policy(AT_ONCE));
    long prediction = trial.score(1);
    assertThat(trial.at(1).expose(prediction, 0)).hasSize(1);
    assertThat(trial.at(2).label(prediction, 0, "click", 1)).hasSize(1);
  }

  /** Callers send again what was not acknowledged. */
  @Test
  void take_nobodyWasThere_closesNothingForTheGrace() {
    long prediction = plain.score(2);
    assertThat(plain.at(1).expose(prediction, 0, 1)).isEmpty();
    assertThat(plain.after(75).pass()).isEmpty();
    plain.commit();
    plain.restart();
    assertThat(plain.at(84).label(prediction, 0, "click", 1))
        .containsExactly("POSITIVE click 0/0 1.0 x 1.0");
    assertThat(plain.at(85).pass()).containsExactly("NEGATIVE click 0/1 0.0 x 1.0");
  }

  @Test
  void take_givenTask_beginsWithTheLabelOfTheOther() {
    long prediction = given.score(3);
    assertThat(given.expose(prediction, 0, 1, 2)).isEmpty();
    assertThat(given.at(10).label(prediction, 0, "click", 1)).hasSize(1);
    assertThat(given.at(20).label(prediction, 1, "click", 1)).hasSize(1);
    assertThat(given.gauge("waiting", "buy")).isEqualTo(2);
    assertThat(given.at(30).label(prediction, 1, "buy", 1))
        .containsExactly("POSITIVE buy 0/1 1.0 x 1.0");
    assertThat(given.at(139).pass()).containsExactly("NEGATIVE click 0/2 0.0 x 1.0");
    assertThat(given.at(140).pass()).containsExactly("NEGATIVE buy 0/0 0.0 x 1.0");
    assertThat(given.at(150).label(prediction, 0, "buy", 1))
        .containsExactly("LATE buy 0/0 1.0 x 1.0");
    assertThat(given.at(10_000).pass()).isEmpty();
  }

  /** What a candidate became of a task, it stays. */
  @Test
  void take_taskIsGivenAnotherLater_opensNoWindowAgain() {
    TaskPolicy alone = new TaskPolicy(MINUTE, Weighting.PLAIN, Optional.empty());
    JoinTrial trial =
        new JoinTrial(
            JoinTrial.policy(List.of("click", "buy"), Map.of("click", PLAIN, "buy", alone)));
    long prediction = trial.score(2);
    assertThat(trial.at(1).expose(prediction, 0, 1)).isEmpty();
    assertThat(trial.at(2).label(prediction, 0, "buy", 1))
        .containsExactly("POSITIVE buy 0/0 1.0 x 1.0");
    trial.commit();
    trial.restart(JoinTrial.policy(List.of("click", "buy"), Map.of("click", PLAIN, "buy", GIVEN)));
    assertThat(trial.at(3).label(prediction, 0, "click", 1)).hasSize(1);
    assertThat(trial.label(prediction, 1, "click", 1)).hasSize(1);
    assertThat(trial.at(1000).pass()).containsExactly("NEGATIVE buy 0/1 0.0 x 1.0");
    assertThat(trial.gauge("waiting", "buy")).isZero();
  }

  @Test
  void take_givenLabelBeforeTheOther_waitsForIt() {
    long prediction = given.score(2);
    assertThat(given.label(prediction, 0, "buy", 1)).isEmpty();
    assertThat(given.at(1).expose(prediction, 0, 1)).isEmpty();
    assertThat(given.at(2).label(prediction, 1, "buy", 1)).isEmpty();
    assertThat(given.at(3).label(prediction, 1, "buy", 1)).isEmpty();
    assertThat(given.labels("duplicate")).isEqualTo(1);
    assertThat(given.at(5).label(prediction, 0, "click", 1))
        .containsExactly("POSITIVE click 0/0 1.0 x 1.0", "POSITIVE buy 0/0 1.0 x 1.0");
    assertThat(given.at(3601).pass()).containsExactly("NEGATIVE click 0/1 0.0 x 1.0");
    assertThat(given.labels("ungiven")).isEqualTo(1);
    assertThat(given.at(3605).pass()).isEmpty();
    assertThat(given.kept(StateKind.JOIN)).isZero();
  }

  /** The window of the second begins shortly before the horizon of the first. */
  @Test
  void take_givenLabelAtTheLastMoment_hasItsWholeWindow() {
    long prediction = given.score(1);
    assertThat(given.expose(prediction, 0)).isEmpty();
    assertThat(given.at(3599).label(prediction, 0, "click", 1)).hasSize(2);
    assertThat(given.at(3650).pass()).isEmpty();
    assertThat(given.at(3729).pass()).containsExactly("NEGATIVE buy 0/0 0.0 x 1.0");
    assertThat(given.at(4000).label(prediction, 0, "buy", 1)).hasSize(1);
  }

  @Test
  void take_frozen_closesNothing_andAfterItNotBeforeTheGrace() {
    long prediction = plain.score(3);
    assertThat(plain.at(1).expose(prediction, 0, 1, 2)).isEmpty();
    assertThat(plain.at(2).take(new Event.Frozen(true))).isEmpty();
    assertThat(plain.at(3).take(new Event.Frozen(true))).isEmpty();
    assertThat(plain.at(10_000).label(prediction, 0, "click", 1))
        .containsExactly("POSITIVE click 0/0 1.0 x 1.0");
    assertThat(plain.at(10_000).take(new Event.Frozen(false))).isEmpty();
    assertThat(plain.at(10_005).take(new Event.Frozen(false))).isEmpty();
    plain.commit();
    plain.restart();
    assertThat(plain.at(10_009).label(prediction, 1, "click", 1))
        .containsExactly("POSITIVE click 0/1 1.0 x 1.0");
    assertThat(plain.at(10_010).pass()).containsExactly("NEGATIVE click 0/2 0.0 x 1.0");
  }

  @Test
  void take_frozenFakeNegative_waitsUntilLabelsComeAgain() {
    JoinTrial trial = new JoinTrial(JoinTrial.policy(AT_ONCE));
    long prediction = trial.score(2);
    assertThat(trial.take(new Event.Frozen(true))).isEmpty();
    assertThat(trial.at(1).expose(prediction, 0, 1)).isEmpty();
    assertThat(trial.at(2).label(prediction, 0, "click", 1)).hasSize(1);
    assertThat(trial.at(20).take(new Event.Frozen(false))).isEmpty();
    assertThat(trial.at(30).pass()).containsExactly("NEGATIVE click 0/1 0.0 x 1.0");
  }

  /** Clocks of callers are wrong by anything. */
  @Test
  void take_timesOfCallers_makeNoDelayThatTheLogDoesNotKnow() {
    long prediction = plain.score(4);
    assertThat(plain.at(1).take(new Event.Exposed(prediction, new int[] {0, 1, 2}, -5))).isEmpty();
    assertThat(plain.take(new Event.Exposed(prediction, new int[] {3}, Long.MIN_VALUE))).isEmpty();
    assertThat(plain.at(31).label(prediction, 0, "click", 1, 1, Long.MAX_VALUE)).hasSize(1);
    assertThat(plain.label(prediction, 1, "click", 1, 1, Long.MIN_VALUE)).hasSize(1);
    assertThat(plain.label(prediction, 2, "click", 1, 1, 995)).hasSize(1);
    assertThat(plain.label(prediction, 3, "click", 1, 1, Long.MAX_VALUE)).hasSize(1);
    var delay = plain.registry.get("wukong.join.delay").summary();
    assertThat(delay.totalAmount()).isEqualTo(30 + 0 + 1 + 30);
    assertThat(delay.max()).isEqualTo(30);
  }

  @Test
  void take_eventsOfOthers_arePassedOver() {
    long prediction = plain.score(1);
    assertThat(plain.at(1).expose(prediction, 0)).isEmpty();
    List<Example> examples = new ArrayList<>();
    plain.join().take(new Logged(100, 1_000_000, "other", new Event.Boundary()), examples::add);
    assertThat(examples).isEmpty();
    assertThat(plain.join().taken()).isEqualTo(1);
  }

  @Test
  void take_earlierEvent_isRefused() {
    Join join = plain.join();
    join.take(new Logged(7, 1000, JoinTrial.MODEL, new Event.Boundary()), e -> {});
    assertThatThrownBy(
            () -> join.take(new Logged(7, 1000, JoinTrial.MODEL, new Event.Boundary()), e -> {}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("event 7 at 1000 ms comes after event 7 at 1000 ms, must be later");
  }

  @Test
  void new_anotherTask_hasExamplesOfWhatIsExposedFromNowOn() {
    JoinTrial trial = new JoinTrial(JoinTrial.policy(PLAIN));
    long before = trial.score(2);
    assertThat(trial.expose(before, 0)).isEmpty();
    trial.commit();
    List<String> both = List.of("like", "click");
    trial =
        new JoinTrial(JoinTrial.policy(both, Map.of("click", PLAIN, "like", PLAIN)), trial.store);
    trial.scored.put(before, JoinTrial.request(1, 2, 1, 1));
    List<Example> examples = new ArrayList<>();
    Join join = trial.join();
    join.take(
        new Logged(10, 1000, JoinTrial.MODEL, new Event.Exposed(before, new int[] {1}, 0)),
        examples::add);
    for (int i = 1; i <= 7; i++) {
      Event passes = new Event.Boundary();
      join.take(new Logged(10 + i, 1000 + 10_000L * i, JoinTrial.MODEL, passes), examples::add);
    }
    assertThat(examples)
        .extracting(example -> example.task() + " " + example.shown().position())
        .containsExactly("1 0", "0 1", "1 1");
  }

  @Test
  void new_taskThatWasGone_hasNoNegativesOfThatTime() {
    JoinPolicy two =
        JoinTrial.policy(List.of("click", "like"), Map.of("click", PLAIN, "like", PLAIN));
    JoinTrial trial = new JoinTrial(two);
    long prediction = trial.score(1);
    assertThat(trial.expose(prediction, 0)).isEmpty();
    trial.commit();
    trial.restart(JoinTrial.policy(PLAIN));
    assertThat(trial.at(100).pass()).hasSize(1);
    trial.commit();
    trial.restart(two);
    assertThat(trial.at(200).pass()).isEmpty();
  }

  @Test
  void new_damagedState_saysWhatItIs() {
    long prediction = plain.score(1);
    assertThat(plain.expose(prediction, 0)).isEmpty();
    plain.commit();
    damage(StateKind.JOIN, prediction);
    assertThatThrownBy(() -> plain.label(prediction, 0, "click", 1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("what is known of the prediction at 0 is damaged");
    damage(StateKind.CURSOR, Join.FIRST_CURSOR);
    assertThatThrownBy(plain::restart)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("the progress of the join is damaged");
  }

  /** Cuts the last byte off, and has another one read it. */
  private void damage(StateKind kind, long key) {
    byte[] value =
        Objects.requireNonNull(
            plain.store.state(JoinTrial.VIEW, kind, new long[] {key}).getFirst());
    plain.restart();
    plain.store.apply(
        new RowCommit(new RowsView(JoinTrial.MODEL, 1, 9), List.of()),
        List.of(new StateChange.Put(kind, key, Arrays.copyOf(value, value.length - 1))));
  }
}
