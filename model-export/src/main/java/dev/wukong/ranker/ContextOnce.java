package dev.wukong.ranker;

import dev.wukong.data.InputNames;
import dev.wukong.graph.DataType;
import dev.wukong.graph.Dim;
import dev.wukong.graph.Graph;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Node;
import dev.wukong.graph.Op;
import dev.wukong.graph.Shape;
import dev.wukong.graph.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A predict graph in which what depends on the context alone is computed once a context [R, ...],
 * not once a candidate [B, ...]: of every ranker, since its builder need not know.
 *
 * <p>The graph repeats a context's value for each of its candidates by a lookup with {@code
 * context_of}. This lookup is put off as long as operators treat rows apart. Where a context's
 * values lie beside a candidate's, a linear map is taken apart: W (x, y) is W₁ x, once a context,
 * and W₂ y; so are a field's products with fields (x xᵀ once a context) and sums. The function
 * stays the same but for the order of sums.
 */
final class ContextOnce {
  /**
   * What became of a tensor of the graph before. Each is made for all candidates only where used.
   */
  private sealed interface Value {}

  /** It is there as it was. */
  private record Whole(Tensor tensor) implements Value {}

  /** Once a context: [R, ...], to be repeated for its candidates. */
  private record Repeated(Tensor once) implements Value {}

  /** Values side by side on {@code axis} (1 or more), some of them once a context. */
  private record Joined(int axis, List<Value> parts) implements Value {}

  /** A sum of a candidate's own [B, ...] and of its context's [R, ...]. */
  private record Sum(Tensor own, Tensor once) implements Value {}

  private final GraphBuilder g;
  private final Tensor contextOf;
  private final Map<Tensor, Value> values = new HashMap<>();
  private final Map<Value, Tensor> whole = new HashMap<>();

  private ContextOnce(GraphBuilder g, Tensor contextOf) {
    this.g = g;
    this.contextOf = contextOf;
  }

  /** {@code graph} rewritten; as it is where it has no contexts. */
  static Graph of(Graph graph, DataType type) {
    GraphBuilder g = new GraphBuilder(graph.name(), type);
    Map<Tensor, Tensor> ends = new HashMap<>();
    @Nullable Tensor contextOf = null;
    for (Tensor input : graph.inputs()) {
      Tensor end = g.input(input.name(), input.type(), input.shape().dims().toArray(Dim[]::new));
      ends.put(input, end);
      contextOf = input.name().equals(InputNames.CONTEXT_OF) ? end : contextOf;
    }
    if (contextOf == null) {
      return graph;
    }
    for (Tensor weight : graph.parameters()) {
      ends.put(weight, g.parameter(weight.name(), weight.shape(), weight.type()));
    }
    ContextOnce rewritten = new ContextOnce(g, contextOf);
    ends.forEach((before, end) -> rewritten.values.put(before, new Whole(end)));
    graph.nodes().forEach(rewritten::add);
    graph.outputs().forEach((name, tensor) -> g.output(name, rewritten.tensor(tensor)));
    return g.build();
  }

  private void add(Node node) {
    int scope = node.name().lastIndexOf('/');
    try (var _ = g.scope(node.name().substring(0, Math.max(0, scope)))) {
      List<Value> in = node.inputs().stream().map(this::value).toList();
      Optional<Value> apart = apart(node, in);
      if (apart.isPresent()) {
        values.put(node.out(), apart.get());
      } else if (RowsApart.of(node.op(), in.stream().map(ContextOnce::seen).toList())) {
        put(node, apply(node, in, true), true);
      } else {
        put(node, apply(node, in, false), false);
      }
    }
  }

  private void put(Node node, List<Tensor> out, boolean once) {
    for (int i = 0; i < out.size(); i++) {
      values.put(node.out(i), once ? new Repeated(out.get(i)) : new Whole(out.get(i)));
    }
  }

