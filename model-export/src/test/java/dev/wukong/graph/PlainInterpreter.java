package dev.wukong.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;

/**
 * A second implementation of every operator, written to be read: one element at a time, in double
 * precision, whatever the graph's type. It also holds every value against the shape that was
 * inferred for it.
 */
public final class PlainInterpreter {
  private final Map<Tensor, PlainArray> values = new HashMap<>();
  private final Map<String, Long> symbols = new HashMap<>();
  private final Map<Tensor, PlainArray> nudges;

  private PlainInterpreter(Map<Tensor, PlainArray> nudges) {
    this.nudges = nudges;
  }

  /**
   * The outputs of {@code graph} by name; {@code given} holds its inputs and parameters by name.
   */
  public static Map<String, PlainArray> run(Graph graph, Map<String, PlainArray> given) {
    return run(graph, given, Map.of());
  }

  /**
   * The same, with {@code nudges} added to the values of some tensors, wherever in the graph they
   * are.
   */
  public static Map<String, PlainArray> run(
      Graph graph, Map<String, PlainArray> given, Map<Tensor, PlainArray> nudges) {
    PlainInterpreter run = new PlainInterpreter(nudges);
    graph.inputs().forEach(input -> run.put(input, given(given, input)));
    graph.parameters().forEach(parameter -> run.put(parameter, given(given, parameter)));
    for (Node node : graph.nodes()) {
      List<PlainArray> in = node.inputs().stream().map(run::value).toList();
      List<PlainArray> out = run.compute(node, in);
      for (int i = 0; i < out.size(); i++) {
        run.put(node.out(i), out.get(i));
      }
    }
    Map<String, PlainArray> result = new LinkedHashMap<>();
    graph.outputs().forEach((name, tensor) -> result.put(name, run.value(tensor)));
    return result;
  }

  private static PlainArray given(Map<String, PlainArray> given, Tensor tensor) {
    PlainArray value = given.get(tensor.name());
    if (value == null) {
      throw new AssertionError("nothing given for " + tensor);
    }
    return value;
  }

  private PlainArray value(Tensor tensor) {
    PlainArray value = values.get(tensor);
    if (value == null) {
      throw new AssertionError(tensor + " is used before it is computed");
    }
    return value;
  }

  private void put(Tensor tensor, PlainArray value) {
    if (value.rank() != tensor.rank()) {
      throw new AssertionError(tensor + " has the value " + value);
    }
    for (int i = 0; i < value.rank(); i++) {
      Dim dim = tensor.dim(i);
      long size = value.shape()[i];
      if (!dim.fixed() && size % dim.factor() == 0) {
        symbols.putIfAbsent(dim.symbol(), size / dim.factor());
      }
      long expected = dim.factor() * (dim.fixed() ? 1 : symbols.getOrDefault(dim.symbol(), -1L));
      if (size != expected) {
        throw new AssertionError(tensor + " has the value " + value + ", symbols are " + symbols);
      }
    }
    PlainArray nudge = nudges.get(tensor);
    values.put(tensor, nudge == null ? value : value.plus(nudge));
  }

