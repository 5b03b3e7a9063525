package dev.wukong.serving.gating;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.gating.Decision.Hide;
import dev.wukong.serving.gating.Decision.Keep;
import dev.wukong.serving.gating.Decision.Promote;
import dev.wukong.serving.gating.Decision.Publish;
import dev.wukong.serving.gating.Decision.TakeBack;
import dev.wukong.serving.gating.Gate.Change;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class GateTest {
  private static final double RATE = 0.05;
  private static final Change SMALL = new Change(4, 0.001, 0.01, 1, Optional.empty());

  private final SplittableRandom random = new SplittableRandom(3);
  private long nowMs = 1_000_000;

  /** What a candidate says where the truth is p. */
  @FunctionalInterface
  private interface Says {
    double of(double p);
  }

  private static Gate gate(GateMode mode) {
    return gate(GatePolicy.usual(mode));
  }

  private static Gate gate(GatePolicy policy) {
    return new Gate(policy, List.of("click"), Slices.byPlace());
  }

  /** A second of 500 examples, and the decision after it. */
  private Decision second(Gate gate, Says candidate, Says label) {
    return second(gate, candidate, label, SMALL);
  }

  private Decision second(Gate gate, Says candidate, Says label, Change change) {
    for (int i = 0; i < 500; i++) {
      double p = Math.clamp(RATE * Math.exp(random.nextGaussian()), 1e-4, 0.9);
      float y = random.nextDouble() < label.of(p) ? 1 : 0;
      float said = (float) Math.clamp(candidate.of(p), 1e-4, 0.999);
      gate.add(new Judged(0, y, 1, (float) p, said, (float) p, new int[] {0, 1 + i % 3}));
    }
    nowMs += 1_000;
    return gate.decide(nowMs, change);
  }

  /** Seconds until the first decision of a kind; at most so many. */
  private int secondsTo(
      Class<? extends Decision> kind, int most, Gate gate, Says candidate, Says label) {
    for (int i = 1; i <= most; i++) {
      if (kind.isInstance(second(gate, candidate, label))) {
        return i;
      }
    }
    return Integer.MAX_VALUE;
  }

  @Test
  void decide_direct_publishesAtOnceAndPromotesAfterAMinute() {
    Gate gate = gate(GateMode.DIRECT);

    for (int i = 0; i < 60; i++) {
      assertThat(second(gate, p -> p * 1.001, p -> p)).isEqualTo(new Publish());
    }
    assertThat(gate.visible()).isTrue();
    assertThat(second(gate, p -> p * 1.001, p -> p)).isEqualTo(new Promote());
    assertThat(gate.phase()).isEqualTo(GatePhase.OPEN);
  }

  @Test
  void decide_gated_showsNothingBeforeThePromotion() {
    Gate gate = gate(GateMode.GATED);

    for (int i = 0; i < 60; i++) {
      assertThat(second(gate, p -> p * 1.001, p -> p)).isEqualTo(new Keep());
    }
    assertThat(gate.visible()).isFalse();
    assertThat(second(gate, p -> p * 1.001, p -> p)).isEqualTo(new Promote());
    assertThat(second(gate, p -> p * 1.001, p -> p)).isEqualTo(new Keep());
  }

  @Test
  void hold_labelsAreMissing_showsNothingMoreBeforeThePromotion() {
    Gate gate = gate(GateMode.DIRECT);
    assertThat(second(gate, p -> p * 1.001, p -> p)).isEqualTo(new Publish());

    gate.hold();

    assertThat(second(gate, p -> p * 1.001, p -> p)).isEqualTo(new Hide());
    assertThat(gate.visible()).isFalse();
    assertThat(second(gate, p -> p * 1.001, p -> p)).isEqualTo(new Keep());
    assertThat(secondsTo(Promote.class, 120, gate, p -> p * 1.001, p -> p)).isBetween(55, 65);
    assertThat(second(gate, p -> p * 1.001, p -> p)).isEqualTo(new Publish());
  }

  @Test
  void hold_nothingWasSeenForLong_hidesAtOnceAsWhoStartsAgainWould() {
    Gate gate = gate(GateMode.DIRECT);
    assertThat(second(gate, p -> p * 1.001, p -> p)).isEqualTo(new Publish());
    nowMs += Duration.ofHours(1).toMillis();
    assertThat(gate.decide(nowMs, SMALL)).isEqualTo(new Promote());
    assertThat(gate.decide(++nowMs, SMALL)).isEqualTo(new Publish());
    nowMs += Duration.ofHours(1).toMillis();

    gate.hold();

    assertThat(gate.decide(nowMs, SMALL)).isEqualTo(new Hide());
    assertThat(gate.visible()).isFalse();
    Gate again = gate(GateMode.DIRECT);
    again.restore(gate.bytes());
    for (int i = 0; i < 50; i++) {
      nowMs += Duration.ofMinutes(1).toMillis();
      assertThat(again.decide(nowMs, SMALL)).isEqualTo(gate.decide(nowMs, SMALL));
      assertThat(again.bytes()).isEqualTo(gate.bytes());
    }
  }

  @Test
  void decide_noLabelsAtAll_isNoFailure() {
    Gate gate = gate(GateMode.GATED);
    for (int i = 0; i < 200; i++) {
      nowMs += Duration.ofMinutes(1).toMillis();
      assertThat(gate.decide(nowMs, SMALL)).isEqualTo(new Keep());
    }
    assertThat(gate.failures()).isZero();
  }

  @Test
  void decide_shadow_neverPromotes() {
    Gate gate = gate(GateMode.SHADOW);

    for (int i = 0; i < 2_000; i++) {
      assertThat(second(gate, p -> p, p -> p)).isEqualTo(new Keep());
    }
  }

  @Test
  void decide_betterCandidate_isPromoted() {
    Gate gate = gate(GateMode.GATED);

    // The healthy state has the truth times one half.
    assertThat(secondsTo(Promote.class, 70, gate, p -> p * 1.5, p -> p * 1.5)).isBetween(60, 65);
  }

  @Test
  void decide_candidateThatSpreadsTooFar_isTakenBackWithinSecondsAndHeldUntilItIsGood() {
    Gate gate = gate(GateMode.DIRECT);
    assertThat(secondsTo(Promote.class, 70, gate, p -> p, p -> p)).isLessThan(70);

    assertThat(
            secondsTo(TakeBack.class, 20, gate, p -> p * Math.exp(random.nextGaussian()), p -> p))
        .isLessThan(10);
    assertThat(gate.phase()).isEqualTo(GatePhase.HOLDING);
    assertThat(gate.failures()).isOne();
    assertThat(second(gate, p -> p, p -> p)).isEqualTo(new Keep());
    assertThat(secondsTo(Promote.class, 70, gate, p -> p, p -> p)).isLessThan(70);
    assertThat(gate.phase()).isEqualTo(GatePhase.OPEN);
    assertThat(gate.failures()).isZero();
  }

  @Test
  void decide_flippedLabels_areQuarantinedUntilTheyAreUsual() {
    Gate gate = gate(GateMode.DIRECT);
    assertThat(secondsTo(Promote.class, 70, gate, p -> p, p -> p)).isLessThan(70);

    assertThat(second(gate, p -> p, p -> 1 - p)).isInstanceOf(TakeBack.class);
    assertThat(gate.phase()).isEqualTo(GatePhase.QUARANTINED);
    assertThat(gate.learns()).isFalse();
    for (int i = 0; i < 300; i++) {
      assertThat(second(gate, p -> p, p -> 1 - p)).isEqualTo(new Keep());
    }
    assertThat(gate.learns()).isFalse();
    for (int i = 0; i < 25; i++) {
      assertThat(second(gate, p -> p, p -> p)).isEqualTo(new Keep());
    }
    assertThat(gate.phase()).isEqualTo(GatePhase.HOLDING);
    assertThat(gate.failures()).isZero();
    assertThat(secondsTo(Promote.class, 70, gate, p -> p, p -> p)).isLessThan(70);
  }

  @Test
  void decide_noLabelsAnyMore_areQuarantined() {
    Gate gate = gate(GateMode.GATED);
    assertThat(secondsTo(Promote.class, 70, gate, p -> p, p -> p)).isLessThan(70);

    assertThat(secondsTo(TakeBack.class, 10, gate, p -> p * 0.9, _ -> 0)).isLessThan(5);
    assertThat(gate.phase()).isEqualTo(GatePhase.QUARANTINED);
  }

  /** Or a model would never follow. */
  @Test
  void decide_labelsStayStrange_becomeTheNewWorldAfterPatience() {
    Gate gate = gate(GateMode.GATED);
    assertThat(secondsTo(Promote.class, 70, gate, p -> p, p -> p)).isLessThan(70);
    assertThat(second(gate, p -> p, p -> 0.5)).isInstanceOf(TakeBack.class);

    for (int i = 0; gate.phase() == GatePhase.QUARANTINED; i++) {
      assertThat(i).isLessThan(1_810);
      assertThat(second(gate, p -> p, _ -> 0.5)).isEqualTo(new Keep());
    }
    assertThat(gate.learns()).isTrue();
    assertThat(secondsTo(Promote.class, 70, gate, _ -> 0.5, _ -> 0.5)).isLessThan(70);
  }

  /** At first a bundle may be made for another world than the one it meets. */
  @Test
  void decide_beforeThePromotionOfAnything_noLabelIsStrange() {
    Gate gate = gate(GateMode.DIRECT);

    assertThat(second(gate, p -> 3 * p, p -> 3 * p)).isEqualTo(new Publish());
  }

  @ParameterizedTest
  @EnumSource(GateMode.class)
  void decide_notFit_isTakenBackWhateverTheFiguresSay(GateMode mode) {
    Gate gate = gate(mode);
    Change nan = new Change(4, 0.001, 0.01, 1, Optional.of("a number is NaN"));
    Change longRow = new Change(4, 0.001, 0.01, 101, Optional.empty());
    Change noLength = new Change(4, 0.001, 0.01, Double.NaN, Optional.empty());

    assertThat(second(gate, p -> p, p -> p, nan)).isEqualTo(new TakeBack("a number is NaN"));
    assertThat(second(gate, p -> p, p -> p, longRow)).isInstanceOf(TakeBack.class);
    assertThat(second(gate, p -> p, p -> p, noLength)).isInstanceOf(TakeBack.class);
    assertThat(gate.hopeless()).isTrue();
  }

  @Test
  void decide_goldenRowsJump_isTakenBackOnceTheUsualIsKnown() {
    Gate gate = gate(GateMode.DIRECT);
    Change jump = new Change(4, 0.3, 0.5, 1, Optional.empty());
    assertThat(second(gate, p -> p, p -> p, jump)).isEqualTo(new Publish());
    Gate known = gate(GateMode.DIRECT);
    for (int i = 0; i < 20; i++) {
      assertThat(second(known, p -> p, p -> p)).isEqualTo(new Publish());
    }

    assertThat(second(known, p -> p, p -> p, jump)).isInstanceOf(TakeBack.class);
    // As far by a hundred times as many steps is usual.
    Change many = new Change(400, 0.3, 0.5, 1, Optional.empty());
    assertThat(second(known, p -> p, p -> p, many)).isEqualTo(new Keep());
  }

  private static Gate gate(GateMode mode, Duration patience, double worse, double harm) {
    GatePolicy usual = GatePolicy.usual(mode);
    return gate(
        new GatePolicy(
            mode,
            usual.every(),
            patience,
            worse,
            harm,
            usual.mostNorm(),
            usual.mostJump(),
            usual.failures(),
            Optional.empty(),
            usual.canary()));
  }

  /** A model whose logits are off by this, up or down, which no candidate can be told from. */
  private Says noisy(double deviation) {
    return p -> p * Math.exp(deviation * random.nextGaussian());
  }

  /** A second of examples that the healthy state is wrong about as well, and the decision. */
  private Decision second(Gate gate, int examples, Says healthy, Says candidate, Says label) {
    examples(gate, examples, healthy, candidate, label);
    return decide(gate);
  }

  private Decision decide(Gate gate) {
    nowMs += 1_000;
    return gate.decide(nowMs, SMALL);
  }

  private void examples(Gate gate, int examples, Says healthy, Says candidate, Says label) {
    for (int i = 0; i < examples; i++) {
      double p = Math.clamp(RATE * Math.exp(random.nextGaussian()), 1e-4, 0.9);
      float y = random.nextDouble() < label.of(p) ? 1 : 0;
      float by = (float) Math.clamp(healthy.of(p), 1e-4, 0.999);
      float other = (float) Math.clamp(candidate.of(p), 1e-4, 0.999);
      gate.add(new Judged(0, y, 1, by, other, by, new int[] {0}));
    }
  }

  /**
   * Neither state is better, and they differ: of 20, about every other looks no worse by chance.
   */
  @Test
  void decide_worldStandsStill_isPromotedBeforePatienceEndsAndNothingFails() {
    int promoted = 0;
    for (int i = 0; i < 20; i++) {
      Gate gate = gate(GateMode.GATED);
      Decision decision = new Keep();
      for (int j = 0; j < 1_700 && decision instanceof Keep; j++) {
        decision = second(gate, 150, noisy(0.15), noisy(0.15), p -> p);
      }
      promoted += decision instanceof Promote ? 1 : 0;
      assertThat(gate.failures()).isZero();
      assertThat(gate.learns()).isTrue();
    }

    assertThat(promoted).isBetween(8, 18);
  }

  /** As what training makes of a world that stands still may be, compared to a bundle. */
  @Test
  void decide_alwaysABitWorse_beginsAgainEachTimeAndNeverHalts() {
    Gate gate = gate(GateMode.GATED);
    int takenBack = 0;

    for (int i = 0; i < 3 * 60 * 60 + 60; i++) {
      Decision decision = second(gate, 300, p -> p, noisy(0.065), p -> p);
      takenBack += decision instanceof TakeBack ? 1 : 0;
      assertThat(decision).isNotInstanceOf(Promote.class);
    }

    assertThat(takenBack).isBetween(5, 6);
    assertThat(gate.failures()).isZero();
    assertThat(gate.hopeless()).isFalse();
  }

  /** Looked at each second as soon as there are just enough examples. */
  @Test
  void decide_worseByWhatIsHarmful_isPromotedAsSeldomAsChanceMaySay() {
    int promoted = 0;
    int takenBack = 0;
    for (int i = 0; i < 200; i++) {
      // By 0.0426, this noise is.
      Gate gate = gate(GateMode.GATED, Duration.ofMinutes(30), 0.005, 0.0426);
      Decision decision = new Keep();
      while (decision instanceof Keep) {
        decision = second(gate, 20, p -> p, noisy(0.4), p -> p);
      }
      promoted += decision instanceof Promote ? 1 : 0;
      takenBack += decision instanceof TakeBack ? 1 : 0;
    }

    assertThat(promoted).isBetween(1, 20);
    assertThat(takenBack).isEqualTo(200 - promoted);
  }

  /** So that figures that are known badly promote nobody. */
  @Test
  void decide_looksNoWorse_isPromotedOnceItsIntervalIsBelowWhatIsHarmful() {
    GatePolicy usual = GatePolicy.usual(GateMode.GATED);
    int waited = 0;
    for (int i = 0; i < 50; i++) {
      Gate gate = gate(usual);
      Decision decision = new Keep();
      for (int j = 0; decision instanceof Keep; j++) {
        examples(gate, 50, noisy(0.2), noisy(0.2), p -> p);
        Figures all = gate.figures().stream().filter(Figures::ofAll).findFirst().orElseThrow();
        decision = decide(gate);
        waited += decision instanceof Keep && j >= 60 && all.worse() <= 0 ? 1 : 0;
        if (decision instanceof Promote) {
          assertThat(all.worse()).isLessThanOrEqualTo(usual.worse());
          assertThat(all.worseHigh()).isLessThanOrEqualTo(usual.harm());
        }
      }
    }

    assertThat(waited).isGreaterThan(100);
  }

  /** Chance makes what learns a bit worse for some time, and what is healthy was a lucky moment. */
  @ParameterizedTest
  @EnumSource(
      value = GateMode.class,
      names = {"DIRECT", "GATED"})
  void decide_harmfulAfterLong_isTakenBackEachTimeAndNeverHalts(GateMode mode) {
    Gate gate = gate(mode);
    int takenBack = 0;

    for (int i = 0; i < 5 * 60 * 60; i++) {
      takenBack += second(gate, 100, p -> p, noisy(0.12), p -> p) instanceof TakeBack ? 1 : 0;
    }

    assertThat(takenBack).isBetween(4, 40);
    assertThat(gate.failures()).isZero();
    assertThat(gate.hopeless()).isFalse();
  }

  /**
   * Seconds in which one person after the other judges 150 things, each liking more or less than
   * the healthy state says; a candidate that is as good says other things of each.
   */
  private int takenBackByPeople(GateMode mode, int seconds) {
    Gate gate = gate(mode);
    int takenBack = 0;
    for (int i = 0; i < seconds; i++) {
      for (int person = 0; person < 2; person++) {
        double likes = random.nextGaussian();
        double one = 0.3 * random.nextGaussian();
        double other = 0.3 * random.nextGaussian();
        examples(gate, 150, p -> of(p, one), p -> of(p, other), p -> of(p, likes - 0.4));
      }
      takenBack += decide(gate) instanceof TakeBack ? 1 : 0;
      assertThat(gate.learns()).as("after %d s", i).isTrue();
    }
    assertThat(gate.failures()).isZero();
    return takenBack;
  }

  /** A probability with its logit moved. */
  private static double of(double p, double by) {
    double odds = Math.clamp(p, 1e-4, 0.999) / (1 - Math.clamp(p, 1e-4, 0.999)) * Math.exp(by);
    return odds / (1 + odds);
  }

  /** As independent examples, theirs would be for sure what they are by chance. */
  @ParameterizedTest
  @CsvSource({"DIRECT, 3", "GATED, 6"}) // That is, whenever patience ends: it is not better.
  void decide_onePersonAfterTheOther_raisesNoFalseAlarm(GateMode mode, int most) {
    assertThat(takenBackByPeople(mode, 3 * 60 * 60)).isLessThanOrEqualTo(most);
  }

  /** As many positives as ever, of those whom they were least expected of. */
  @Test
  void decide_labelsOfOthers_areQuarantinedThoughTheyAreAsMany() {
    Gate gate = gate(GateMode.GATED);
    assertThat(secondsTo(Promote.class, 70, gate, p -> p, p -> p)).isLessThan(70);

    assertThat(secondsTo(TakeBack.class, 30, gate, p -> p, p -> RATE * RATE / p)).isLessThan(15);
    assertThat(gate.phase()).isEqualTo(GatePhase.QUARANTINED);
  }

  /** Where labels say little each, it takes more of them to tell that all is well again. */
  @Test
  void decide_noLabelsOfPeople_staysInQuarantine() {
    Gate gate = gate(GateMode.GATED);
    for (int i = 0; i < 20 * 60; i++) {
      Decision decision = person(gate, true);
      assertThat(decision).as("%d s", i).isNotInstanceOf(TakeBack.class);
    }
    int seconds = 0;
    while (!(person(gate, false) instanceof TakeBack)) {
      assertThat(++seconds).isLessThan(600);
    }

    for (int i = 0; i < 25 * 60; i++) {
      assertThat(person(gate, false)).isEqualTo(new Keep());
      assertThat(gate.learns()).as("%d s", i).isFalse();
    }
    for (int i = 0; i < 120 && !gate.learns(); i++) {
      assertThat(person(gate, true)).isEqualTo(new Keep());
    }
    assertThat(gate.learns()).isTrue();
  }

  /** A second in which one person judges 40 things, liking more or less than others do. */
  private Decision person(Gate gate, boolean labels) {
    double likes = 2 * random.nextGaussian() - 1;
    Says says = p -> of(3 * p, -0.4);
    examples(gate, 40, says, says, p -> labels ? of(3 * p, likes) : 0);
    return decide(gate);
  }

  /** What comes of bad candidates says nothing of good ones, and the next is seen as soon. */
  @Test
  void decide_badCandidatesNowAndThen_doNotMakeItBlind() {
    Gate gate = gate(GateMode.GATED);
    int promoted = 0;
    for (int again = 0; again < 15; again++) {
      for (int i = 0; i < 600; i++) {
        promoted += second(gate, 200, p -> p, noisy(0.01), p -> p) instanceof Promote ? 1 : 0;
      }
      int seconds = 1;
      while (!(second(gate, 200, p -> p, noisy(0.9), p -> p) instanceof TakeBack)) {
        assertThat(++seconds).as("time %d", again).isLessThan(15);
      }
    }

    assertThat(promoted).isGreaterThan(130);
  }

  /** That a bundle was off for minutes is no likeness of examples, either. */
  @Test
  void decide_bundleThatWasOff_isForgotten() {
    Gate gate = gate(GateMode.GATED);
    Decision decision = new Keep();
    for (int i = 0; i < 100 && decision instanceof Keep; i++) {
      decision = second(gate, 200, p -> of(p, 1), p -> p, p -> p);
    }
    assertThat(decision).isEqualTo(new Promote());
    int promoted = 0;
    for (int i = 0; i < 20 * 60; i++) {
      promoted += second(gate, 200, p -> p, noisy(0.01), p -> p) instanceof Promote ? 1 : 0;
    }

    assertThat(promoted).isGreaterThan(14);
  }

  /** A shop with an example a minute: it takes days until something is known, not for ever. */
  @ParameterizedTest
  @EnumSource(
      value = GateMode.class,
      names = {"DIRECT", "GATED"})
  void decide_hiddenWithFewExamples_isPromotedOnceThereAreEnough(GateMode mode) {
    Gate gate = gate(mode);
    Decision _ = second(gate, 1, p -> p * 0.7, p -> p, p -> p);
    gate.hold();
    boolean promoted = false;
    for (int i = 0; i < 7 * 24 * 60; i++) {
      nowMs += 59_000;
      promoted |= second(gate, 1, p -> p * 2.5, p -> p, p -> p) instanceof Promote;
    }

    assertThat(promoted).isTrue();
  }

  /** What is learned of examples in a row is learned of those that are as they should be. */
  @Test
  void decide_flippedLabelsAgain_areSeenAsSoon() {
    Gate gate = gate(GateMode.GATED);
    assertThat(secondsTo(Promote.class, 70, gate, p -> p, p -> p)).isLessThan(70);
    for (int again = 0; again < 5; again++) {
      Says flipped = p -> p < 0.1 ? 0.15 : p / 2;
      assertThat(secondsTo(TakeBack.class, 60, gate, p -> p, flipped)).isLessThan(6);
      for (int i = 0; i < 100; i++) {
        assertThat(second(gate, p -> p, flipped)).isEqualTo(new Keep());
      }
      assertThat(secondsTo(Promote.class, 200, gate, p -> p, p -> p)).isLessThan(150);
    }
  }

  /** Whose operators show what is learned before it is proven wait for no proof for ever. */
  @ParameterizedTest
  @CsvSource({"DIRECT, 20", "DIRECT, 300", "GATED, 20", "GATED, 300"})
  void decide_tooLongUncertainAfterItWasHidden_isShownAgainWhereOperatorsSayDirect(
      GateMode mode, int examples) {
    Gate gate = gate(mode, Duration.ofMinutes(2), 1e-9, 0.02);
    assertThat(second(gate, examples, p -> p, p -> p * 1.001, p -> p))
        .isNotInstanceOf(TakeBack.class);
    gate.hold();

    boolean shown = false;
    for (int i = 0; i < 400; i++) {
      Decision decision = second(gate, examples, p -> p, noisy(0.15), p -> p);
      shown |= decision instanceof Promote || decision instanceof Publish;
    }

    assertThat(shown).isEqualTo(mode == GateMode.DIRECT);
  }

  /** Hours in which about as few labels come as can decide anything at all. */
  @Test
  void decide_fewLabels_newestExamplesRaiseNoFalseAlarm() {
    Gate gate = gate(GateMode.DIRECT);

    for (int i = 0; i < 6 * 60 * 60; i++) {
      assertThat(second(gate, 40, noisy(0.1), noisy(0.1), p -> p)).isNotInstanceOf(TakeBack.class);
    }
  }

  @Test
  void decide_labelsEndAfterALongWindow_areQuarantinedSoon() {
    Gate gate = gate(GateMode.GATED);
    // Just not good enough to be promoted: the window has ten minutes of examples.
    assertThat(secondsTo(Promote.class, 600, gate, noisy(0.1), p -> p))
        .isEqualTo(Integer.MAX_VALUE);

    assertThat(secondsTo(TakeBack.class, 600, gate, noisy(0.1), _ -> 0)).isLessThan(13);
    assertThat(gate.phase()).isEqualTo(GatePhase.QUARANTINED);
  }

  /** In half an hour of good examples, two minutes of bad ones would hardly show. */
  @Test
  void decide_spoiltAfterALongWindow_isTakenBackSoon() {
    Gate gate = gate(GateMode.SHADOW);
    for (int i = 0; i < 1_700; i++) {
      assertThat(second(gate, noisy(0.065), p -> p)).isEqualTo(new Keep());
    }

    assertThat(secondsTo(TakeBack.class, 600, gate, noisy(0.4), p -> p)).isLessThan(60);
    assertThat(gate.failures()).isZero();

    // Whoever begins again and is as bad at once fails.
    for (int failures = 1; failures <= 3; failures++) {
      assertThat(secondsTo(TakeBack.class, 600, gate, noisy(0.4), p -> p)).isLessThan(60);
      assertThat(gate.failures()).isEqualTo(failures);
    }
    assertThat(gate.hopeless()).isTrue();
  }

  /** Or a candidate that has learned flipped labels would be the better one. */
  @Test
  void decide_nothingWasPromotedYet_labelsAreStrangeAfterAMinuteOfUsualOnes() {
    Gate gate = gate(GateMode.GATED);
    assertThat(secondsTo(Promote.class, 90, gate, noisy(0.1), p -> p)).isEqualTo(Integer.MAX_VALUE);

    Decision decision = new Keep();
    for (int i = 0; i < 10 && decision instanceof Keep; i++) {
      decision = second(gate, p -> 1 - p, p -> 1 - p);
    }
    assertThat(decision).isInstanceOf(TakeBack.class);
    assertThat(gate.phase()).isEqualTo(GatePhase.QUARANTINED);
  }

  @Test
  void decide_bundleOfAnotherWorld_isNeverUsual() {
    Gate gate = gate(GateMode.SHADOW);

    for (int i = 0; i < 300; i++) {
      assertThat(second(gate, p -> 3 * p, p -> 3 * p)).isEqualTo(new Keep());
    }
    assertThat(gate.learns()).isTrue();
  }

  @Test
  void decide_tooLongUncertain_beginsAgainFromTheHealthyState() {
    Gate gate = gate(GateMode.GATED, Duration.ofMinutes(2), 1e-9, 0.002);

    assertThat(secondsTo(TakeBack.class, 130, gate, p -> p * 1.1, p -> p)).isBetween(120, 122);
    assertThat(gate.phase()).isEqualTo(GatePhase.HOLDING);
    assertThat(gate.failures()).isZero();
  }

  @Test
  void decide_tooLongUncertainAndLikelyHarmful_isTakenBackAndHasNotFailed() {
    Gate gate = gate(GateMode.GATED, Duration.ofMinutes(2), 1e-9, 0.001);

    assertThat(secondsTo(TakeBack.class, 130, gate, noisy(0.135), p -> p)).isBetween(120, 122);
    assertThat(gate.failures()).isZero();
  }

  @Test
  void decide_tooFewExamplesToTell_waitsForMore() {
    Gate gate = gate(GateMode.GATED, Duration.ofMinutes(2), 1e-9, 1e-9);

    for (int i = 0; i < 600; i++) {
      assertThat(second(gate, 20, noisy(0.03), p -> p, p -> p)).as("%d s", i).isEqualTo(new Keep());
    }
  }

  @Test
  void accept_inQuarantine_learnsAndServesAgain() {
    Gate gate = gate(GateMode.DIRECT);
    assertThat(secondsTo(Promote.class, 70, gate, p -> p, p -> p)).isLessThan(70);
    assertThat(second(gate, p -> p, p -> 1 - p)).isInstanceOf(TakeBack.class);

    assertThat(gate.accept(nowMs)).isEqualTo(new Promote());
    assertThat(gate.phase()).isEqualTo(GatePhase.OPEN);
    for (int i = 0; i < 60; i++) { // What comes is what operators have found right.
      assertThat(second(gate, p -> p, p -> 1 - p)).as("%d s", i).isNotInstanceOf(TakeBack.class);
      assertThat(gate.phase()).as("%d s", i).isNotEqualTo(GatePhase.QUARANTINED);
    }
  }

  @Test
  void restore_anywhere_decidesTheSame() {
    Gate one = gate(GateMode.DIRECT);
    Gate other = gate(GateMode.DIRECT);
    for (int i = 0; i < 400; i++) {
      long at = nowMs;
      long seed = random.nextLong();
      boolean flipped = i > 200 && i < 230;
      Says label = p -> flipped ? 1 - p : p;
      Decision expected = new Same(seed).second(one, at, label);
      Gate copy = gate(GateMode.DIRECT);
      copy.restore(other.bytes());
      other = copy;
      assertThat(new Same(seed).second(other, at, label)).isEqualTo(expected);
      assertThat(other.bytes()).isEqualTo(one.bytes());
      nowMs += 1_000;
    }
  }

  /** The same examples again. */
  private record Same(long seed) {
    Decision second(Gate gate, long atMs, Says label) {
      GateTest test = new GateTest();
      test.nowMs = atMs;
      SplittableRandom own = new SplittableRandom(seed);
      for (int i = 0; i < 200; i++) {
        double p = own.nextDouble() * 0.2;
        float y = own.nextDouble() < label.of(p) ? 1 : 0;
        float candidate = (float) Math.min(0.9, p * (0.9 + 0.2 * own.nextDouble()));
        gate.add(new Judged(0, y, 1, (float) p, candidate, (float) p, new int[] {0}));
      }
      return gate.decide(atMs + 1_000, SMALL);
    }
  }
}