  private List<Tensor> apply(Node node, List<Value> in, boolean once) {
    if (node.op() instanceof Op.Constant(var data)) {
      return List.of(g.constant(data));
    }
    Tensor[] tensors =
        in.stream()
            .map(v -> once && v instanceof Repeated(var tensor) ? tensor : tensor(v))
            .toArray(Tensor[]::new);
    Op op =
        once && node.op() instanceof Op.Reshape(var shape)
            ? new Op.Reshape(shape.with(0, tensors[0].dim(0)))
            : node.op();
    return g.applyAll(op, tensors);
  }

  /** The operators for which something once a context is more than another row. */
  private Optional<Value> apart(Node node, List<Value> in) {
    return switch (node.op()) {
      case Op.Gather() when tensorIs(in.get(1), contextOf) && in.get(0) instanceof Whole(var x) ->
          Optional.of(new Repeated(x));
      case Op.Concat(int axis) when axis > 0 && mixed(in) ->
          Optional.of(new Joined(axis, flat(in, axis)));
      case Op.Cast(var to) when in.getFirst() instanceof Joined(var axis, var parts) ->
          Optional.of(
              new Joined(axis, parts.stream().map(p -> each(p, x -> g.cast(x, to))).toList()));
      case Op.Concat(int axis) when axis > 0 && in.stream().allMatch(v -> v instanceof Sum) -> {
        List<Sum> sums = in.stream().map(Sum.class::cast).toList();
        yield Optional.of(
            new Sum(
                g.concat(axis, sums.stream().map(Sum::own).toList()),
                g.concat(axis, sums.stream().map(Sum::once).toList())));
      }
      case Op.Reshape(var shape)
          when in.getFirst() instanceof Sum(var own, var once)
              && shape.rank() > 0
              && shape.dim(0).equals(contextOf.dim(0)) ->
          Optional.of(new Sum(g.reshape(own, shape), g.reshape(once, shape.with(0, once.dim(0)))));
      case Op.Reshape(var shape) when in.getFirst() instanceof Joined joined ->
          reshaped(joined, shape);
      case Op.Transpose(var perm)
          when in.getFirst() instanceof Joined(var axis, var parts) && perm.getFirst() == 0 ->
          Optional.of(
              new Joined(
                  perm.indexOf(axis),
                  parts.stream()
                      .map(p -> each(p, x -> g.transpose(x, perm.toArray(Integer[]::new))))
                      .toList()));
      case Op.MatMul() -> product(in.get(0), in.get(1));
      case Op.Gemm gemm
          when in.get(0) instanceof Joined joined
              && mixed(joined)
              && !gemm.transA()
              && in.get(1) instanceof Whole(var weight) ->
          product(gemm, halves(joined, weight, gemm.transB() ? 1 : 0), in);
      case Op.Gemm gemm
          when in.get(0) instanceof Sum(var own, var once)
              && !gemm.transA()
              && in.get(1) instanceof Whole(var weight) ->
          product(gemm, new Halves(once, weight, own, weight), in);
      case Op.Add() -> sum(in.get(0), in.get(1)).or(() -> sum(in.get(1), in.get(0)));
      case Op.ReduceSum(var axes, var keep)
          when in.getFirst() instanceof Joined joined && over(joined, axes) ->
          Optional.of(sum(joined, axes, keep));
      default -> Optional.empty();
    };
  }

  private Value value(Tensor before) {
    Value value = values.get(before);
    if (value == null) {
      throw new IllegalStateException(before + " is used before it is made");
    }
    return value;
  }

  private Tensor tensor(Tensor before) {
    return tensor(value(before));
  }

  /** The value for every candidate; made once. */
  private Tensor tensor(Value value) {
    if (value instanceof Whole(var tensor)) {
      return tensor;
    }
    Tensor known = whole.get(value);
    if (known == null) {
      known =
          switch (value) {
            case Whole(var tensor) -> tensor;
            case Repeated(var once) -> g.gather(once, contextOf);
            case Sum(var own, var once) -> g.add(own, g.gather(once, contextOf));
            case Joined(var axis, var parts) ->
                g.concat(axis, parts.stream().map(this::tensor).toList());
          };
      whole.put(value, known);
    }
    return known;
  }

