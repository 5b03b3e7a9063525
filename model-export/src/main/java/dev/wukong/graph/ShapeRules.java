package dev.wukong.graph;

import java.util.ArrayList;
import java.util.List;

/** What an operator's outputs look like: one case an operator, no default. */
final class ShapeRules {
  /** Type and shape of one output. */
  record Typed(DataType type, Shape shape) {}

  private ShapeRules() {}

  /**
   * The outputs of {@code op} on {@code in}.
   *
   * @throws IllegalArgumentException where the inputs do not fit the operator
   */
  static List<Typed> infer(Op op, List<Tensor> in) {
    return switch (op) {
      case Op.Constant(var value) -> one(value.type(), value.shape());
      case Op.Add(), Op.Sub(), Op.Mul(), Op.Div(), Op.Max(), Op.Min() ->
          one(same(op, in, 2).type(), in.get(0).shape().broadcast(in.get(1).shape()));
      case Op.Greater(), Op.Equal() -> {
        same(op, in, 2);
        yield one(DataType.BOOL, in.get(0).shape().broadcast(in.get(1).shape()));
      }
      case Op.Abs(), Op.Sign(), Op.Neg() -> unary(op, in);
      case Op.Exp(),
          Op.Log(),
          Op.Sqrt(),
          Op.Reciprocal(),
          Op.Relu(),
          Op.Sigmoid(),
          Op.Tanh(),
          Op.Softplus() -> {
        floating(op, count(op, in, 1).getFirst());
        yield unary(op, in);
      }
      case Op.Not() -> {
        require(op, count(op, in, 1).getFirst().type() == DataType.BOOL, "a bool input", in);
        yield unary(op, in);
      }
      case Op.Cast(var to) -> one(to, count(op, in, 1).getFirst().shape());
      case Op.Where() -> {
        count(op, in, 3);
        require(op, in.get(0).type() == DataType.BOOL, "a bool condition", in);
        require(op, in.get(1).type() == in.get(2).type(), "branches of one type", in);
        yield one(
            in.get(1).type(),
            in.get(0).shape().broadcast(in.get(1).shape().broadcast(in.get(2).shape())));
      }
      case Op.MatMul() -> {
        same(op, in, 2);
        yield one(in.get(0).type(), matMul(op, in));
      }
      case Op.Gemm gemm -> one(in.get(0).type(), gemm(gemm, in));
      case Op.ReduceSum(var axes, var keep) ->
          one(floating(op, count(op, in, 1).getFirst()), reduce(in.getFirst().shape(), axes, keep));
      case Op.ReduceMean(var axes, var keep) ->
          one(floating(op, count(op, in, 1).getFirst()), reduce(in.getFirst().shape(), axes, keep));
      case Op.Softmax(var axis) -> {
        in.getFirst().shape().axis(axis);
        floating(op, in.getFirst());
        yield unary(op, in);
      }
      case Op.LayerNormalization _ -> {
        Tensor x = same(op, in, 3);
        Shape width = Shape.of(x.dim(-1));
        require(
            op,
            in.get(1).shape().equals(width) && in.get(2).shape().equals(width),
            "scale and bias of shape " + width,
            in);
        Shape statistics = x.shape().with(-1, Dim.of(1));
        yield List.of(
            new Typed(x.type(), x.shape()),
            new Typed(x.type(), statistics),
            new Typed(x.type(), statistics));
      }
      case Op.Reshape(var shape) -> {
        Tensor x = count(op, in, 1).getFirst();
        require(
            op, shape.elements().equals(x.shape().elements()), "as many elements as " + shape, in);
        yield one(x.type(), shape);
      }
      case Op.Transpose(var perm) -> {
        Tensor x = count(op, in, 1).getFirst();
        require(
            op,
            perm.stream().sorted().toList().equals(range(x.rank())),
            "a permutation of its axes",
            in);
        yield one(x.type(), new Shape(perm.stream().map(x::dim).toList()));
      }
      case Op.Concat(var axis) -> {
        Shape joined = concat(op, in, axis);
        yield one(in.getFirst().type(), joined);
      }
      case Op.Split(var axis, var sizes) -> {
        Tensor x = count(op, in, 1).getFirst();
        long sum = sizes.stream().mapToLong(Long::longValue).sum();
        require(op, x.dim(axis).equals(Dim.of(sum)), "an axis " + axis + " of " + sum, in);
        yield sizes.stream()
            .map(n -> new Typed(x.type(), x.shape().with(axis, Dim.of(n))))
            .toList();
      }
      case Op.ExpandLike() -> {
        count(op, in, 2);
        Shape like = in.get(1).shape();
        require(
            op,
            in.get(0).shape().broadcast(like).equals(like),
            "a first input that broadcasts to the second",
            in);
        yield one(in.get(0).type(), like);
      }
      case Op.Count(var axes) -> {
        axes.forEach(count(op, in, 1).getFirst().shape()::axis);
        yield one(floating(op, in.getFirst()), Shape.SCALAR);
      }
      case Op.Gather() -> {
        count(op, in, 2);
        index(op, in.get(1));
        Shape data = in.get(0).shape();
        require(op, data.rank() > 0, "data of rank 1 or more", in);
        yield one(in.get(0).type(), in.get(1).shape().concat(data.slice(1, data.rank())));
      }
      case Op.ScatterAdd() -> {
        count(op, in, 3);
        index(op, in.get(1));
        Shape like = in.get(0).shape();
        require(op, like.rank() > 0, "a first input of rank 1 or more", in);
        Shape updates = in.get(1).shape().concat(like.slice(1, like.rank()));
        require(op, in.get(2).shape().equals(updates), "updates of shape " + updates, in);
        yield one(in.get(2).type(), like);
      }
      case Op.Scan scan -> ScanRules.infer(scan, in);
    };
  }

