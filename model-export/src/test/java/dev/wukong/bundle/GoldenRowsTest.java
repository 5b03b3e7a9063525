package dev.wukong.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.data.Task;
import java.util.List;
import org.junit.jupiter.api.Test;

class GoldenRowsTest {
  private static final List<Task> TASKS = SampleBundle.schema().tasks();

  private static double check(float... actual) throws BundleException {
    GoldenRows golden = SampleBundle.golden();
    return golden.check("'m' version 3", TASKS, golden.tolerance(), (c, i, of) -> actual);
  }

  @Test
  void check_withinTolerance_returnsLargestDifference() throws BundleException {
    float near = 0.1f + 5e-6f;
    assertThat(check(near, 0.2f, 0.3f, 0.4f, 0.5f, 0)).isEqualTo((double) near - 0.1f);
  }

  @Test
  void check_furtherOff_namesWorstRowAndTask() {
    assertThatThrownBy(() -> check(0.1001f, 0.2f, 0.3f, 0.9f, 0.5f, 0))
        .isInstanceOf(BundleException.class)
        .hasMessage(
            "golden rows of 'm' version 3: row 1, task 'like': expected 0.4, got 0.9 (difference"
                + " 0.500, allowed 1.00e-05)");
  }

  @Test
  void check_notANumber_refuses() {
    assertThatThrownBy(() -> check(0.1f, 0.2f, Float.NaN, 0.9f, 0.5f, 0))
        .hasMessage(
            "golden rows of 'm' version 3: row 1, task 'click': expected 0.3, got NaN (difference"
                + " NaN, allowed 1.00e-05)");
  }

  @Test
  void check_wrongCountOrFailure_refuses() {
    assertThatThrownBy(() -> check(0.1f))
        .hasMessage(
            "golden rows of 'm' version 3: got 1 probabilities, expected 6 (3 rows, 2 tasks)");
    IllegalStateException failure = new IllegalStateException("no session");
    assertThatThrownBy(
            () ->
                SampleBundle.golden()
                    .check(
                        "'m' version 3",
                        TASKS,
                        0,
                        (c, i, of) -> {
                          throw failure;
                        }))
        .isInstanceOf(BundleException.class)
        .hasMessage(
            "golden rows of 'm' version 3: scoring failed: java.lang.IllegalStateException: no"
                + " session")
        .hasCause(failure);
  }
}