  private static boolean tensorIs(Value value, Tensor tensor) {
    return value instanceof Whole(var own) && own == tensor;
  }

  private static RowsApart.Input seen(Value value) {
    return switch (value) {
      case Repeated(var once) -> new RowsApart.Input(once.shape(), true);
      case Whole(var tensor) -> new RowsApart.Input(tensor.shape(), false);
      case Sum(var own, _) -> new RowsApart.Input(own.shape(), false);
      case Joined(_, var parts) -> new RowsApart.Input(seen(parts.getFirst()).shape(), false);
    };
  }

  /** Whether a linear map of it has a part that is once a context, and one that is not. */
  private static boolean mixed(Joined joined) {
    return joined.parts().stream().anyMatch(part -> part instanceof Repeated)
        && !joined.parts().stream().allMatch(part -> part instanceof Repeated);
  }

  private static boolean mixed(List<Value> in) {
    return in.stream().anyMatch(v -> v instanceof Repeated || v instanceof Joined)
        && !in.stream().allMatch(v -> v instanceof Repeated);
  }

  private static List<Value> flat(List<Value> in, int axis) {
    List<Value> parts = new ArrayList<>();
    for (Value value : in) {
      if (value instanceof Joined(var on, var own) && on == axis) {
        parts.addAll(own);
      } else {
        parts.add(value);
      }
    }
    return parts;
  }

  /** {@code map}, which works on every row alike, of what is there of a part. */
  private Value each(Value part, UnaryOperator<Tensor> map) {
    return part instanceof Repeated(var once)
        ? new Repeated(map.apply(once))
        : new Whole(map.apply(tensor(part)));
  }

  /** The part's tensor, [R, ...] or [B, ...]. */
  private Tensor own(Value part) {
    return part instanceof Repeated(var once) ? once : tensor(part);
  }

  /** [B, n, d] to [B, n d] or back, where no value goes from one part to another. */
  private Optional<Value> reshaped(Joined joined, Shape shape) {
    if (joined.axis() != 1
        || shape.rank() < 2
        || !shape.dim(0).equals(contextOf.dim(0))
        || !fixed(shape.slice(1, shape.rank()))) {
      return Optional.empty();
    }
    long rest = shape.slice(2, shape.rank()).elements().size();
    List<Value> parts = new ArrayList<>();
    for (Value part : joined.parts()) {
      Shape own = own(part).shape();
      long elements = own.slice(1, own.rank()).elements().size();
      if (elements % rest != 0) {
        return Optional.empty();
      }
      parts.add(
          each(part, x -> g.reshape(x, shape.with(1, Dim.of(elements / rest)).with(0, x.dim(0)))));
    }
    return Optional.of(new Joined(1, parts));
  }

  private Optional<Value> product(Value a, Value b) {
    if (a instanceof Whole(var weight)
        && fixed(weight.shape())
        && weight.rank() == 2
        && b instanceof Joined joined
        && mixed(joined)
        && joined.axis() == 1
        && own(joined.parts().getFirst()).rank() == 3) {
      Halves halves = halves(joined, weight, 1);
      return Optional.of(
          new Sum(
              g.matMul(halves.eachWeight(), halves.each()),
              g.matMul(halves.onceWeight(), halves.once())));
    }
    if (a instanceof Joined rows
        && rows.axis() == 1
        && b instanceof Joined columns
        && columns.axis() == 2
        && own(rows.parts().getFirst()).rank() == 3) {
      return Optional.of(
          new Joined(1, rows.parts().stream().map(row -> products(row, columns)).toList()));
    }
    return Optional.empty();
  }

