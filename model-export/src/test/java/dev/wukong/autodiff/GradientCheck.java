package dev.wukong.autodiff;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.graph.Graph;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.PlainArray;
import dev.wukong.graph.PlainInterpreter;
import dev.wukong.graph.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

/**
 * u·J·v: the change of a scalar along a random direction v of one target at a time, by central
 * differences and by the gradient. The scalar is u·y for random u, so every element of the Jacobian
 * counts.
 */
final class GradientCheck {
  // Four points: the error is of the order of STEP^4 = 1e-12 times a fifth derivative.
  private static final double STEP = 1e-3;
  private static final double TOLERANCE = 1e-7;

  private GradientCheck() {}

  /**
   * Checks and returns the gradients; they become outputs {@code d0}, {@code d1}, ... of the graph,
   * the loss {@code loss}.
   */
  static List<Tensor> check(
      GraphBuilder g,
      Tensor loss,
      List<Tensor> targets,
      Map<String, PlainArray> given,
      String what) {
    List<Tensor> gradients = Gradients.of(g, loss, targets);
    g.output("loss", loss);
    for (int i = 0; i < gradients.size(); i++) {
      assertThat(gradients.get(i).shape()).as(what).isEqualTo(targets.get(i).shape());
      assertThat(gradients.get(i).type()).as(what).isEqualTo(targets.get(i).type());
      g.output("d" + i, gradients.get(i));
    }
    Graph graph = g.build();
    Map<String, PlainArray> result = PlainInterpreter.run(graph, given);
    Random random = new Random(7);
    for (int i = 0; i < targets.size(); i++) {
      PlainArray gradient = Objects.requireNonNull(result.get("d" + i));
      PlainArray v = PlainArray.of(gradient.shape(), _ -> 2 * random.nextDouble() - 1);
      Tensor target = targets.get(i);
      double slope =
          (8 * (loss(graph, given, target, v, STEP) - loss(graph, given, target, v, -STEP))
                  - (loss(graph, given, target, v, 2 * STEP)
                      - loss(graph, given, target, v, -2 * STEP)))
              / (12 * STEP);
      double scale = 1 + Math.abs(slope) + gradient.largest();
      assertThat(gradient.dot(v))
          .as("%s, target %s, gradient %s", what, target, gradient)
          .isCloseTo(slope, within(TOLERANCE * scale));
    }
    return gradients;
  }

  private static double loss(
      Graph graph, Map<String, PlainArray> given, Tensor target, PlainArray v, double step) {
    Map<Tensor, PlainArray> nudge = new HashMap<>();
    nudge.put(target, v.times(step));
    return Objects.requireNonNull(PlainInterpreter.run(graph, given, nudge).get("loss")).at();
  }
}
