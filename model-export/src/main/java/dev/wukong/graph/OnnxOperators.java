package dev.wukong.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;

/** The meaning of each ONNX operator that is read, in the operators here, node by node. */
final class OnnxOperators {
  private static final Map<String, Op> UNARY =
      Map.ofEntries(
          Map.entry("Neg", new Op.Neg()),
          Map.entry("Abs", new Op.Abs()),
          Map.entry("Sign", new Op.Sign()),
          Map.entry("Exp", new Op.Exp()),
          Map.entry("Log", new Op.Log()),
          Map.entry("Sqrt", new Op.Sqrt()),
          Map.entry("Reciprocal", new Op.Reciprocal()),
          Map.entry("Relu", new Op.Relu()),
          Map.entry("Sigmoid", new Op.Sigmoid()),
          Map.entry("Tanh", new Op.Tanh()),
          Map.entry("Softplus", new Op.Softplus()),
          Map.entry("Not", new Op.Not()));

  private final GraphBuilder g;
  private final OnnxValues values;
  private final OnnxFill fill;
  private final OnnxShapes shapes;

  OnnxOperators(GraphBuilder g, OnnxValues values, OnnxFill fill) {
    this.g = g;
    this.values = values;
    this.fill = fill;
    this.shapes = new OnnxShapes(g, values, fill);
  }

  /** Adds {@code n} to the graph. */
  void apply(OnnxNode n) {
    try {
      if (n.op().equals("Constant")) {
        values.define(n.outputs().getFirst(), g.constant(OnnxValues.constantData(n)));
      } else {
        Sizes arithmetic = values.sizesOf(n);
        if (arithmetic != null) {
          values.define(n.outputs().getFirst(), arithmetic);
        } else {
          List<Tensor> out = compute(n);
          for (int i = 0; i < n.outputs().size(); i++) {
            if (i < out.size() && !n.outputs().get(i).isEmpty()) {
              values.define(n.outputs().get(i), out.get(i));
            }
          }
        }
      }
      n.finish();
    } catch (OnnxReadException e) {
      throw e;
    } catch (IllegalArgumentException
        | IllegalStateException
        | ArithmeticException
        | IndexOutOfBoundsException
        | NoSuchElementException e) {
      throw n.refuse(String.valueOf(e.getMessage()));
    }
  }

  private List<Tensor> compute(OnnxNode n) {
    Op unary = UNARY.get(n.op());
    if (unary != null) {
      n.wants(1);
      return List.of(g.apply(unary, values.in(n, 0)));
    }
    return switch (n.op()) {
      case "Add" -> pair(n, new Op.Add());
      case "Sub" -> pair(n, new Op.Sub());
      case "Mul" -> pair(n, new Op.Mul());
      case "Div" -> pair(n, new Op.Div());
      case "Equal" -> pair(n, new Op.Equal());
      case "Greater" -> pair(n, new Op.Greater());
      case "Sum" -> fold(n, new Op.Add());
      case "Max" -> fold(n, new Op.Max());
      case "Min" -> fold(n, new Op.Min());
      case "Less" -> List.of(g.apply(new Op.Greater(), values.in(n, 1), values.in(n, 0)));
      case "Pow" -> List.of(pow(n));
      case "Clip" -> List.of(clip(n));
      case "LeakyRelu" -> {
        Tensor x = values.in(n, 0);
        yield List.of(steps(x, g.mul(x, n.decimal("alpha", 0.01f))));
      }
      case "PRelu" -> List.of(steps(values.in(n, 0), g.mul(values.in(n, 0), values.in(n, 1))));
      case "Identity" -> List.of(values.in(n, 0));
      case "Dropout" -> List.of(dropout(n));
      case "Cast" -> List.of(cast(n));
      case "Where" -> List.of(g.where(values.in(n, 0), values.in(n, 1), values.in(n, 2)));
      case "MatMul" -> List.of(matMul(values.in(n, 0), values.in(n, 1)));
      case "Gemm" -> List.of(gemm(n));
      case "ReduceSum" -> List.of(reduce(n, 13, true));
      case "ReduceMean" -> List.of(reduce(n, 18, false));
      case "Softmax" -> List.of(softmax(n));
      case "LayerNormalization" -> layerNormalization(n);
      case "BatchNormalization" -> List.of(batchNormalization(n));
      case "Reshape" -> List.of(shapes.reshape(n));
      case "Flatten" -> {
        Tensor x = values.in(n, 0);
        int axis = n.small("axis", 1);
        int from = axis < 0 ? axis + x.rank() : axis;
        yield List.of(
            g.reshape(
                x,
                x.shape().slice(0, from).elements(),
                x.shape().slice(from, x.rank()).elements()));
      }
      case "Squeeze", "Unsqueeze" -> List.of(shapes.squeezed(n));
      case "Transpose" -> {
        Tensor x = values.in(n, 0);
        List<Integer> reversed = ShapeRules.range(x.rank()).reversed();
        List<Integer> perm = n.integers("perm").map(OnnxValues::small).orElse(reversed);
        yield List.of(g.apply(new Op.Transpose(perm), x));
      }
      case "Concat" -> List.of(g.concat(n.small("axis", 0), values.ins(n)));
      case "Split" -> shapes.split(n);
      case "Slice" -> List.of(shapes.slice(n));
      case "Expand" -> List.of(shapes.expand(n));
      case "ConstantOfShape" -> List.of(shapes.filled(n));
      case "Gather" -> List.of(shapes.gather(n));
      case "ScatterND", "ScatterElements" -> List.of(shapes.scatter(n));
      case "Scan" -> OnnxBody.scan(g, n, values.ins(n), fill);
      default -> throw n.refuse("no such operator is read here");
    };
  }