  /** x yᵀ of one part with all. */
  private Value products(Value row, Joined columns) {
    if (!(row instanceof Repeated(var once))) {
      return new Whole(g.matMul(tensor(row), tensor(columns)));
    }
    return new Joined(
        2,
        columns.parts().stream()
            .<Value>map(
                column ->
                    column instanceof Repeated(var other)
                        ? new Repeated(g.matMul(once, other))
                        : new Whole(g.matMul(tensor(row), tensor(column))))
            .toList());
  }

  /** The context's part takes the bias and becomes what a candidate's part is added to. */
  private Optional<Value> product(Op.Gemm gemm, Halves halves, List<Value> in) {
    if (!in.stream()
        .skip(1)
        .allMatch(x -> x instanceof Whole(var tensor) && fixed(tensor.shape()))) {
      return Optional.empty();
    }
    Tensor once =
        in.size() == 2
            ? g.gemm(halves.once(), false, halves.onceWeight(), gemm.transB())
            : g.gemm(
                halves.once(), false, halves.onceWeight(), gemm.transB(), tensor(in.getLast()));
    Tensor all = g.gather(once, contextOf);
    return Optional.of(
        new Whole(g.gemm(halves.each(), false, halves.eachWeight(), gemm.transB(), all)));
  }

  private Optional<Value> sum(Value a, Value b) {
    if (!(a instanceof Sum(var own, var once))) {
      return Optional.empty();
    }
    return switch (b) {
      case Sum(var own2, var once2) when same(own, own2) ->
          Optional.of(new Sum(g.add(own, own2), g.add(once, once2)));
      case Whole(var tensor) when same(own, tensor) ->
          Optional.of(new Sum(g.add(own, tensor), once));
      default -> Optional.empty();
    };
  }

  private static boolean same(Tensor a, Tensor b) {
    return a.shape().equals(b.shape());
  }

  /** What is once a context and what is a candidate's own, each with its part of a weight. */
  private record Halves(Tensor once, Tensor onceWeight, Tensor each, Tensor eachWeight) {}

  private Halves halves(Joined joined, Tensor weight, int axis) {
    List<Long> sizes = joined.parts().stream().map(p -> own(p).dim(joined.axis()).size()).toList();
    List<Tensor> weights = g.split(weight, axis, sizes);
    List<Tensor> once = new ArrayList<>();
    List<Tensor> onceWeights = new ArrayList<>();
    List<Tensor> each = new ArrayList<>();
    List<Tensor> eachWeights = new ArrayList<>();
    for (int i = 0; i < sizes.size(); i++) {
      boolean repeated = joined.parts().get(i) instanceof Repeated;
      (repeated ? once : each).add(own(joined.parts().get(i)));
      (repeated ? onceWeights : eachWeights).add(weights.get(i));
    }
    return new Halves(
        g.concat(joined.axis(), once),
        g.concat(axis, onceWeights),
        g.concat(joined.axis(), each),
        g.concat(axis, eachWeights));
  }

  /** Whether a sum over {@code axes} goes over the parts, and within rows. */
  private boolean over(Joined joined, List<Integer> axes) {
    Shape shape = own(joined.parts().getFirst()).shape();
    return axes.stream().anyMatch(axis -> shape.axis(axis) == joined.axis())
        && axes.stream().allMatch(axis -> shape.axis(axis) > 0);
  }

  private Value sum(Joined joined, List<Integer> axes, boolean keep) {
    Integer[] over = axes.toArray(Integer[]::new);
    Tensor sum = null;
    for (Value part : joined.parts()) {
      Tensor own = tensor(each(part, x -> g.reduceSum(x, keep, over)));
      sum = sum == null ? own : g.add(sum, own);
    }
    return new Whole(Objects.requireNonNull(sum));
  }

  private static boolean fixed(Shape shape) {
    return shape.dims().stream().allMatch(Dim::fixed);
  }
}
