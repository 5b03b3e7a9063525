package dev.wukong.autodiff;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OrtException;
import dev.wukong.graph.DataType;
import dev.wukong.graph.Graph;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Lowering;
import dev.wukong.graph.Node;
import dev.wukong.graph.OnnxWriter;
import dev.wukong.graph.Op;
import dev.wukong.graph.OpCase;
import dev.wukong.graph.OrtRunner;
import dev.wukong.graph.PlainArray;
import dev.wukong.graph.PlainInterpreter;
import dev.wukong.graph.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every operator's gradient rule, against differences, and against ONNX Runtime running the
 * gradient graph.
 */
final class VjpRulesTest {
  private static final int SEEDS = 24;

  /** Constant almost everywhere, or of other types, or built after differentiation. */
  private static final Set<Class<? extends Op>> WITHOUT_GRADIENT =
      Set.of(
          Op.Constant.class,
          Op.Greater.class,
          Op.Equal.class,
          Op.Not.class,
          Op.Sign.class,
          Op.Count.class,
          Op.Scan.class);

  static List<Class<?>> operators() {
    return OpCase.operators();
  }

  @ParameterizedTest
  @MethodSource("operators")
  void rule_randomShapes_agreesWithDifferences(Class<?> op) {
    for (long seed = 0; seed < SEEDS; seed++) {
      OpCase made = OpCase.of(op, DataType.DOUBLE, seed);
      if (flowsNowhere(op, made)) {
        assertRefused(made);
      } else {
        Tensor loss = weighted(made);
        GradientCheck.check(
            made.builder(),
            loss,
            made.smooth(),
            made.given(),
            op.getSimpleName() + " seed " + seed);
      }
    }
  }

  /**
   * The gradient graph of each operator, differentiated again: rules are built of operators that
   * have rules.
   */
  @ParameterizedTest
  @MethodSource("operators")
  void rule_differentiatedAgain_agreesWithDifferences(Class<?> op) {
    for (long seed = 0; seed < SEEDS / 2; seed++) {
      OpCase made = OpCase.of(op, DataType.DOUBLE, seed);
      if (flowsNowhere(op, made)) {
        continue; // Refused already at the first order, above.
      }
      GraphBuilder g = made.builder();
      List<Tensor> first = Gradients.of(g, weighted(made), made.smooth());
      // A term of the inputs themselves keeps operators whose gradient is constant in the game.
      Tensor loss = g.constant(0);
      for (int i = 0; i < first.size(); i++) {
        Tensor u = made.weightsLike(first.get(i));
        Tensor x = made.smooth().get(i);
        loss = g.add(loss, g.reduceSum(g.mul(g.mul(first.get(i), x), u), false));
      }
      GradientCheck.check(
          g, loss, made.smooth(), made.given(), "twice " + op.getSimpleName() + " seed " + seed);
    }
  }

  @ParameterizedTest
  @MethodSource("operators")
  void rule_inOnnxRuntime_meansWhatTheInterpreterSays(Class<?> op) throws OrtException {
    for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
      // ONNX Runtime has no Softplus in double, and takes LayerNormalization's statistics in float.
      boolean floatOnly = op == Op.Softplus.class && type == DataType.DOUBLE;
      boolean exact = type == DataType.DOUBLE && op != Op.LayerNormalization.class;
      for (long seed = 0; seed < SEEDS / 2 && !floatOnly; seed++) {
        OpCase made = OpCase.of(op, type, seed);
        if (flowsNowhere(op, made)) {
          continue; // Refused when differentiated, above.
        }
        List<Tensor> gradients = Gradients.of(made.builder(), weighted(made), made.smooth());
        for (int i = 0; i < gradients.size(); i++) {
          made.builder().output("d" + i, gradients.get(i));
        }
        // Sums of some tens of terms; float rounds at 6e-8.
        agree(made.builder().build(), made.given(), exact ? 1e-11 : 3e-5, op + " seed " + seed);
      }
    }
  }

  private static void agree(
      Graph graph, Map<String, PlainArray> given, double tolerance, String what)
      throws OrtException {
    Map<String, PlainArray> expected = PlainInterpreter.run(graph, given);
    Map<String, PlainArray> actual =
        OrtRunner.run(OnnxWriter.write(graph, Lowering.CPU, Map.of(), Map.of()), given);
    expected.forEach(
        (name, value) ->
            assertThat(Objects.requireNonNull(actual.get(name)).values())
                .as(what + " " + name)
                .containsExactly(value.values(), within(tolerance * (1 + value.largest()))));
  }

  private static boolean flowsNowhere(Class<?> op, OpCase made) {
    return WITHOUT_GRADIENT.contains(op)
        || made.outputs().stream().noneMatch(out -> out.type().floating());
  }

  private static void assertRefused(OpCase made) {
    GraphBuilder g = made.builder();
    List<Tensor> targets = new ArrayList<>(made.smooth());
    if (targets.isEmpty()) {
      targets.add(g.input("unrelated", g.type()));
    }
    Tensor loss = g.constant(0);
    for (Tensor out : made.outputs()) {
      loss = g.add(loss, g.reduceSum(g.cast(out, g.type()), false));
    }
    Tensor scalar = loss;
    assertThatThrownBy(() -> Gradients.of(g, scalar, targets))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(
            made.outputs().getFirst().producer() instanceof Node(var name, Op.Scan _, _, _)
                ? name + ": Scan is not differentiable"
                : "does not depend on " + targets.getFirst());
  }

  /** u·y over all outputs, u random. */
  private static Tensor weighted(OpCase made) {
    GraphBuilder g = made.builder();
    Tensor loss = g.constant(0);
    for (Tensor out : made.outputs()) {
      Tensor y = g.cast(out, g.type());
      loss = g.add(loss, g.reduceSum(g.mul(y, made.weightsLike(y)), false));
    }
    return loss;
  }
}
