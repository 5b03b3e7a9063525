package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.Logged;
import dev.wukong.serving.joining.JoinPolicy;
import dev.wukong.serving.joining.TaskPolicy;
import dev.wukong.serving.joining.Weighting;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class StallBreakerTest {
  private static final double RATE = 0.05;
  private static final JoinPolicy POLICY = policy(Duration.ofMinutes(1));

  private final SplittableRandom random = new SplittableRandom(2);
  private long nowMs = 1_000_000;
  private long position;

  private static JoinPolicy policy(Duration window) {
    Duration minute = Duration.ofMinutes(1);
    TaskPolicy task = new TaskPolicy(window, Weighting.PLAIN, Optional.empty());
    return new JoinPolicy(
        List.of("click", "like"),
        Map.of("click", task, "like", task),
        minute,
        minute,
        Duration.ofHours(2),
        1);
  }

  private Optional<Event.Frozen> take(StallBreaker breaker, Event event) {
    return breaker.take(new Logged(position++, nowMs, "m", event));
  }

  /** A second of so many exposed candidates, of which clicks come or do not; what was said. */
  private Optional<Event.Frozen> second(StallBreaker breaker, int exposed, double rate) {
    Optional<Event.Frozen> said = Optional.empty();
    nowMs += 1_000;
    for (int i = 0; i < exposed; i++) {
      Optional<Event.Frozen> now =
          take(breaker, new Event.Exposed(0, new int[] {i}, nowMs))
              .or(
                  () ->
                      random.nextDouble() < rate
                          ? take(breaker, new Event.Labelled(0, 0, "click", 1, 1, nowMs))
                          : Optional.empty());
      said = said.or(() -> now);
    }
    Optional<Event.Frozen> last = take(breaker, new Event.Boundary());
    return said.or(() -> last);
  }

  /** Seconds until something is said; at most so many. */
  private int secondsToSaid(StallBreaker breaker, int most, int exposed, double rate) {
    for (int i = 1; i <= most; i++) {
      if (second(breaker, exposed, rate).isPresent()) {
        return i;
      }
    }
    return Integer.MAX_VALUE;
  }

  @Test
  void take_labelsStall_freezesAfterAQuarterOfTheWindowAndReleasesOnceTheyComeAgain() {
    StallBreaker breaker = new StallBreaker(POLICY, false);
    assertThat(secondsToSaid(breaker, 600, 100, RATE)).isEqualTo(Integer.MAX_VALUE);

    assertThat(secondsToSaid(breaker, 60, 100, 0)).isBetween(15, 19);

    assertThat(breaker.frozen()).isTrue();
    assertThat(breaker.missing().orElseThrow()).startsWith("labels of task 'click' are missing");
    assertThat(secondsToSaid(breaker, 3600, 100, 0)).isEqualTo(Integer.MAX_VALUE);
    // Some strays are no rate.
    assertThat(secondsToSaid(breaker, 600, 100, RATE / 50)).isEqualTo(Integer.MAX_VALUE);
    assertThat(secondsToSaid(breaker, 60, 100, RATE)).isBetween(1, 20);
    assertThat(breaker.frozen()).isFalse();
    assertThat(breaker.missing()).isEmpty();
    assertThat(secondsToSaid(breaker, 600, 100, RATE)).isEqualTo(Integer.MAX_VALUE);
  }

  @Test
  void take_rareLabels_waitsUntilChanceIsOut() {
    StallBreaker breaker = new StallBreaker(POLICY, false);
    assertThat(secondsToSaid(breaker, 7200, 10, 0.005)).isEqualTo(Integer.MAX_VALUE);

    assertThat(secondsToSaid(breaker, 3600, 10, 0)).isBetween(150, 500);
  }

  @Test
  void take_trafficComesAndGoes_saysNothing() {
    StallBreaker breaker = new StallBreaker(POLICY, false);
    assertThat(secondsToSaid(breaker, 600, 100, RATE)).isEqualTo(Integer.MAX_VALUE);
    assertThat(secondsToSaid(breaker, 600, 0, 0)).isEqualTo(Integer.MAX_VALUE);
    assertThat(secondsToSaid(breaker, 600, 1, RATE)).isEqualTo(Integer.MAX_VALUE);
    // Twenty times as many, whose labels are on their way for some seconds.
    assertThat(secondsToSaid(breaker, 10, 2_000, 0)).isEqualTo(Integer.MAX_VALUE);
    assertThat(secondsToSaid(breaker, 60, 2_000, RATE)).isEqualTo(Integer.MAX_VALUE);
  }

  /** Who has just come cannot have clicked yet. */
  @Test
  void take_callersPause_saysNothingWhenTheyComeAgain() {
    StallBreaker breaker = new StallBreaker(POLICY, false);
    assertThat(secondsToSaid(breaker, 600, 100, RATE)).isEqualTo(Integer.MAX_VALUE);
    assertThat(secondsToSaid(breaker, 60, 0, 0)).isEqualTo(Integer.MAX_VALUE);
    assertThat(secondsToSaid(breaker, 10, 100, 0)).isEqualTo(Integer.MAX_VALUE);
    assertThat(secondsToSaid(breaker, 60, 100, RATE)).isEqualTo(Integer.MAX_VALUE);
    assertThat(secondsToSaid(breaker, 60, 100, 0)).isBetween(15, 20);
  }

  @Test
  void take_fewLabelsEver_saysNothing() {
    StallBreaker breaker = new StallBreaker(POLICY, false);
    for (int i = 0; i < 20; i++) {
      nowMs += 100;
      take(breaker, new Event.Exposed(0, new int[] {0}, nowMs));
      take(breaker, new Event.Labelled(0, 0, "click", 1, 1, nowMs));
    }
    assertThat(secondsToSaid(breaker, 600, 100, 0)).isEqualTo(Integer.MAX_VALUE);
  }

  @Test
  void take_noWindow_waitsTenSeconds() {
    StallBreaker breaker = new StallBreaker(policy(Duration.ZERO), false);
    assertThat(secondsToSaid(breaker, 600, 100, RATE)).isEqualTo(Integer.MAX_VALUE);
    assertThat(secondsToSaid(breaker, 60, 100, 0)).isBetween(10, 14);
  }

  @Test
  void take_frozenByTheLog_releasesWithTheFirstTaskThatHasLabels() {
    StallBreaker breaker = new StallBreaker(POLICY, true);
    assertThat(secondsToSaid(breaker, 600, 100, 0)).isEqualTo(Integer.MAX_VALUE);
    assertThat(secondsToSaid(breaker, 60, 100, RATE)).isBetween(10, 12);
    assertThat(breaker.frozen()).isFalse();
  }

  @Test
  void take_sayingAlreadyInTheLog_saysNothingAgain() {
    StallBreaker breaker = new StallBreaker(POLICY, false);
    int _ = secondsToSaid(breaker, 600, 100, RATE);
    int _ = secondsToSaid(breaker, 60, 100, 0);
    assertThat(take(breaker, new Event.Frozen(true))).isEmpty();
    assertThat(secondsToSaid(breaker, 60, 100, 0)).isEqualTo(Integer.MAX_VALUE);
  }
}
