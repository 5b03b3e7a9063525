package dev.wukong.autodiff;

import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Node;
import dev.wukong.graph.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reverse mode: walks the graph from a scalar back to what it depends on, adding the operators that
 * compute the gradients to the same graph. The rules of single operators are in {@link VjpRules};
 * order, sums, broadcast axes and pruning are here.
 */
public final class Gradients {
  private Gradients() {}

  /**
   * The gradients of {@code loss} with respect to {@code targets}, in their order, each of its
   * target's shape.
   *
   * @param loss a scalar
   * @param targets any tensors of the graph, inputs and parameters or values in between
   * @throws IllegalArgumentException where the loss does not depend on a target, or depends on it
   *     through an operator without gradient
   */
  public static List<Tensor> of(GraphBuilder g, Tensor loss, List<Tensor> targets) {
    if (loss.rank() != 0) {
      throw new IllegalArgumentException("the loss is a scalar, not " + loss);
    }
    if (!loss.type().floating()) {
      throw new IllegalArgumentException("the loss is a floating-point number, not " + loss);
    }
    List<Node> nodes = g.nodesFor(List.of(loss));
    Set<Tensor> active = dependents(nodes, targets);
    Map<Tensor, Tensor> gradients = new HashMap<>();
    gradients.put(loss, g.constant(1, loss.type()));
    for (Node node : nodes.reversed()) {
      List<@Nullable Tensor> dys = new ArrayList<>();
      boolean reached = false;
      for (Tensor out : node.outputs()) {
        @Nullable Tensor dy = active.contains(out) ? gradients.get(out) : null;
        reached |= dy != null;
        dys.add(dy);
      }
      if (!reached || node.inputs().stream().noneMatch(active::contains)) {
        continue;
      }
      boolean[] wanted = new boolean[node.inputs().size()];
      for (int i = 0; i < wanted.length; i++) {
        wanted[i] = active.contains(node.in(i));
      }
      List<@Nullable Tensor> dxs = VjpRules.vjp(g, node, dys, wanted);
      for (int i = 0; i < wanted.length; i++) {
        @Nullable Tensor dx = dxs.get(i);
        if (wanted[i] && dx != null) {
          Tensor in = node.in(i);
          gradients.merge(in, g.sumTo(dx, in.shape()), g::add);
        }
      }
    }
    List<Tensor> result = new ArrayList<>();
    for (Tensor target : targets) {
      Tensor gradient = gradients.get(target);
      if (gradient == null) {
        throw new IllegalArgumentException(
            "the loss does not depend on " + target + " in a differentiable way");
      }
      result.add(gradient);
    }
    return List.copyOf(result);
  }

  /**
   * The tensors that some target reaches. A value in between that is a target still passes
   * gradients on to targets before it.
   */
  private static Set<Tensor> dependents(List<Node> nodes, List<Tensor> targets) {
    Set<Tensor> active = new HashSet<>(targets);
    for (Node node : nodes) {
      if (node.inputs().stream().anyMatch(active::contains)) {
        node.outputs().stream().filter(out -> out.type().floating()).forEach(active::add);
      }
    }
    return active;
  }
}
