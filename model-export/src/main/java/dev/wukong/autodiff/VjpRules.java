package dev.wukong.autodiff;

import dev.wukong.graph.DataType;
import dev.wukong.graph.Dim;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Node;
import dev.wukong.graph.Op;
import dev.wukong.graph.Shape;
import dev.wukong.graph.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The table of gradient rules: one case an operator, no default, so that an operator without a rule
 * does not compile. A rule may return a gradient of the broadcast shape: {@link Gradients} sums it
 * to the input's. Rules are built of operators that have rules themselves.
 */
final class VjpRules {
  private VjpRules() {}

  /**
   * Input gradients of {@code n} given those of its outputs.
   *
   * @param dys by output; null where nothing flows back, but not for all
   * @param wanted by input: whether its gradient is needed; rules skip the work for others where it
   *     is much
   * @return by input; null where none flows (ids, conditions)
   */
  static List<@Nullable Tensor> vjp(
      GraphBuilder g, Node n, List<@Nullable Tensor> dys, boolean[] wanted) {
    return switch (n.op()) {
      case Op.Constant _ -> List.of();
      case Op.Add() -> flow(dy(n, dys), dy(n, dys));
      case Op.Sub() -> flow(dy(n, dys), wanted[1] ? g.neg(dy(n, dys)) : null);
      case Op.Mul() ->
          flow(
              wanted[0] ? g.mul(dy(n, dys), n.in(1)) : null,
              wanted[1] ? g.mul(dy(n, dys), n.in(0)) : null);
      case Op.Div() -> {
        Tensor dx = g.div(dy(n, dys), n.in(1));
        yield flow(dx, wanted[1] ? g.neg(g.mul(dx, n.out())) : null);
      }
      // On a tie the first input takes the gradient.
      case Op.Max() -> choose(g, g.apply(new Op.Greater(), n.in(1), n.in(0)), dy(n, dys));
      case Op.Min() -> choose(g, g.apply(new Op.Greater(), n.in(0), n.in(1)), dy(n, dys));
      case Op.Greater(), Op.Equal(), Op.Not(), Op.Sign(), Op.Count _ -> none(n);
      case Op.Neg() -> flow(g.neg(dy(n, dys)));
      case Op.Abs() -> flow(g.mul(dy(n, dys), g.apply(new Op.Sign(), n.in(0))));
      case Op.Exp() -> flow(g.mul(dy(n, dys), n.out()));
      case Op.Log() -> flow(g.div(dy(n, dys), n.in(0)));
      case Op.Sqrt() -> flow(g.div(g.mul(dy(n, dys), 0.5), n.out()));
      case Op.Reciprocal() -> flow(g.neg(g.mul(dy(n, dys), g.mul(n.out(), n.out()))));
      // The output is never negative, so its sign is 1 exactly where the input passed.
      // As a product with 0 or 1: selecting by condition costs the CPU provider five times as much.
      case Op.Relu() ->
          flow(g.mul(dy(n, dys), g.cast(g.cast(n.out(), DataType.BOOL), n.out().type())));
      case Op.Sigmoid() -> flow(g.mul(dy(n, dys), g.mul(n.out(), oneMinus(g, n.out()))));
      case Op.Tanh() -> flow(g.mul(dy(n, dys), oneMinus(g, g.mul(n.out(), n.out()))));
      case Op.Softplus() -> flow(g.mul(dy(n, dys), g.apply(new Op.Sigmoid(), n.in(0))));
      case Op.Cast _ ->
          n.in(0).type().floating() ? flow(g.cast(dy(n, dys), n.in(0).type())) : none(n);
      case Op.Where() -> {
        Tensor zero = g.constant(0, dy(n, dys).type());
        yield flow(
            null,
            wanted[1] ? g.where(n.in(0), dy(n, dys), zero) : null,
            wanted[2] ? g.where(n.in(0), zero, dy(n, dys)) : null);
      }
      case Op.MatMul() -> matMul(g, n.in(0), n.in(1), dy(n, dys), wanted);
      case Op.Gemm(var transA, var transB) -> gemm(g, n, transA, transB, dy(n, dys), wanted);
      case Op.ReduceSum(var axes, var _) ->
          flow(g.expandLike(kept(g, n, axes, dy(n, dys)), n.in(0)));
      case Op.ReduceMean(var axes, var _) -> {
        List<Integer> reduced = reducedAxes(n.in(0).shape(), axes);
        Tensor mean = g.div(kept(g, n, axes, dy(n, dys)), g.apply(new Op.Count(reduced), n.in(0)));
        yield flow(g.expandLike(mean, n.in(0)));
      }
      case Op.Softmax(var axis) -> {
        Tensor weighted = g.mul(dy(n, dys), n.out());
        Tensor sum = g.reduceSum(weighted, true, axis);
        yield flow(g.sub(weighted, g.mul(n.out(), sum)));
      }
      case Op.LayerNormalization _ -> layerNormalization(g, n, dys, wanted);
      case Op.Reshape _ -> flow(g.reshape(dy(n, dys), n.in(0).shape()));
      case Op.Transpose(var perm) -> {
        Integer[] inverse = new Integer[perm.size()];
        for (int i = 0; i < inverse.length; i++) {
          inverse[perm.get(i)] = i;
        }
        yield flow(g.transpose(dy(n, dys), inverse));
      }
      case Op.Concat(var axis) ->
          new ArrayList<>(
              g.split(dy(n, dys), axis, n.inputs().stream().map(x -> x.dim(axis).size()).toList()));
      case Op.Split(var axis, var _) -> flow(g.concat(axis, filled(g, n, dys)));
      case Op.ExpandLike() -> flow(dy(n, dys), null);
      case Op.Gather() -> flow(g.apply(new Op.ScatterAdd(), n.in(0), n.in(1), dy(n, dys)), null);
      case Op.ScatterAdd() -> flow(null, null, g.gather(dy(n, dys), n.in(1)));
      case Op.Scan _ ->
          throw new IllegalArgumentException(
              n.name()
                  + ": Scan is not differentiable: differentiate its body and build the Scan"
                  + " around the gradients");
    };
  }

