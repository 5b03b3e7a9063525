package dev.wukong.graph;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * The values of a file being read, by name, and how a node takes them: as tensors, as constants, or
 * as dimensions to compute with.
 */
final class OnnxValues {
  /** A shape has no more axes, and so the longest list to make one of. */
  static final int MAX_RANK = 64;

  private final GraphBuilder g;
  private final Map<String, Tensor> tensors = new HashMap<>();
  private final Map<String, Sizes> sizes = new HashMap<>();

  OnnxValues(GraphBuilder g) {
    this.g = g;
  }

  void define(String name, Tensor tensor) {
    checkRank(tensor.rank());
    if (sizes.containsKey(name) || tensors.put(name, tensor) != null) {
      throw new OnnxReadException("the name '" + name + "' is given to two values");
    }
  }

  Tensor output(String name) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new OnnxReadException("output '" + name + "' is not computed as a tensor by any node");
    }
    return tensor;
  }

  void define(String name, Sizes list) {
    checkRank(list.elements().size());
    if (tensors.containsKey(name) || sizes.put(name, list) != null) {
      throw new OnnxReadException("the name '" + name + "' is given to two values");
    }
  }

  Collection<Tensor> all() {
    return tensors.values();
  }

  /** Whether input {@code i} is dimensions rather than a tensor. */
  boolean isSizes(OnnxNode n, int i) {
    return n.has(i) && sizes.containsKey(n.inputs().get(i));
  }

  Tensor in(OnnxNode n, int i) {
    if (!n.has(i)) {
      throw n.refuse("input " + i + " is missing");
    }
    Tensor tensor = tensors.get(n.inputs().get(i));
    if (tensor != null) {
      return tensor;
    }
    Sizes list = sizes.get(n.inputs().get(i));
    if (list == null) {
      throw n.refuse("input '" + n.inputs().get(i) + "' is not computed by any node before it");
    }
    if (!list.fixed()) {
      throw n.refuse(
          "input '"
              + n.inputs().get(i)
              + "' is computed from a shape that is known only when the graph runs");
    }
    return g.constant(list.numbers(DataType.INT64));
  }

  List<Tensor> ins(OnnxNode n) {
    return ShapeRules.range(n.inputs().size()).stream().map(i -> in(n, i)).toList();
  }

  @Nullable TensorData data(OnnxNode n, int i) {
    Sizes list = sizes.get(n.inputs().get(i));
    if (list != null) {
      return list.fixed() ? list.numbers(DataType.INT64) : null;
    }
    Tensor tensor = in(n, i);
    return tensor.producer() != null && tensor.producer().op() instanceof Op.Constant(var value)
        ? value
        : null;
  }

  TensorData constant(OnnxNode n, int i) {
    TensorData data = data(n, i);
    if (data == null) {
      throw n.refuse("input " + i + " ('" + n.inputs().get(i) + "') must be constant");
    }
    return data;
  }

  List<Long> longs(OnnxNode n, int i) {
    TensorData data = constant(n, i);
    if (data.type().floating()) {
      throw n.refuse("input " + i + " ('" + n.inputs().get(i) + "') must hold whole numbers");
    }
    return LongStream.range(0, data.length()).map(at -> (long) data.at((int) at)).boxed().toList();
  }

  /**
   * What an older operator set has as an attribute and a newer one as an input; null where neither
   * is given.
   */
  @Nullable List<Long> attributeOrInput(OnnxNode n, String name, int input) {
    List<Long> attribute = n.integers(name).orElse(null);
    return attribute != null ? attribute : n.has(input) ? longs(n, input) : null;
  }

  static List<Integer> small(List<Long> values) {
    return values.stream().map(Math::toIntExact).toList();
  }

  // Constants and shape arithmetic.

  static TensorData constantData(OnnxNode n) {
    TensorData whole = n.tensor("value").map(t -> OnnxTensors.read(t, "the value")).orElse(null);
    if (whole != null) {
      return whole;
    }
    List<Long> ints = n.integers("value_ints").orElse(null);
    if (ints != null) {
      return new TensorData.Numbers(
          DataType.INT64,
          Shape.of(ints.size()),
          ints.stream().mapToDouble(Long::doubleValue).toArray());
    }
    List<Float> floats = n.decimals("value_floats").orElse(null);
    if (floats != null) {
      return new TensorData.Numbers(
          DataType.FLOAT,
          Shape.of(floats.size()),
          floats.stream().mapToDouble(Float::doubleValue).toArray());
    }
    long whether = n.integer("value_int", Long.MIN_VALUE);
    if (whether != Long.MIN_VALUE) {
      return new TensorData.Numbers(DataType.INT64, Shape.SCALAR, new double[] {(double) whether});
    }
    float number = n.decimal("value_float", Float.NaN);
    if (Float.isNaN(number)) {
      throw n.refuse("none of the attributes value, value_int(s), value_float(s) is given");
    }
    return new TensorData.Numbers(DataType.FLOAT, Shape.SCALAR, new double[] {number});
  }

  /**
   * The result where it is made of dimensions known only at run time; null for ordinary tensors.
   */
  @Nullable Sizes sizesOf(OnnxNode n) {
    if (n.op().equals("Shape")) {
      Sizes all = Sizes.of(in(n, 0));
      int rank = all.elements().size();
      int from = clamp(n.integer("start", 0), rank);
      return new Sizes(
          all.elements().subList(from, Math.max(from, clamp(n.integer("end", rank), rank))), false);
    }
    if (n.inputs().stream().noneMatch(sizes::containsKey) || n.inputs().isEmpty()) {
      return null;
    }
    return switch (n.op()) {
      case "Identity" -> list(n, 0);
      // A number to compute with leaves shape arithmetic.
      case "Cast" -> {
        if (target(n).floating()) {
          yield null;
        }
        n.ignore("saturate", "to");
        yield list(n, 0);
      }
      case "Unsqueeze", "Squeeze" -> {
        attributeOrInput(n, "axes", 1);
        boolean scalar = n.op().equals("Squeeze");
        if (list(n, 0).elements().size() != 1) {
          throw n.refuse("a list of sizes stays a list of one axis");
        }
        yield new Sizes(list(n, 0).elements(), scalar);
      }
      case "Concat" -> {
        n.only("axis", 0);
        yield new Sizes(
            ShapeRules.range(n.inputs().size()).stream()
                .flatMap(i -> list(n, i).elements().stream())
                .limit(MAX_RANK + 1L)
                .toList(),
            false);
      }
      case "Gather" -> {
        n.only("axis", 0);
        List<Sizes.Size> all = list(n, 0).elements();
        List<Sizes.Size> taken =
            longs(n, 1).stream().map(i -> all.get((int) (i < 0 ? i + all.size() : i))).toList();
        yield new Sizes(taken, constant(n, 1).shape().rank() == 0);
      }
      case "Slice" -> {
        List<Sizes.Size> all = list(n, 0).elements();
        Range range = ranges(n, 1, all.size()).getFirst();
        yield new Sizes(all.subList(range.from(), range.to()), false);
      }
      case "ReduceProd" -> {
        boolean keep = n.small("keepdims", 1) == 1;
        attributeOrInput(n, "axes", 1);
        yield new Sizes(List.of(list(n, 0).product()), !keep);
      }
      case "Mul" -> {
        Sizes a = list(n, 0);
        Sizes b = list(n, 1);
        if (a.elements().size() != 1 || b.elements().size() != 1) {
          throw n.refuse("only single sizes are multiplied");
        }
        yield new Sizes(List.of(a.product().times(b.product())), a.scalar() && b.scalar());
      }
      default -> null;
    };
  }

  static DataType target(OnnxNode n) {
    return OnnxTensors.type(n.peek("to"), "attribute 'to'");
  }

  Sizes list(OnnxNode n, int i) {
    Sizes list = n.has(i) ? sizes.get(n.inputs().get(i)) : null;
    if (list != null) {
      return list;
    }
    TensorData data = constant(n, i);
    checkRank(data.length());
    return Sizes.of(data);
  }

  /**
   * Refuses more axes than any real tensor has: a few bytes of a file could ask for millions, node
   * after node.
   */
  static void checkRank(long axes) {
    if (axes > MAX_RANK) {
      throw new IllegalArgumentException(
          axes + " axes or sizes, at most " + MAX_RANK + " are read");
    }
  }

  Tensor counted(Sizes list, DataType type) {
    if (list.fixed()) {
      return g.constant(list.numbers(type));
    }
    Sizes.Size size = list.product();
    Tensor result = g.constant((double) size.factor(), type);
    for (Sizes.Axis axis : size.axes()) {
      Tensor of = axis.tensor().type() == type ? axis.tensor() : g.cast(axis.tensor(), type);
      Tensor count = g.apply(new Op.Count(List.of(axis.axis())), of);
      result =
          size.factor() == 1
                  && result.producer() != null
                  && result.producer().op() instanceof Op.Constant
              ? count
              : g.mul(result, count);
    }
    return list.scalar() ? result : g.reshape(result, Dim.of(1));
  }

  record Range(int axis, int from, int to) {}

  static int clamp(long at, int size) {
    return Math.toIntExact(Math.clamp(at < 0 ? at + size : at, 0, size));
  }

  /**
   * The ranges of a Slice; {@code size} is that of every axis asked for, or -1 to see the tensor's.
   */
  List<Range> ranges(OnnxNode n, int rank, int size) {
    List<Long> starts = attributeOrInput(n, "starts", 1);
    List<Long> ends = attributeOrInput(n, "ends", 2);
    List<Long> axes = attributeOrInput(n, "axes", 3);
    List<Long> steps = n.has(4) ? longs(n, 4) : List.of();
    if (starts == null || ends == null || starts.size() != ends.size()) {
      throw n.refuse("starts and ends are missing, or not equally many");
    }
    checkRank(starts.size());
    if (steps.stream().anyMatch(step -> step != 1)) {
      throw n.refuse("steps are " + steps + ", and only 1 has a meaning here");
    }
    List<Range> result = new ArrayList<>();
    for (int i = 0; i < starts.size(); i++) {
      int axis = Math.toIntExact(axes == null ? i : axes.get(i));
      int at = axis < 0 ? axis + rank : axis;
      long from = starts.get(i);
      long to = ends.get(i);
      if (size < 0) {
        Dim dim = in(n, 0).dim(at);
        if (!dim.fixed()) {
          if (from != 0 || to < Integer.MAX_VALUE) {
            throw n.refuse(
                "axis " + at + " has the symbolic size " + dim + ": only all of it can be taken");
          }
          continue;
        }
        result.add(new Range(at, clamp(from, (int) dim.size()), clamp(to, (int) dim.size())));
      } else {
        result.add(new Range(at, clamp(from, size), clamp(to, size)));
      }
    }
    return result;
  }
}