  private static Shape matMul(Op op, List<Tensor> in) {
    Shape a = in.get(0).shape();
    Shape b = in.get(1).shape();
    require(op, a.rank() >= 2 && b.rank() >= 2, "inputs of rank 2 or more", in);
    require(op, a.dim(-1).equals(b.dim(-2)), "equal inner dimensions", in);
    Shape batch = a.slice(0, a.rank() - 2).broadcast(b.slice(0, b.rank() - 2));
    return batch.concat(Shape.of(a.dim(-2), b.dim(-1)));
  }

  private static Shape gemm(Op.Gemm gemm, List<Tensor> in) {
    require(gemm, in.size() == 2 || in.size() == 3, "two or three inputs", in);
    same(gemm, in, in.size());
    require(gemm, in.get(0).rank() == 2 && in.get(1).rank() == 2, "matrices", in);
    Dim m = in.get(0).dim(gemm.transA() ? 1 : 0);
    Dim k = in.get(0).dim(gemm.transA() ? 0 : 1);
    Dim n = in.get(1).dim(gemm.transB() ? 0 : 1);
    require(gemm, in.get(1).dim(gemm.transB() ? 1 : 0).equals(k), "equal inner dimensions", in);
    Shape result = Shape.of(m, n);
    require(
        gemm,
        in.size() == 2 || in.get(2).shape().broadcast(result).equals(result),
        "C that broadcasts to " + result,
        in);
    return result;
  }

  private static Shape concat(Op op, List<Tensor> in, int axis) {
    require(op, !in.isEmpty(), "one input or more", in);
    Tensor first = same(op, in, in.size());
    require(
        op,
        in.size() == 1 || in.stream().allMatch(x -> x.dim(axis).fixed()),
        "fixed sizes on axis " + axis,
        in);
    if (in.size() == 1) {
      return first.shape();
    }
    Dim sum = Dim.of(0);
    for (Tensor x : in) {
      require(
          op,
          x.rank() == first.rank() && x.shape().without(axis).equals(first.shape().without(axis)),
          "equal other axes",
          in);
      sum = Dim.of(sum.size() + x.dim(axis).size());
    }
    return first.shape().with(axis, sum);
  }

  private static Shape reduce(Shape shape, List<Integer> axes, boolean keep) {
    List<Integer> reduced =
        axes.isEmpty() ? range(shape.rank()) : axes.stream().map(shape::axis).toList();
    List<Dim> result = new ArrayList<>();
    for (int i = 0; i < shape.rank(); i++) {
      if (!reduced.contains(i)) {
        result.add(shape.dim(i));
      } else if (keep) {
        result.add(Dim.of(1));
      }
    }
    return new Shape(result);
  }

  static List<Integer> range(int n) {
    return java.util.stream.IntStream.range(0, n).boxed().toList();
  }

  private static List<Typed> one(DataType type, Shape shape) {
    return List.of(new Typed(type, shape));
  }

  private static List<Typed> unary(Op op, List<Tensor> in) {
    Tensor x = count(op, in, 1).getFirst();
    return one(x.type(), x.shape());
  }

  private static List<Tensor> count(Op op, List<Tensor> in, int count) {
    require(op, in.size() == count, count + " inputs", in);
    return in;
  }

  private static Tensor same(Op op, List<Tensor> in, int count) {
    count(op, in, count);
    Tensor first = in.getFirst();
    for (Tensor x : in) {
      require(op, x.type() == first.type(), "inputs of one type", in);
    }
    return first;
  }

  private static DataType floating(Op op, Tensor x) {
    require(op, x.type().floating(), "a floating-point input", List.of(x));
    return x.type();
  }

  private static void index(Op op, Tensor x) {
    require(
        op,
        x.type() == DataType.INT32 || x.type() == DataType.INT64,
        "int32 or int64 indices",
        List.of(x));
  }

  static void require(Op op, boolean holds, String what, List<Tensor> in) {
    if (!holds) {
      throw new IllegalArgumentException(op + " wants " + what + ", has " + in);
    }
  }
}