  private static List<@Nullable Tensor> matMul(
      GraphBuilder g, Tensor a, Tensor b, Tensor dy, boolean[] wanted) {
    if (a.rank() == 2 && b.rank() == 2) {
      return flow(
          wanted[0] ? g.gemm(dy, false, b, true) : null,
          wanted[1] ? g.gemm(a, true, dy, false) : null);
    }
    // Weights on the right: one product over all rows rather than a batch of small ones.
    if (b.rank() == 2) {
      return flow(
          wanted[0] ? g.matMul(dy, g.transposeLast(b)) : null,
          wanted[1] ? g.gemm(rows(g, a), true, rows(g, dy), false) : null);
    }
    return flow(
        wanted[0] ? g.matMul(dy, g.transposeLast(b)) : null,
        wanted[1] ? g.matMul(g.transposeLast(a), dy) : null);
  }

  private static List<@Nullable Tensor> gemm(
      GraphBuilder g, Node n, boolean transA, boolean transB, Tensor dy, boolean[] wanted) {
    Tensor a = n.in(0);
    Tensor b = n.in(1);
    List<@Nullable Tensor> result = new ArrayList<>();
    result.add(
        !wanted[0] ? null : transA ? g.gemm(b, transB, dy, true) : g.gemm(dy, false, b, !transB));
    result.add(
        !wanted[1] ? null : transB ? g.gemm(dy, true, a, transA) : g.gemm(a, !transA, dy, false));
    if (n.inputs().size() == 3) {
      result.add(dy);
    }
    return result;
  }

