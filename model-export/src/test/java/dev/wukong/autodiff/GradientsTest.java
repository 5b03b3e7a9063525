package dev.wukong.autodiff;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.graph.DataType;
import dev.wukong.graph.Dim;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Op;
import dev.wukong.graph.PlainArray;
import dev.wukong.graph.RandomGraph;
import dev.wukong.graph.Shape;
import dev.wukong.graph.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

final class GradientsTest {
  private final GraphBuilder g = new GraphBuilder("gradients", DataType.DOUBLE);

  @RepeatedTest(value = 150, name = "seed {currentRepetition}")
  void gradients_ofRandomGraphs_agreeWithDifferences(RepetitionInfo run) {
    int seed = run.getCurrentRepetition();
    RandomGraph made = RandomGraph.of(DataType.DOUBLE, seed);
    // Ends and values in the middle, which still pass gradients on to the ends before them.
    Set<Tensor> targets = new HashSet<>(made.ends());
    targets.addAll(made.pool().subList(made.pool().size() / 2, made.pool().size()));
    GradientCheck.check(
        made.builder(), made.loss(), List.copyOf(targets), made.given(), "seed " + seed);
  }

  @RepeatedTest(value = 30, name = "seed {currentRepetition}")
  void gradients_ofGradients_agreeWithDifferences(RepetitionInfo run) {
    int seed = run.getCurrentRepetition();
    RandomGraph made = RandomGraph.of(DataType.DOUBLE, seed);
    GraphBuilder builder = made.builder();
    List<Tensor> first = Gradients.of(builder, made.loss(), made.ends());
    Tensor squares = builder.constant(0);
    for (int i = 0; i < first.size(); i++) {
      Tensor x = made.ends().get(i);
      squares = builder.add(squares, builder.reduceSum(builder.mul(first.get(i), x), false));
    }
    GradientCheck.check(builder, squares, made.ends(), made.given(), "seed " + seed);
  }

  @Test
  void gradient_ofATensorUsedThreeTimes_addsUp() {
    Tensor x = g.input("x", DataType.DOUBLE);
    Tensor loss = g.add(g.mul(x, x), g.mul(x, 3)); // x^2 + 3x
    GradientCheck.check(g, loss, List.of(x), Map.of("x", PlainArray.scalar(5)), "x^2 + 3x");
  }

  @Test
  void gradient_ofTheLossItself_isOne() {
    Tensor x = g.input("x", DataType.DOUBLE);
    Tensor loss = g.mul(x, x);
    List<Tensor> gradients = Gradients.of(g, loss, List.of(loss, x));
    assertThat(gradients.getFirst().filledWith(1)).isTrue();
    assertThat(gradients.getFirst().shape()).isEqualTo(Shape.SCALAR);
    assertThat(gradients).hasSize(2);
  }

  @Test
  void gradient_ofUnusedSplitParts_isZeroThere() {
    Tensor x = g.input("x", DataType.DOUBLE, Dim.of("B"), Dim.of(6));
    List<Tensor> parts = g.split(x, 1, List.of(1L, 2L, 3L));
    Tensor loss = g.reduceSum(g.mul(parts.get(1), parts.get(1)), false);
    PlainArray value = PlainArray.of(new int[] {2, 6}, i -> 1 + i[0] - 0.5 * i[1]);
    GradientCheck.check(g, loss, List.of(x, parts.get(1)), Map.of("x", value), "split");
  }

  @Test
  void gradients_doNotGrowWithPathsThatReachNoTarget() {
    Tensor x = g.input("x", DataType.DOUBLE, Dim.of(3));
    Tensor other = g.input("other", DataType.DOUBLE, Dim.of(3));
    Tensor heavy = g.apply(new Op.Tanh(), g.apply(new Op.Exp(), other));
    Tensor loss = g.reduceSum(g.add(x, heavy), false);
    List<Tensor> all = new ArrayList<>(Gradients.of(g, loss, List.of(x)));
    all.add(loss);
    // The other branch is computed once, and has no gradient, which would be products.
    assertThat(g.nodesFor(all))
        .extracting(n -> n.op().getClass().getSimpleName())
        .containsOnlyOnce("Tanh", "Exp")
        .doesNotContain("Mul");
  }

  @Test
  void loss_notAScalar_isRefused() {
    Tensor x = g.input("x", DataType.DOUBLE, Dim.of(3));
    assertThatThrownBy(() -> Gradients.of(g, x, List.of(x)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the loss is a scalar, not x DOUBLE[3]");
  }

  @Test
  void loss_ofWholeNumbers_isRefused() {
    Tensor x = g.input("x", DataType.INT64);
    assertThatThrownBy(() -> Gradients.of(g, x, List.of(x)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the loss is a floating-point number, not x INT64[]");
  }

  @Test
  void target_notReached_isNamed() {
    Tensor x = g.input("x", DataType.DOUBLE);
    Tensor y = g.input("y", DataType.DOUBLE, Dim.of("B"));
    assertThatThrownBy(() -> Gradients.of(g, g.mul(x, x), List.of(x, y)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the loss does not depend on y DOUBLE[B] in a differentiable way");
  }

  @Test
  void target_reachedThroughIdsAlone_isNamed() {
    Tensor rows = g.parameter("rows", Shape.of(4, 2));
    Tensor slots = g.input("slots", DataType.INT32, Dim.of("B"));
    Tensor loss = g.reduceSum(g.gather(rows, slots), false);
    assertThatThrownBy(() -> Gradients.of(g, loss, List.of(rows, slots)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the loss does not depend on slots INT32[B] in a differentiable way");
  }

  @Test
  void target_ofAnotherGraph_isNamed() {
    Tensor stranger = new GraphBuilder("other", DataType.DOUBLE).input("s", DataType.DOUBLE);
    Tensor x = g.input("x", DataType.DOUBLE);
    assertThatThrownBy(() -> Gradients.of(g, g.mul(x, x), List.of(stranger)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the loss does not depend on s DOUBLE[] in a differentiable way");
  }
}
