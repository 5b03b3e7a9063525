package dev.wukong.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * One operator on random inputs of random shapes, some dimensions symbolic, made from a seed.
 * Values keep away from the points where the operator has no derivative, and are exact in float.
 */
public final class OpCase {
  /** Which each symbol stands for when a case is run. */
  private final Map<String, Integer> symbols;

  private final GraphBuilder g;
  private final Random random;
  private final Map<String, PlainArray> given = new LinkedHashMap<>();
  private final List<Tensor> smooth = new ArrayList<>();
  private final List<Tensor> outputs;

  private OpCase(Class<?> op, DataType type, long seed) {
    this.g = new GraphBuilder("case", type);
    this.random = new Random(seed);
    this.symbols = Map.of("B", 1 + random.nextInt(4), "U", 5 + random.nextInt(4));
    this.outputs = apply(op);
  }

  /**
   * A case of operator {@code op}.
   *
   * @throws AssertionError for an operator without a case: write one
   */
  public static OpCase of(Class<?> op, DataType type, long seed) {
    return new OpCase(op, type, seed);
  }

  public static List<Class<?>> operators() {
    return Arrays.asList(Op.class.getPermittedSubclasses());
  }

  public GraphBuilder builder() {
    return g;
  }

  /** The inputs' values by name. */
  public Map<String, PlainArray> given() {
    return given;
  }

  /** The inputs that the outputs may have a gradient for. */
  public List<Tensor> smooth() {
    return smooth;
  }

  public List<Tensor> outputs() {
    return outputs;
  }

  /** A further input of {@code like}'s shape with random values. */
  public Tensor weightsLike(Tensor like) {
    return input(like.shape(), g.type(), this::uniform);
  }

  private List<Tensor> apply(Class<?> op) {
    return switch (op.getSimpleName()) {
      case "Constant" -> {
        Shape shape = Shape.of(random.longs(random.nextInt(4), 1, 5).toArray());
        DataType type = random.nextBoolean() ? g.type() : pick(DataType.INT32, DataType.BOOL);
        double[] values = random.ints(shape.elements().size(), 0, 2).asDoubleStream().toArray();
        yield List.of(g.constant(new TensorData.Numbers(type, shape, values)));
      }
      case "Add" -> pair(new Op.Add());
      case "Sub" -> pair(new Op.Sub());
      case "Mul" -> pair(new Op.Mul());
      case "Div" -> {
        Shape shape = shape(random.nextInt(5));
        yield out(new Op.Div(), real(narrowed(shape)), nonZero(narrowed(shape)));
      }
      case "Max" -> apart(new Op.Max());
      case "Min" -> apart(new Op.Min());
      case "Greater" -> compared(new Op.Greater());
      case "Equal" -> compared(new Op.Equal());
      case "Neg" -> out(new Op.Neg(), real(anyShape()));
      case "Abs" -> out(new Op.Abs(), nonZero(anyShape()));
      case "Sign" -> out(new Op.Sign(), nonZero(anyShape()));
      case "Exp" -> out(new Op.Exp(), real(anyShape()));
      case "Log" -> out(new Op.Log(), positive(anyShape()));
      case "Sqrt" -> out(new Op.Sqrt(), positive(anyShape()));
      case "Reciprocal" -> out(new Op.Reciprocal(), nonZero(anyShape()));
      case "Relu" -> out(new Op.Relu(), nonZero(anyShape()));
      case "Sigmoid" -> out(new Op.Sigmoid(), wide(anyShape()));
      case "Tanh" -> out(new Op.Tanh(), wide(anyShape()));
      case "Softplus" -> out(new Op.Softplus(), wide(anyShape()));
      case "Not" -> out(new Op.Not(), condition(anyShape()));
      case "Cast" -> {
        DataType to = pick(DataType.FLOAT, DataType.DOUBLE, DataType.INT64, DataType.BOOL);
        yield out(new Op.Cast(to), nonZero(anyShape()));
      }
      case "Where" -> {
        Shape shape = anyShape();
        yield out(
            new Op.Where(),
            condition(narrowed(shape)),
            real(narrowed(shape)),
            real(narrowed(shape)));
      }
      case "MatMul" -> matMul();
      case "Gemm" -> gemm();
      case "ReduceSum" -> {
        Shape shape = anyShape();
        yield out(new Op.ReduceSum(someAxes(shape.rank()), random.nextBoolean()), real(shape));
      }
      case "ReduceMean" -> {
        Shape shape = anyShape();
        yield out(new Op.ReduceMean(someAxes(shape.rank()), random.nextBoolean()), real(shape));
      }
      case "Softmax" -> {
        Shape shape = shape(1 + random.nextInt(3));
        yield out(new Op.Softmax(random.nextInt(2 * shape.rank()) - shape.rank()), real(shape));
      }
      case "LayerNormalization" -> {
        Dim width = Dim.of(3 + random.nextInt(4));
        Shape shape = anyShape().concat(Shape.of(width));
        yield g.applyAll(
            new Op.LayerNormalization(random.nextBoolean() ? 1e-5f : 0.1f),
            real(shape),
            real(Shape.of(width)),
            real(Shape.of(width)));
      }
      case "Reshape" -> reshape();
      case "Transpose" -> {
        Shape shape = anyShape();
        yield out(new Op.Transpose(permutation(shape.rank())), real(shape));
      }
      case "Concat" -> concat();
      case "Split" -> split();
      case "ExpandLike" -> {
        Shape shape = anyShape();
        yield out(
            new Op.ExpandLike(), real(narrowed(shape)), input(shape, g.type(), this::uniform));
      }
      case "Count" -> {
        Shape shape = anyShape();
        yield out(new Op.Count(someAxes(shape.rank())), real(shape));
      }
      case "Gather" -> {
        Shape tail = shape(random.nextInt(3));
        yield out(
            new Op.Gather(),
            real(Shape.of(Dim.of("U")).concat(tail)),
            indices(shape(random.nextInt(3))));
      }
      case "ScatterAdd" -> {
        Shape tail = Shape.of(random.longs(random.nextInt(3), 1, 4).toArray());
        Shape index = shape(random.nextInt(3));
        yield out(
            new Op.ScatterAdd(),
            input(Shape.of(Dim.of("U")).concat(tail), g.type(), this::uniform),
            indices(index),
            real(index.concat(tail)));
      }
      case "Scan" -> scan();
      default -> throw new AssertionError("no case for operator " + op.getSimpleName());
    };
  }

