package dev.wukong.serving.gating;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.serving.gating.Decision.Keep;
import dev.wukong.serving.gating.Decision.Promote;
import dev.wukong.serving.gating.Decision.Publish;
import dev.wukong.serving.gating.Decision.TakeBack;
import dev.wukong.serving.gating.Gate.Change;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A canary answers few, then more, then all; or nobody any more. */
class CanaryGateTest {
  private static final double RATE = 0.05;
  private static final int EXAMPLES = 500;
  private static final Change SMALL = new Change(4, 0.001, 0.01, 1, Optional.empty());

  private final SplittableRandom random = new SplittableRandom(5);
  private long nowMs = 1_000_000;

  private static Gate gate() {
    return new Gate(GatePolicy.usual(GateMode.CANARY), List.of("click"), Slices.byPlace());
  }

  /** A second of examples, of which the canary has answered its share, and the decision after. */
  private Decision second(Gate gate, double candidate, int examples) {
    for (int i = 0; i < examples; i++) {
      double p = Math.clamp(RATE * Math.exp(random.nextGaussian()), 1e-4, 0.9);
      float y = random.nextDouble() < p ? 1 : 0;
      float said = (float) Math.clamp(candidate * p, 1e-4, 0.999);
      boolean answered = random.nextDouble() < gate.share();
      int[] slices =
          answered ? new int[] {Slices.ALL, 1, Slices.CANARY} : new int[] {Slices.ALL, 1};
      gate.add(new Judged(0, y, 1, (float) p, said, (float) p, slices));
    }
    nowMs += 1_000;
    return gate.decide(nowMs, SMALL);
  }

  /** Seconds that it stays at this share; at most an hour. */
  private int secondsAt(Gate gate, double share, int examples) {
    assertThat(gate.share()).isEqualTo(share);
    for (int i = 1; i <= 3_600; i++) {
      Decision decision = second(gate, 1.001, examples);
      assertThat(decision).isNotInstanceOfAny(Publish.class, TakeBack.class);
      if (decision instanceof Promote || gate.share() != share) {
        return i;
      }
    }
    return Integer.MAX_VALUE;
  }

  @Test
  void decide_doesWell_answersMoreAndMoreAndIsPromoted() {
    Gate gate = gate();

    // A hundred positive ones at one in a hundred, of some 40 a second.
    assertThat(secondsAt(gate, 0.01, EXAMPLES)).isBetween(150, 400);
    assertThat(gate.failures()).isZero();
    // At a tenth they come within the minute that is waited anyway.
    assertThat(secondsAt(gate, 0.1, EXAMPLES)).isBetween(60, 75);
    assertThat(gate.share()).isEqualTo(0.01);
    assertThat(gate.visible()).isFalse();
  }

  @Test
  void decide_fewLabels_theNextShareComesWhenPatienceEnds() {
    Gate gate = gate();

    assertThat(secondsAt(gate, 0.01, 40)).isBetween(1_799, 1_802);
    assertThat(gate.share()).isEqualTo(0.1);
  }

  @Test
  void decide_isWorse_answersNobodyAtOnceAndBeginsSmallAgain() {
    Gate gate = gate();
    secondsAt(gate, 0.01, EXAMPLES);
    assertThat(gate.share()).isEqualTo(0.1);

    Decision decision = new Keep();
    int seconds = 0;
    while (decision instanceof Keep && seconds++ < 60) {
      decision = second(gate, 2, EXAMPLES);
    }

    assertThat(decision).isInstanceOf(TakeBack.class);
    assertThat(seconds).isCloseTo(15, within(15));
    assertThat(gate.share()).isEqualTo(0.01);
    assertThat(gate.failures()).isOne();
  }

  @Test
  void share_otherModes_isNone() {
    for (GateMode mode : List.of(GateMode.DIRECT, GateMode.GATED, GateMode.SHADOW)) {
      Gate gate = new Gate(GatePolicy.usual(mode), List.of("click"), Slices.byPlace());
      gate.hold();
      assertThat(gate.share()).isZero();
    }
  }

  @Test
  void restore_secondShare_goesOnWithIt() {
    Gate gate = gate();
    secondsAt(gate, 0.01, EXAMPLES);
    Gate again = gate();

    again.restore(gate.bytes());

    assertThat(again.share()).isEqualTo(0.1);
    assertThat(again.bytes()).isEqualTo(gate.bytes());
  }

  @Test
  void positives_ofAllTasks_areAddedUp() {
    GateWindow window = new GateWindow(List.of("click", "buy"), Slices.byPlace().names());
    IntStream.range(0, 6)
        .forEach(
            i ->
                window.add(
                    new Judged(
                        i % 2, i < 4 ? 1 : 0, 1, 0.1f, 0.1f, 0.1f, new int[] {0, Slices.CANARY})));

    assertThat(window.positives(Slices.CANARY)).isEqualTo(4);
    assertThat(window.positives(1)).isZero();
  }
}