  // Elementwise.

  private List<Tensor> pair(OnnxNode n, Op op) {
    n.wants(2);
    return List.of(g.apply(op, values.in(n, 0), values.in(n, 1)));
  }

  private List<Tensor> fold(OnnxNode n, Op op) {
    return List.of(
        values.ins(n).stream()
            .reduce((a, b) -> g.apply(op, a, b))
            .orElseThrow(() -> n.refuse("no inputs")));
  }

  private Tensor steps(Tensor x, Tensor below) {
    return g.where(g.apply(new Op.Greater(), x, g.constant(0, x.type())), x, below);
  }

  private Tensor pow(OnnxNode n) {
    Tensor x = values.in(n, 0);
    TensorData exponent = values.constant(n, 1);
    if (exponent.length() != 1 || exponent.shape().rank() > x.rank()) {
      throw n.refuse("the exponent must be one constant number");
    }
    return power(x, exponent.at(0));
  }

  private Tensor power(Tensor x, double exponent) {
    if (exponent < 0) {
      return g.apply(new Op.Reciprocal(), power(x, -exponent));
    }
    if (exponent == 0) {
      return g.expandLike(g.constant(1, x.type()), x);
    }
    if (exponent == 0.5) {
      return g.apply(new Op.Sqrt(), x);
    }
    if (exponent != Math.rint(exponent) || exponent > 64) {
      // Right for negative x too, where both are NaN, but for large whole exponents.
      if (exponent == Math.rint(exponent)) {
        throw new IllegalArgumentException("the exponent " + exponent + " is above 64");
      }
      return g.apply(new Op.Exp(), g.mul(g.apply(new Op.Log(), x), exponent));
    }
    Tensor half = exponent == 1 ? x : power(x, Math.floor(exponent / 2));
    return exponent == 1 ? x : exponent % 2 == 0 ? g.mul(half, half) : g.mul(g.mul(half, half), x);
  }

  private Tensor clip(OnnxNode n) {
    Tensor x = values.in(n, 0);
    float low = n.decimal("min", Float.NEGATIVE_INFINITY);
    float high = n.decimal("max", Float.POSITIVE_INFINITY);
    if (n.has(1)) {
      x = g.apply(new Op.Max(), x, values.in(n, 1));
    } else if (low > -Float.MAX_VALUE) {
      x = g.apply(new Op.Max(), x, g.constant(low, x.type()));
    }
    if (n.has(2)) {
      return g.apply(new Op.Min(), x, values.in(n, 2));
    }
    return high < Float.MAX_VALUE ? g.apply(new Op.Min(), x, g.constant(high, x.type())) : x;
  }

  private Tensor dropout(OnnxNode n) {
    n.ignore("ratio", "seed");
    if (n.has(2) && values.constant(n, 2).at(0) != 0) {
      throw n.refuse("input 'training_mode' is true: only inference has a meaning here");
    }
    return values.in(n, 0);
  }

  private Tensor cast(OnnxNode n) {
    DataType to = OnnxValues.target(n);
    n.ignore("saturate", "to");
    return values.isSizes(n, 0)
        ? values.counted(values.list(n, 0), to)
        : g.cast(values.in(n, 0), to);
  }

  // Products and reductions.