  private List<Tensor> out(Op op, Tensor... in) {
    return g.applyAll(op, in);
  }

  private List<Tensor> pair(Op op) {
    Shape shape = anyShape();
    Tensor a = real(narrowed(shape));
    // The same tensor twice: both gradients must be counted.
    return out(op, a, random.nextInt(5) == 0 ? a : real(narrowed(shape)));
  }

  /** Two inputs that are never closer than 0.1. */
  private List<Tensor> apart(Op op) {
    Shape shape = anyShape();
    Tensor a = smooth(narrowed(shape), () -> random.nextInt(-8, 8) / 4.0);
    Tensor b = smooth(narrowed(shape), () -> random.nextInt(-8, 8) / 4.0 + 0.125);
    return out(op, a, b);
  }

  /** Small whole numbers, so that some are equal. */
  private List<Tensor> compared(Op op) {
    Shape shape = anyShape();
    DataType type = pick(g.type(), DataType.INT32, DataType.INT64);
    return out(
        op,
        input(narrowed(shape), type, () -> random.nextInt(3)),
        input(narrowed(shape), type, () -> random.nextInt(3)));
  }

  private List<Tensor> matMul() {
    Dim inner = Dim.of(1 + random.nextInt(4));
    Shape batch = shape(random.nextInt(3));
    boolean symbolic = batch.dims().stream().noneMatch(d -> !d.fixed()) && random.nextBoolean();
    Dim m = symbolic ? Dim.of("B") : Dim.of(1 + random.nextInt(4));
    Dim n = Dim.of(1 + random.nextInt(4));
    return out(
        new Op.MatMul(),
        real(narrowed(batch).concat(Shape.of(m, inner))),
        real(narrowed(batch).concat(Shape.of(inner, n))));
  }

  private List<Tensor> gemm() {
    Dim m = random.nextBoolean() ? Dim.of("B") : Dim.of(1 + random.nextInt(4));
    Dim k = Dim.of(1 + random.nextInt(4));
    Dim n = Dim.of(1 + random.nextInt(4));
    boolean transA = random.nextBoolean();
    boolean transB = random.nextBoolean();
    List<Tensor> in = new ArrayList<>();
    in.add(real(transA ? Shape.of(k, m) : Shape.of(m, k)));
    in.add(real(transB ? Shape.of(n, k) : Shape.of(k, n)));
    if (random.nextBoolean()) {
      in.add(real(narrowed(Shape.of(m, n))));
    }
    return out(new Op.Gemm(transA, transB), in.toArray(Tensor[]::new));
  }

  private List<Tensor> reshape() {
    long a = random.nextLong(1, 4);
    long b = random.nextLong(1, 4);
    Dim rows = random.nextBoolean() ? Dim.of("B") : Dim.of(2);
    Dim all = rows.times(Dim.of(a * b));
    List<Shape> shapes =
        List.of(
            Shape.of(rows, Dim.of(a), Dim.of(b)),
            Shape.of(Dim.of(b), rows.times(Dim.of(a))),
            Shape.of(all),
            Shape.of(Dim.of(1), rows, Dim.of(1), Dim.of(a * b)));
    return out(new Op.Reshape(shapes.get(random.nextInt(4))), real(shapes.get(random.nextInt(4))));
  }

  private List<Tensor> concat() {
    Shape shape = shape(1 + random.nextInt(3));
    int axis = random.nextInt(shape.rank());
    List<Tensor> parts = new ArrayList<>();
    for (int i = 0; i <= random.nextInt(3); i++) {
      parts.add(real(shape.with(axis, Dim.of(1 + random.nextInt(3)))));
    }
    parts.add(parts.getFirst());
    return out(
        new Op.Concat(random.nextBoolean() ? axis : axis - shape.rank()),
        parts.toArray(Tensor[]::new));
  }

