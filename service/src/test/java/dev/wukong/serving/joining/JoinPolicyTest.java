package dev.wukong.serving.joining;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JoinPolicyTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);

  private static TaskPolicy task(Duration window, String... given) {
    return new TaskPolicy(window, Weighting.PLAIN, List.of(given).stream().findFirst());
  }

  private static JoinPolicy policy(
      List<String> tasks,
      Map<String, TaskPolicy> byTask,
      Duration exposure,
      Duration grace,
      Duration horizon) {
    return new JoinPolicy(tasks, byTask, exposure, grace, horizon, 1);
  }

  private static JoinPolicy policy(Duration exposure, Duration grace, Duration horizon) {
    return policy(List.of("click"), Map.of("click", task(MINUTE)), exposure, grace, horizon);
  }

  private static void assertRefused(ThrowingCallable made, String message) {
    assertThatThrownBy(made).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
  }

  @Test
  void new_atTheBounds_isTaken() {
    JoinPolicy policy = policy(Duration.ofMinutes(2), MINUTE, Duration.ofMinutes(2));
    assertThat(policy.of("click").window()).isEqualTo(MINUTE);
    assertThat(policy.givenBy("click")).isEmpty();
  }

  @Test
  void new_tasksOfNoKind_saysWhich() {
    assertRefused(
        () -> policy(List.of(), Map.of(), MINUTE, MINUTE, MINUTE),
        "tasks are [], must be some, none twice");
    assertRefused(
        () ->
            policy(
                List.of("click", "click"), Map.of("click", task(MINUTE)), MINUTE, MINUTE, MINUTE),
        "tasks are [click, click], must be some, none twice");
    assertRefused(
        () -> policy(List.of("click"), Map.of("like", task(MINUTE)), MINUTE, MINUTE, MINUTE),
        "byTask has [like], must have just the tasks [click]");
  }

  @Test
  void new_durationOutOfBounds_saysWhatIsAllowed() {
    assertRefused(
        () -> policy(Duration.ofMillis(999), MINUTE, MINUTE),
        "exposure is PT0.999S, must be PT1S to PT8760H");
    assertRefused(
        () -> policy(MINUTE, Duration.ofSeconds(-1), MINUTE),
        "grace is PT-1S, must be PT0S to PT8760H");
    assertRefused(
        () -> policy(MINUTE, MINUTE, Duration.ofSeconds(59)),
        "horizon is PT59S, must be PT1M to PT8760H");
    assertRefused(
        () -> policy(MINUTE, Duration.ofSeconds(1), MINUTE),
        "window of task 'click' is PT1M, must be PT0S to PT59S");
    assertRefused(
        () -> task(Duration.ofMillis(-1)), "window is PT-0.001S, must be PT0S to PT8760H");
    assertRefused(
        () -> new TaskPolicy(MINUTE, Weighting.FAKE_NEGATIVE, Optional.empty()),
        "window is PT1M, must be PT0S with weighting FAKE_NEGATIVE");
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -1, 1.01, Double.NaN})
  void new_shareOfNegatives_isMoreThanNothingAndAllAtMost(double negatives) {
    assertRefused(
        () ->
            new JoinPolicy(
                List.of("click"),
                Map.of("click", task(Duration.ZERO)),
                MINUTE,
                MINUTE,
                MINUTE,
                negatives),
        "negatives is %s, must be more than 0 and up to 1".formatted(negatives));
  }

  @Test
  void new_givenThatLeadsNowhere_saysWhere() {
    Map<String, TaskPolicy> tasks = new HashMap<>();
    tasks.put("a", task(Duration.ZERO, "b"));
    tasks.put("b", task(Duration.ZERO, "c"));
    assertRefused(
        () -> policy(List.of("a", "b"), tasks, MINUTE, MINUTE, MINUTE),
        "given of task 'a' leads to 'c', must be one of the tasks [a, b]");
    tasks.put("b", task(Duration.ZERO, "a"));
    assertRefused(
        () -> policy(List.of("a", "b"), tasks, MINUTE, MINUTE, MINUTE),
        "given of task 'a' leads to 'a' again, must not lead back");
    tasks.put("b", task(Duration.ZERO));
    assertThat(policy(List.of("a", "b"), tasks, MINUTE, MINUTE, MINUTE).givenBy("b"))
        .containsExactly("a");
  }
}
