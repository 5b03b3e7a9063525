package dev.wukong.serving.predict;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.bundle.Precision;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.InputLayout;
import dev.wukong.data.NumberFeature;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Task;
import dev.wukong.data.Transform;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LargestNumberTest {
  private static NumberFeature number(String name, Transform transform) {
    return new NumberFeature(name, Scope.CANDIDATE, name, 1, transform, false);
  }

  private static InputLayout layout(NumberFeature... numbers) {
    List<Task> tasks = List.of(new Task("click", "click", Optional.empty(), Optional.empty()));
    return InputLayout.of(new Schema("numbers", List.of(numbers), tasks), Map.of());
  }

  private static Query query(int rows, float... dense) {
    EncodedRows none = new EncodedRows(0, new long[0], new float[0], new float[0]);
    EncodedRows candidates = new EncodedRows(rows, new long[0], new float[0], dense);
    return new Query(none, candidates, new int[0], 0, 0, 0);
  }

  @Test
  void of_largerNumberHasALogarithm_isTheOtherOne() {
    InputLayout layout = layout(number("price", Transform.LOG1P), number("age", Transform.NONE));

    LargestNumber largest =
        requireNonNull(LargestNumber.of(layout, query(2, 1e30f, 2, 1e30f, -3e7f), 1));

    assertThat(largest).isEqualTo(new LargestNumber("candidates", "feature 'age'", 1, -3e7f));
    assertThat(largest.absurd(Precision.FP32)).isTrue();
  }

  /** A half is 65,504 at most: the square of 256 is more. */
  @Test
  void absurd_squareIsNoHalf_isSoInHalfPrecisionAlone() {
    assertThat(new LargestNumber("context", "age", 0, -256).absurd(Precision.FP16)).isTrue();
    assertThat(new LargestNumber("context", "age", 0, 255).absurd(Precision.FP16)).isFalse();
    assertThat(new LargestNumber("context", "age", 0, 1e6f).absurd(Precision.FP32)).isFalse();
  }

  @Test
  void of_onlyNumbersWithALogarithm_isNone() {
    assertThat(LargestNumber.of(layout(number("price", Transform.LOG1P)), query(1, 1e30f), 0))
        .isNull();
  }

  @Test
  void of_largerNumberOfAnotherCandidate_isNotBlamed() {
    InputLayout layout = layout(number("age", Transform.NONE));

    LargestNumber largest = requireNonNull(LargestNumber.of(layout, query(2, 3, 1e30f), 0));

    assertThat(largest).isEqualTo(new LargestNumber("candidates", "feature 'age'", 0, 3));
  }
}