  private List<Tensor> split() {
    Shape shape = shape(1 + random.nextInt(3));
    int axis = random.nextInt(shape.rank());
    List<Long> sizes = random.longs(1 + random.nextInt(3), 1, 4).boxed().toList();
    long sum = sizes.stream().mapToLong(Long::longValue).sum();
    Op op = new Op.Split(random.nextBoolean() ? axis : axis - shape.rank(), sizes);
    return out(op, real(shape.with(axis, Dim.of(sum))));
  }

  /** Two carried values, two scanned ones, and outputs of every kind, passed through too. */
  private List<Tensor> scan() {
    Dim runs = random.nextBoolean() ? Dim.of("U") : Dim.of(1 + random.nextInt(3));
    Shape shape = shape(1 + random.nextInt(3));
    GraphBuilder b = new GraphBuilder("body", g.type());
    Dim[] dims = shape.dims().toArray(Dim[]::new);
    Tensor sum = b.input("sum", g.type(), dims);
    Tensor count = b.input("count", DataType.INT64);
    Tensor x = b.input("x", g.type(), dims);
    Tensor factor = b.input("in0", g.type());
    Tensor term = b.mul(b.apply(new Op.Tanh(), b.add(sum, x)), factor);
    b.output("sum after", b.add(b.mul(sum, 0.5), term));
    b.output("count after", b.add(count, b.constant(1, DataType.INT64)));
    b.output("Tanh", random.nextBoolean() ? term : b.reduceSum(term, false));
    b.output("again", random.nextBoolean() ? x : sum);
    b.output("numbers", b.reshape(count, Dim.of(1)));
    return out(
        new Op.Scan(b.build(), 2),
        real(shape),
        input(Shape.SCALAR, DataType.INT64, () -> random.nextInt(9)),
        real(Shape.of(runs).concat(shape)),
        real(Shape.of(runs)));
  }

  private List<Integer> someAxes(int rank) {
    List<Integer> axes = new ArrayList<>(permutation(rank));
    List<Integer> some = axes.subList(0, random.nextInt(rank + 1));
    return some.stream().map(axis -> random.nextBoolean() ? axis : axis - rank).toList();
  }

  private List<Integer> permutation(int rank) {
    List<Integer> axes = new ArrayList<>(ShapeRules.range(rank));
    java.util.Collections.shuffle(axes, random);
    return List.copyOf(axes);
  }

  private Shape anyShape() {
    return shape(random.nextInt(5));
  }

  /** At most one dimension is symbolic, as in every graph of a ranker. */
  private Shape shape(int rank) {
    List<Dim> dims = new ArrayList<>();
    for (int i = 0; i < rank; i++) {
      dims.add(Dim.of(1 + random.nextInt(4)));
    }
    if (rank > 0 && random.nextBoolean()) {
      int at = random.nextInt(rank);
      dims.set(at, random.nextInt(4) == 0 ? Dim.of("B").times(Dim.of(2)) : Dim.of("B"));
    }
    return new Shape(dims);
  }

  /** A shape that broadcasts to {@code shape}. */
  private Shape narrowed(Shape shape) {
    int from = random.nextBoolean() ? 0 : random.nextInt(shape.rank() + 1);
    return new Shape(
        shape.slice(from, shape.rank()).dims().stream()
            .map(d -> random.nextInt(4) == 0 ? Dim.of(1) : d)
            .toList());
  }

  private Tensor real(Shape shape) {
    return smooth(shape, this::uniform);
  }

  private Tensor wide(Shape shape) {
    return smooth(shape, () -> 5 * uniform());
  }

  private Tensor nonZero(Shape shape) {
    return smooth(shape, () -> (random.nextBoolean() ? 1 : -1) * (0.25 + Math.abs(uniform())));
  }

  private Tensor positive(Shape shape) {
    return smooth(shape, () -> 0.25 + Math.abs(uniform()));
  }

  private double uniform() {
    return random.nextInt(-2048, 2048) / 1024.0;
  }

  private Tensor smooth(Shape shape, Source source) {
    Tensor tensor = input(shape, g.type(), source);
    smooth.add(tensor);
    return tensor;
  }

  private Tensor condition(Shape shape) {
    return input(shape, DataType.BOOL, () -> random.nextInt(2));
  }

  private Tensor indices(Shape shape) {
    int rows = symbols.getOrDefault("U", 0);
    return input(shape, pick(DataType.INT32, DataType.INT64), () -> random.nextInt(rows));
  }

  private Tensor input(Shape shape, DataType type, Source source) {
    Tensor tensor = g.input("in" + given.size(), type, shape.dims().toArray(Dim[]::new));
    int[] sizes =
        shape.dims().stream()
            .mapToInt(d -> (int) d.factor() * (d.fixed() ? 1 : symbols.getOrDefault(d.symbol(), 0)))
            .toArray();
    given.put(tensor.name(), PlainArray.of(sizes, _ -> source.next()));
    return tensor;
  }

  private DataType pick(DataType... types) {
    return types[random.nextInt(types.length)];
  }

  private interface Source {
    double next();
  }
}
