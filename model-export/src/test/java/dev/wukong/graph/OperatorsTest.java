package dev.wukong.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OrtException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every operator: what ONNX Runtime computes from the file written is what {@link PlainInterpreter}
 * says it means.
 */
final class OperatorsTest {
  private static final int SEEDS = 40;

  // Float has 24 bits, 6e-8; a result here is a sum of at most some tens of terms about as large as
  // the largest result.
  private static final double FLOAT_TOLERANCE = 1e-5;

  private static final double DOUBLE_TOLERANCE = 1e-12;

  /** Operators that ONNX Runtime has on the CPU in float only. */
  private static final Set<String> FLOAT_ONLY = Set.of("Softplus");

  static List<Class<?>> operators() {
    return OpCase.operators();
  }

  /** Operators that ONNX defines to compute in float inside, whatever the type of their tensors. */
  private static final Set<String> FLOAT_INSIDE = Set.of("LayerNormalization");

  @ParameterizedTest
  @MethodSource("operators")
  void operator_inFloat_meansWhatTheInterpreterSays(Class<?> op) throws OrtException {
    for (long seed = 0; seed < SEEDS; seed++) {
      check(op, DataType.FLOAT, seed, FLOAT_TOLERANCE);
    }
  }

  @ParameterizedTest
  @MethodSource("operators")
  void operator_inDouble_meansWhatTheInterpreterSays(Class<?> op) throws OrtException {
    if (FLOAT_ONLY.contains(op.getSimpleName())) {
      assertThatThrownBy(() -> check(op, DataType.DOUBLE, 0, DOUBLE_TOLERANCE))
          .isInstanceOf(OrtException.class)
          .hasMessageContaining("NOT_IMPLEMENTED");
      return;
    }
    for (long seed = 0; seed < SEEDS; seed++) {
      boolean floatInside = FLOAT_INSIDE.contains(op.getSimpleName());
      check(op, DataType.DOUBLE, seed, floatInside ? FLOAT_TOLERANCE : DOUBLE_TOLERANCE);
    }
  }

  private static void check(Class<?> op, DataType type, long seed, double tolerance)
      throws OrtException {
    OpCase made = OpCase.of(op, type, seed);
    for (int i = 0; i < made.outputs().size(); i++) {
      made.builder().output("out" + i, made.outputs().get(i));
    }
    Graph graph = made.builder().build();
    Map<String, PlainArray> expected = PlainInterpreter.run(graph, made.given());
    Map<String, PlainArray> actual =
        OrtRunner.run(OnnxWriter.write(graph, Lowering.CPU, Map.of(), Map.of()), made.given());
    assertThat(actual.keySet()).isEqualTo(expected.keySet());
    expected.forEach(
        (name, value) -> {
          PlainArray got = actual.getOrDefault(name, value);
          String what = op.getSimpleName() + " seed " + seed + " " + graph.nodes() + " " + name;
          assertThat(got.shape()).as(what).isEqualTo(value.shape());
          assertThat(got.values())
              .as(what)
              .containsExactly(value.values(), within(tolerance * (1 + value.largest())));
        });
  }
}
