package dev.wukong.ranker;

import dev.wukong.graph.Dim;
import dev.wukong.graph.Op;
import dev.wukong.graph.Shape;
import java.util.List;

/**
 * Which operators compute each row (axis 0) from the same row of their inputs alone: they may run
 * before rows are repeated instead of after.
 */
final class RowsApart {
  private RowsApart() {}

  /**
   * An input of an operator.
   *
   * @param repeated whether it would be repeated; others must be of fixed shape
   */
  record Input(Shape shape, boolean repeated) {
    private boolean fixed() {
      return shape.dims().stream().allMatch(Dim::fixed);
    }
  }

  /** Whether {@code op} may run before the rows of its repeated inputs are repeated. */
  static boolean of(Op op, List<Input> in) {
    if (in.stream().noneMatch(Input::repeated)
        || !in.stream().allMatch(x -> x.repeated() || x.fixed())) {
      return false;
    }
    Input first = in.getFirst();
    return switch (op) {
      case Op.Constant _, Op.Count _, Op.ScatterAdd(), Op.Scan _, Op.Gather(), Op.ExpandLike() ->
          false;
      case Op.Add(), Op.Sub(), Op.Mul(), Op.Div(), Op.Max(), Op.Min() -> elementwise(in);
      case Op.Greater(), Op.Equal(), Op.Where() -> elementwise(in);
      case Op.Neg(), Op.Abs(), Op.Sign(), Op.Exp(), Op.Log(), Op.Sqrt(), Op.Reciprocal() -> true;
      case Op.Relu(), Op.Sigmoid(), Op.Tanh(), Op.Softplus(), Op.Not(), Op.Cast _ -> true;
      case Op.MatMul() -> product(first, in.get(1));
      case Op.Gemm gemm ->
          first.repeated()
              && !gemm.transA()
              && !in.get(1).repeated()
              && (in.size() == 2 || in.get(2).repeated() || sameForAll(in.get(2), 2));
      case Op.ReduceSum(var axes, _) -> withinRows(axes, first.shape());
      case Op.ReduceMean(var axes, _) -> withinRows(axes, first.shape());
      case Op.Softmax(int axis) -> first.shape().axis(axis) > 0;
      case Op.LayerNormalization _ ->
          first.repeated()
              && first.shape().rank() > 1
              && in.stream().skip(1).noneMatch(Input::repeated);
      case Op.Reshape(var shape) ->
          shape.rank() > 0
              && !shape.dim(0).fixed()
              && shape.dim(0).factor() == 1
              && shape.slice(1, shape.rank()).dims().stream().allMatch(Dim::fixed);
      case Op.Transpose(var perm) -> perm.getFirst() == 0;
      case Op.Concat(int axis) -> axis > 0 && in.stream().allMatch(Input::repeated);
      case Op.Split(int axis, _) -> axis > 0;
    };
  }

  /** Whether rows meet rows, and everything else is the same for all of them. */
  private static boolean elementwise(List<Input> in) {
    int rank = in.stream().mapToInt(x -> x.shape().rank()).max().orElse(0);
    return in.stream().allMatch(x -> x.repeated() ? x.shape().rank() == rank : sameForAll(x, rank));
  }

  private static boolean withinRows(List<Integer> axes, Shape shape) {
    return !axes.isEmpty() && axes.stream().allMatch(axis -> shape.axis(axis) > 0);
  }

  private static boolean sameForAll(Input x, int rank) {
    return x.shape().rank() < rank || x.shape().dim(0).one();
  }

  private static boolean product(Input a, Input b) {
    int rank = Math.max(a.shape().rank(), b.shape().rank());
    if (a.repeated() && b.repeated()) {
      return a.shape().rank() == b.shape().rank() && rank > 2;
    }
    // Of two matrices the right one is summed over along its rows.
    return a.repeated()
        ? a.shape().rank() == rank && (b.shape().rank() == 2 || sameForAll(b, rank))
        : rank > 2 && b.shape().rank() == rank && (a.shape().rank() == 2 || sameForAll(a, rank));
  }
}