  private static List<@Nullable Tensor> layerNormalization(
      GraphBuilder g, Node n, List<@Nullable Tensor> dys, boolean[] wanted) {
    Tensor x = n.in(0);
    Tensor scale = n.in(1);
    Tensor inverse = n.out(2);
    @Nullable Tensor dy = dys.get(0);
    @Nullable Tensor dMean = dys.get(1);
    @Nullable Tensor dInverse = dys.get(2);
    boolean plain = scale.filledWith(1) && n.in(2).filledWith(0);
    Tensor normal = plain ? n.out() : g.mul(g.sub(x, n.out(1)), inverse);
    List<Tensor> dx = new ArrayList<>();
    if (wanted[0] && dy != null) {
      Tensor d = plain ? dy : g.mul(dy, scale);
      Tensor centred = g.sub(d, g.reduceMean(d, true, -1));
      Tensor along = g.reduceMean(g.mul(d, normal), true, -1);
      dx.add(g.mul(g.sub(centred, g.mul(normal, along)), inverse));
    }
    // The statistics have gradients where a gradient is itself differentiated.
    if (wanted[0] && dMean != null) {
      dx.add(g.div(dMean, g.apply(new Op.Count(List.of(-1)), x)));
    }
    if (wanted[0] && dInverse != null) {
      Tensor d =
          g.div(g.mul(dInverse, g.mul(inverse, inverse)), g.apply(new Op.Count(List.of(-1)), x));
      dx.add(g.neg(g.mul(d, normal)));
    }
    return flow(
        dx.stream().map(d -> g.expandLike(d, x)).reduce(g::add).orElse(null),
        wanted[1] && dy != null ? g.mul(dy, normal) : null,
        dy);
  }

  /** {@code x} as a matrix of its last axis. */
  private static Tensor rows(GraphBuilder g, Tensor x) {
    return g.reshape(x, x.shape().slice(0, x.rank() - 1).elements(), x.dim(-1));
  }

  /** {@code dy} of a reduction with the reduced axes kept as 1. */
  private static Tensor kept(GraphBuilder g, Node n, List<Integer> axes, Tensor dy) {
    Shape shape = n.in(0).shape();
    for (int axis : reducedAxes(shape, axes)) {
      shape = shape.with(axis, Dim.of(1));
    }
    return g.reshape(dy, shape);
  }

  private static List<Integer> reducedAxes(Shape shape, List<Integer> axes) {
    List<Integer> result = new ArrayList<>();
    for (int i = 0; i < shape.rank(); i++) {
      if (axes.isEmpty() || axes.contains(i) || axes.contains(i - shape.rank())) {
        result.add(i);
      }
    }
    return result;
  }

  private static List<Tensor> filled(GraphBuilder g, Node n, List<@Nullable Tensor> dys) {
    List<Tensor> result = new ArrayList<>();
    for (int i = 0; i < dys.size(); i++) {
      @Nullable Tensor dy = dys.get(i);
      Tensor part = n.out(i);
      result.add(dy != null ? dy : g.expandLike(g.constant(0, part.type()), part));
    }
    return result;
  }

  private static List<@Nullable Tensor> choose(GraphBuilder g, Tensor second, Tensor dy) {
    Tensor zero = g.constant(0, dy.type());
    return flow(g.where(second, zero, dy), g.where(second, dy, zero));
  }

  private static Tensor oneMinus(GraphBuilder g, Tensor x) {
    return g.sub(g.constant(1, x.type()), x);
  }

  private static Tensor dy(Node n, List<@Nullable Tensor> dys) {
    Tensor dy = dys.getFirst();
    if (dy == null) {
      throw new IllegalArgumentException(n.name() + ": its first output has no gradient");
    }
    return dy;
  }

  private static List<@Nullable Tensor> none(Node n) {
    return flow(new @Nullable Tensor[n.inputs().size()]);
  }

  private static List<@Nullable Tensor> flow(@Nullable Tensor... dxs) {
    return Arrays.asList(dxs);
  }
}
