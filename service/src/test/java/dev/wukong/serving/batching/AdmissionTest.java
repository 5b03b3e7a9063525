package dev.wukong.serving.batching;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.batching.Admission.Admitted;
import dev.wukong.serving.batching.Admission.Busy;
import dev.wukong.serving.batching.Admission.Hopeless;
import dev.wukong.serving.batching.Admission.Verdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class AdmissionTest {
  private static final long MILLI = 1_000_000;
  private static final long SECOND = 1000 * MILLI;

  private final AtomicLong now = new AtomicLong();

  /** 25 ms where a queue lasts, 100 where it does not. */
  private final Admission admission = new Admission(Duration.ofMillis(25), 1, now::get);

  /** A millisecond for 8 candidates, 125 microseconds a candidate. */
  private final BatchCost cost = new BatchCost(8);

  {
    cost.measured(new double[] {MILLI});
  }

  private Verdict admit(int candidates, double share, long budget) {
    return admission.admit(candidates, share, budget, cost);
  }

  /** How many requests of 80 candidates, 10 ms each, are let in one after the other. */
  private int admitted(double share, long budget) {
    List<Admitted> in = new ArrayList<>();
    while (admit(80, share, budget) instanceof Admitted one) {
      in.add(one);
    }
    in.forEach(Admitted::close);
    return in.size();
  }

  @Test
  void admit_moreAndMore_stopsWhereTheNextWouldWaitTooLong() {
    assertThat(admitted(1, 10 * SECOND)).isEqualTo(11); // The last of them waits for 100 ms.
    assertThat(admission.rows()).isZero();
  }

  @Test
  void admit_lowerClasses_stopEarlier() {
    assertThat(admitted(0.7, 10 * SECOND)).isEqualTo(8);
    assertThat(admitted(0.35, 10 * SECOND)).isEqualTo(4);
  }

  @Test
  void admit_shortDeadline_stopsWhereItWouldBeMissed() {
    // Of 50 ms 40 may be planned with, 10 of them for itself: the last one waits for 30.
    assertThat(admitted(1, 50 * MILLI)).isEqualTo(4);
  }

  @Test
  void admit_busy_saysHowLongItWouldWait() {
    List<Verdict> verdicts = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      verdicts.add(admit(80, 1, 10 * SECOND));
    }
    assertThat(verdicts.getLast()).isEqualTo(new Busy(110 * MILLI, 100 * MILLI));
  }

  @Test
  void admit_deadlineBelowItsOwnTime_isHopelessButTriedNowAndThen() {
    int tried = 0;
    for (int i = 0; i < 160; i++) {
      switch (admit(80, 1, 5 * MILLI)) {
        case Admitted in -> {
          tried++;
          in.close();
        }
        case Hopeless(long own) -> assertThat(own).isEqualTo(10 * MILLI);
        case Busy busy -> throw new AssertionError(busy);
      }
    }
    assertThat(tried).isEqualTo(10);
  }

  @Test
  void admit_queueThatLasts_isKeptShort() {
    Admitted before = (Admitted) admit(80, 1, 10 * SECOND); // 10 ms in work: a queue.
    now.addAndGet(2 * SECOND);
    assertThat(admitted(1, 10 * SECOND)).isEqualTo(10);
    now.addAndGet(1);
    assertThat(admitted(1, 10 * SECOND)).isEqualTo(2); // Waiting for 10 and 20 ms.
    before.close();
    assertThat(admitted(1, 10 * SECOND)).isEqualTo(11);
  }

  @Test
  void admit_shortWaitsAllTheTime_areNoQueue() {
    Admitted before = (Admitted) admit(24, 1, 10 * SECOND); // 3 ms, an eighth of 25 at most.
    now.addAndGet(10 * SECOND);
    assertThat(admitted(1, 10 * SECOND)).isEqualTo(10);
    before.close();
  }

  @Test
  void admit_largeRequestAlone_isLetInWhateverItTakes() {
    assertThat(admit(8000, 1, 10 * SECOND)).isInstanceOf(Admitted.class);
  }

  @Test
  void ended_answersTakeTwiceAsLong_letsHalfAsManyIn() {
    for (int i = 0; i < 300; i++) {
      try (Admitted in = (Admitted) admit(80, 1, 10 * SECOND)) {
        now.addAndGet(2 * 10 * MILLI + 2 * MILLI); // 1 ms more is expected of any machine.
        in.ended();
      }
    }
    assertThat(admission.slowness()).isBetween(1.9, 2.1);
    assertThat(admitted(1, 10 * SECOND)).isEqualTo(6);
  }

  @Test
  void ended_manyHeldUpByOnePause_countAsOne() {
    List<Admitted> held = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      held.add((Admitted) admit(8, 1, 10 * SECOND));
    }
    now.addAndGet(100 * MILLI);
    for (Admitted in : held) {
      in.ended();
      in.close();
    }
    assertThat(admission.slowness()).isBetween(1.1, 1.8); // 16 a twentieth of 2 s long.
  }

  @Test
  void ended_answersAreQuick_neverLetsMoreInThanBatchesCanTake() {
    for (int i = 0; i < 300; i++) {
      Admitted in = (Admitted) admit(80, 1, 10 * SECOND);
      in.ended();
      in.close();
    }
    assertThat(admission.slowness()).isEqualTo(1);
    assertThat(admitted(1, 10 * SECOND)).isEqualTo(11);
  }

  @Test
  void admit_severalRunsAtOnce_letsAsManyTimesMoreIn() {
    Admission wide = new Admission(Duration.ofMillis(25), 4, now::get);
    int count = 0;
    while (wide.admit(80, 1, 10 * SECOND, cost) instanceof Admitted) {
      count++;
    }
    assertThat(count).isEqualTo(41);
  }

  @Test
  void admit_costUnknown_letsIn() {
    for (int i = 0; i < 1000; i++) {
      assertThat(admission.admit(80, 0.35, MILLI, new BatchCost(8))).isInstanceOf(Admitted.class);
    }
  }
}