  private List<PlainArray> compute(Node node, List<PlainArray> in) {
    return switch (node.op()) {
      case Op.Constant(var data) -> List.of(constant(data));
      case Op.Add() -> both(in, Double::sum);
      case Op.Sub() -> both(in, (a, b) -> a - b);
      case Op.Mul() -> both(in, (a, b) -> a * b);
      case Op.Div() -> both(in, (a, b) -> node.out().type().floating() ? a / b : whole(a / b));
      case Op.Max() -> both(in, Math::max);
      case Op.Min() -> both(in, Math::min);
      case Op.Greater() -> both(in, (a, b) -> a > b ? 1 : 0);
      case Op.Equal() -> both(in, (a, b) -> a == b ? 1 : 0);
      case Op.Neg() -> each(in, x -> -x);
      case Op.Abs() -> each(in, Math::abs);
      case Op.Sign() -> each(in, Math::signum);
      case Op.Exp() -> each(in, Math::exp);
      case Op.Log() -> each(in, Math::log);
      case Op.Sqrt() -> each(in, Math::sqrt);
      case Op.Reciprocal() -> each(in, x -> 1 / x);
      case Op.Relu() -> each(in, x -> x > 0 ? x : 0);
      case Op.Sigmoid() -> each(in, x -> 1 / (1 + Math.exp(-x)));
      case Op.Tanh() -> each(in, Math::tanh);
      case Op.Softplus() -> each(in, x -> Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))));
      case Op.Not() -> each(in, x -> x == 0 ? 1 : 0);
      case Op.Cast(var to) -> each(in, x -> cast(x, to));
      case Op.Where() -> List.of(where(in.get(0), in.get(1), in.get(2)));
      case Op.MatMul() -> List.of(matMul(in.get(0), in.get(1)));
      case Op.Gemm(var transA, var transB) -> {
        PlainArray product =
            matMul(transA ? flip(in.get(0)) : in.get(0), transB ? flip(in.get(1)) : in.get(1));
        yield List.of(in.size() == 2 ? product : product.plus(in.get(2)));
      }
      case Op.ReduceSum(var axes, var keep) -> List.of(sum(in.getFirst(), axes, keep));
      case Op.ReduceMean(var axes, var keep) ->
          List.of(sum(in.getFirst(), axes, keep).times(1 / count(in.getFirst(), orAll(in, axes))));
      case Op.Softmax(var axis) -> List.of(softmax(in.getFirst(), axis));
      case Op.LayerNormalization(var epsilon) ->
          layerNormalization(in.get(0), in.get(1), in.get(2), epsilon);
      case Op.Reshape(var shape) -> List.of(new PlainArray(bind(shape), in.getFirst().values()));
      case Op.Transpose(var perm) -> List.of(transpose(in.getFirst(), perm));
      case Op.Concat(var axis) -> List.of(concat(in, axis));
      case Op.Split(var axis, var sizes) -> split(in.getFirst(), axis, sizes);
      case Op.ExpandLike() -> List.of(PlainArray.of(in.get(1).shape(), in.get(0)::at));
      case Op.Count(var axes) -> List.of(PlainArray.scalar(count(in.getFirst(), axes)));
      case Op.Gather() -> List.of(gather(in.get(0), in.get(1)));
      case Op.ScatterAdd() -> List.of(scatterAdd(in.get(0), in.get(1), in.get(2)));
      case Op.Scan(var body, var carried) -> scan(body, carried, in);
    };
  }

  private static List<PlainArray> scan(Graph body, int carried, List<PlainArray> in) {
    List<PlainArray> state = new ArrayList<>(in.subList(0, carried));
    List<List<PlainArray>> stacked = new ArrayList<>();
    body.outputs().keySet().stream().skip(carried).forEach(_ -> stacked.add(new ArrayList<>()));
    for (int k = 0; k < in.getLast().shape()[0]; k++) {
      Map<String, PlainArray> given = new HashMap<>();
      for (int i = 0; i < in.size(); i++) {
        PlainArray value = i < carried ? state.get(i) : element(in.get(i), k);
        given.put(body.inputs().get(i).name(), value);
      }
      List<PlainArray> out = List.copyOf(run(body, given).values());
      for (int i = 0; i < out.size(); i++) {
        if (i < carried) {
          state.set(i, out.get(i));
        } else {
          stacked.get(i - carried).add(out.get(i));
        }
      }
    }
    stacked.forEach(parts -> state.add(stack(parts)));
    return state;
  }

  private static PlainArray element(PlainArray x, int k) {
    int[] shape = Arrays.copyOfRange(x.shape(), 1, x.rank());
    int size = PlainArray.size(shape);
    return new PlainArray(shape, Arrays.copyOfRange(x.values(), k * size, (k + 1) * size));
  }

  private static PlainArray stack(List<PlainArray> parts) {
    int[] shape =
        IntStream.concat(IntStream.of(parts.size()), Arrays.stream(parts.getFirst().shape()))
            .toArray();
    return new PlainArray(
        shape, parts.stream().flatMapToDouble(part -> Arrays.stream(part.values())).toArray());
  }

  private static PlainArray constant(TensorData data) {
    int[] shape = Arrays.stream(data.shape().sizes()).mapToInt(Math::toIntExact).toArray();
    return new PlainArray(shape, IntStream.range(0, data.length()).mapToDouble(data::at).toArray());
  }

  private static List<PlainArray> each(List<PlainArray> in, DoubleUnaryOperator f) {
    PlainArray x = in.getFirst();
    return List.of(PlainArray.of(x.shape(), i -> f.applyAsDouble(x.at(i))));
  }

  private static List<PlainArray> both(List<PlainArray> in, DoubleBinaryOperator f) {
    PlainArray a = in.get(0);
    PlainArray b = in.get(1);
    int[] shape = broadcast(a.shape(), b.shape());
    return List.of(PlainArray.of(shape, i -> f.applyAsDouble(a.at(i), b.at(i))));
  }

  private static int[] broadcast(int[] a, int[] b) {
    int[] shape = new int[Math.max(a.length, b.length)];
    for (int back = 1; back <= shape.length; back++) {
      int inA = back <= a.length ? a[a.length - back] : 1;
      int inB = back <= b.length ? b[b.length - back] : 1;
      if (inA != inB && inA != 1 && inB != 1) {
        throw new AssertionError(Arrays.toString(a) + " and " + Arrays.toString(b));
      }
      shape[shape.length - back] = inA == 1 ? inB : inA;
    }
    return shape;
  }

  /**
   * Rounding to float is left out, so that graphs with casts between float and double stay smooth.
   */
  private static double cast(double x, DataType to) {
    return switch (to) {
      case FLOAT, DOUBLE -> x;
      case FLOAT16 -> Float.float16ToFloat(Float.floatToFloat16((float) x));
      case UINT8, INT32, INT64 -> whole(x);
      case BOOL -> x == 0 ? 0 : 1;
    };
  }

  /** Without its fraction, towards zero. */
  private static double whole(double x) {
    return x < 0 ? Math.ceil(x) : Math.floor(x);
  }

  private static PlainArray where(PlainArray condition, PlainArray then, PlainArray otherwise) {
    int[] shape = broadcast(condition.shape(), broadcast(then.shape(), otherwise.shape()));
    return PlainArray.of(shape, i -> condition.at(i) != 0 ? then.at(i) : otherwise.at(i));
  }

  private static PlainArray matMul(PlainArray a, PlainArray b) {
    int inner = a.shape()[a.rank() - 1];
    int[] batch =
        broadcast(Arrays.copyOf(a.shape(), a.rank() - 2), Arrays.copyOf(b.shape(), b.rank() - 2));
    int[] shape = Arrays.copyOf(batch, batch.length + 2);
    shape[batch.length] = a.shape()[a.rank() - 2];
    shape[batch.length + 1] = b.shape()[b.rank() - 1];
    return PlainArray.of(
        shape,
        i -> {
          int[] left = i.clone();
          int[] right = i.clone();
          double sum = 0;
          for (int k = 0; k < inner; k++) {
            left[batch.length + 1] = k;
            right[batch.length] = k;
            sum += a.at(left) * b.at(right);
          }
          return sum;
        });
  }

  private static PlainArray flip(PlainArray matrix) {
    return transpose(matrix, List.of(1, 0));
  }

  private static PlainArray transpose(PlainArray x, List<Integer> perm) {
    int[] shape = perm.stream().mapToInt(axis -> x.shape()[axis]).toArray();
    return PlainArray.of(
        shape,
        i -> {
          int[] from = new int[i.length];
          for (int axis = 0; axis < i.length; axis++) {
            from[perm.get(axis)] = i[axis];
          }
          return x.at(from);
        });
  }

  private static List<Integer> orAll(List<PlainArray> in, List<Integer> axes) {
    return axes.isEmpty() ? ShapeRules.range(in.getFirst().rank()) : axes;
  }

  private static double count(PlainArray x, List<Integer> axes) {
    return axes.stream()
        .mapToInt(axis -> x.shape()[positive(axis, x)])
        .reduce(1, Math::multiplyExact);
  }

  private static int positive(int axis, PlainArray x) {
    return axis < 0 ? axis + x.rank() : axis;
  }

  private static PlainArray sum(PlainArray x, List<Integer> axes, boolean keep) {
    int[] kept = x.shape().clone();
    orAll(List.of(x), axes).forEach(axis -> kept[positive(axis, x)] = 1);
    PlainArray result = new PlainArray(kept, new double[PlainArray.size(kept)]);
    for (int flat = 0; flat < x.values().length; flat++) {
      int to = 0;
      int[] index = PlainArray.index(flat, x.shape());
      for (int axis = 0; axis < kept.length; axis++) {
        to = to * kept[axis] + (kept[axis] == 1 ? 0 : index[axis]);
      }
      result.values()[to] += x.values()[flat];
    }
    if (keep) {
      return result;
    }
    List<Integer> gone = orAll(List.of(x), axes).stream().map(axis -> positive(axis, x)).toList();
    int[] shape =
        IntStream.range(0, x.rank())
            .filter(i -> !gone.contains(i))
            .map(i -> x.shape()[i])
            .toArray();
    return new PlainArray(shape, result.values());
  }

  private static PlainArray softmax(PlainArray x, int axis) {
    PlainArray powers = PlainArray.of(x.shape(), i -> Math.exp(x.at(i)));
    PlainArray sums = sum(powers, List.of(axis), true);
    return PlainArray.of(x.shape(), i -> powers.at(i) / sums.at(i));
  }

  private static List<PlainArray> layerNormalization(
      PlainArray x, PlainArray scale, PlainArray bias, double epsilon) {
    double width = x.shape()[x.rank() - 1];
    PlainArray mean = sum(x, List.of(-1), true).times(1 / width);
    PlainArray squares = PlainArray.of(x.shape(), i -> Math.pow(x.at(i) - mean.at(i), 2));
    PlainArray variance = sum(squares, List.of(-1), true).times(1 / width);
    PlainArray inverse = PlainArray.of(mean.shape(), i -> 1 / Math.sqrt(variance.at(i) + epsilon));
    PlainArray y =
        PlainArray.of(
            x.shape(), i -> (x.at(i) - mean.at(i)) * inverse.at(i) * scale.at(i) + bias.at(i));
    return List.of(y, mean, inverse);
  }

  private int[] bind(Shape shape) {
    return shape.dims().stream()
        .mapToInt(
            d -> {
              long size = d.fixed() ? 1 : symbols.getOrDefault(d.symbol(), -1L);
              return Math.toIntExact(d.factor() * size);
            })
        .toArray();
  }

  private static PlainArray concat(List<PlainArray> parts, int axis) {
    int at = positive(axis, parts.getFirst());
    int[] shape = parts.getFirst().shape().clone();
    shape[at] = parts.stream().mapToInt(part -> part.shape()[at]).sum();
    return PlainArray.of(
        shape,
        i -> {
          int[] index = i.clone();
          for (PlainArray part : parts) {
            if (index[at] < part.shape()[at]) {
              return part.at(index);
            }
            index[at] -= part.shape()[at];
          }
          throw new AssertionError("index beyond all parts");
        });
  }

  private static List<PlainArray> split(PlainArray x, int axis, List<Long> sizes) {
    int at = positive(axis, x);
    int[] start = {0};
    return sizes.stream()
        .map(
            size -> {
              int from = start[0];
              int[] shape = x.shape().clone();
              shape[at] = Math.toIntExact(size);
              start[0] += shape[at];
              return PlainArray.of(
                  shape,
                  i -> {
                    int[] index = i.clone();
                    index[at] += from;
                    return x.at(index);
                  });
            })
        .toList();
  }

  private static int row(double index, int rows) {
    return (int) (index < 0 ? index + rows : index);
  }

  private static PlainArray gather(PlainArray data, PlainArray indices) {
    int rows = data.shape()[0];
    int width = data.values().length / rows;
    int[] shape =
        IntStream.concat(Arrays.stream(indices.shape()), Arrays.stream(data.shape()).skip(1))
            .toArray();
    double[] result = new double[indices.values().length * width];
    for (int i = 0; i < indices.values().length; i++) {
      System.arraycopy(
          data.values(), row(indices.values()[i], rows) * width, result, i * width, width);
    }
    return new PlainArray(shape, result);
  }

  private static PlainArray scatterAdd(PlainArray like, PlainArray indices, PlainArray updates) {
    int rows = like.shape()[0];
    int width = like.values().length / rows;
    double[] result = new double[like.values().length];
    for (int i = 0; i < indices.values().length; i++) {
      for (int j = 0; j < width; j++) {
        result[row(indices.values()[i], rows) * width + j] += updates.values()[i * width + j];
      }
    }
    return new PlainArray(like.shape(), result);
  }
}