  private Tensor matMul(Tensor a, Tensor b) {
    if (a.rank() == 1) {
      Tensor row = matMul(g.reshape(a, Shape.of(1).concat(a.shape())), b);
      return g.reshape(row, row.shape().without(b.rank() == 1 ? -1 : -2));
    }
    if (b.rank() == 1) {
      Tensor column = g.matMul(a, g.reshape(b, b.shape().concat(Shape.of(1))));
      return g.reshape(column, column.shape().without(-1));
    }
    return g.matMul(a, b);
  }

  private Tensor gemm(OnnxNode n) {
    boolean transA = n.small("transA", 0) != 0;
    boolean transB = n.small("transB", 0) != 0;
    float alpha = n.decimal("alpha", 1);
    float beta = n.decimal("beta", 1);
    if (!n.has(2)) {
      return g.mul(g.gemm(values.in(n, 0), transA, values.in(n, 1), transB), alpha);
    }
    Tensor c = g.mul(values.in(n, 2), beta);
    return alpha == 1
        ? g.gemm(values.in(n, 0), transA, values.in(n, 1), transB, c)
        : g.add(g.mul(g.gemm(values.in(n, 0), transA, values.in(n, 1), transB), alpha), c);
  }

  private Tensor reduce(OnnxNode n, int inputSince, boolean sum) {
    Tensor x = values.in(n, 0);
    List<Long> axes =
        n.opset() < inputSince
            ? n.integers("axes").orElse(null)
            : n.has(1) ? values.longs(n, 1) : null;
    boolean keep = n.small("keepdims", 1) != 0;
    boolean none = n.small("noop_with_empty_axes", 0) != 0;
    if (none && (axes == null || axes.isEmpty())) {
      return x;
    }
    OnnxValues.checkRank(axes == null ? 0 : axes.size());
    List<Integer> reduced = axes == null ? List.of() : OnnxValues.small(axes);
    return g.apply(sum ? new Op.ReduceSum(reduced, keep) : new Op.ReduceMean(reduced, keep), x);
  }

  private Tensor softmax(OnnxNode n) {
    Tensor x = values.in(n, 0);
    int axis = n.small("axis", n.opset() < 13 ? 1 : -1);
    // Before 13 the axes from this one on were taken together.
    if (n.opset() < 13 && x.shape().axis(axis) != x.rank() - 1) {
      throw n.refuse(
          "attribute 'axis' is "
              + axis
              + ": before operator set 13 only the last axis has a meaning here");
    }
    return g.apply(new Op.Softmax(axis), x);
  }

  private List<Tensor> layerNormalization(OnnxNode n) {
    n.only("stash_type", 1);
    Tensor x = values.in(n, 0);
    int axis = x.shape().axis(n.small("axis", -1));
    Op op = new Op.LayerNormalization(n.decimal("epsilon", 1e-5f));
    Dim width = x.shape().slice(axis, x.rank()).elements();
    Tensor flat = g.reshape(x, x.shape().slice(0, axis).concat(Shape.of(width)));
    Tensor scale = g.reshape(values.in(n, 1), width);
    Tensor bias =
        n.has(2)
            ? g.reshape(values.in(n, 2), width)
            : g.constant(fill.zeros(x.type(), Shape.of(width)));
    List<Tensor> out = g.applyAll(op, flat, scale, bias);
    List<Dim> statistics = new ArrayList<>(x.shape().slice(0, axis).dims());
    while (statistics.size() < x.rank()) {
      statistics.add(Dim.of(1));
    }
    Shape kept = new Shape(statistics);
    return List.of(
        g.reshape(out.get(0), x.shape()), g.reshape(out.get(1), kept), g.reshape(out.get(2), kept));
  }

  private Tensor batchNormalization(OnnxNode n) {
    n.only("training_mode", 0);
    n.only("spatial", 1);
    n.ignore("momentum");
    Tensor x = values.in(n, 0);
    float epsilon = n.decimal("epsilon", 1e-5f);
    List<Dim> dims = new ArrayList<>(List.of(x.dim(1)));
    while (dims.size() < x.rank() - 1) {
      dims.add(Dim.of(1));
    }
    Shape channels = new Shape(dims);
    Tensor scale = g.reshape(values.in(n, 1), channels);
    Tensor bias = g.reshape(values.in(n, 2), channels);
    Tensor mean = g.reshape(values.in(n, 3), channels);
    Tensor variance = g.reshape(values.in(n, 4), channels);
    Tensor deviation = g.apply(new Op.Sqrt(), g.add(variance, g.constant(epsilon, x.type())));
    return g.add(g.mul(g.sub(x, mean), g.div(scale, deviation)), bias);
  }
}
