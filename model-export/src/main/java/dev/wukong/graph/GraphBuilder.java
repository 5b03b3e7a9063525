package dev.wukong.graph;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The only maker of tensors: each call adds an operator, infers its shape at once and refuses
 * inputs that do not fit. Names are unique; they carry the scopes open at the time ({@code
 * layer1/fm/MatMul_3}). Not thread-safe.
 */
public final class GraphBuilder {
  private final String name;
  private final DataType type;
  private final List<Tensor> inputs = new ArrayList<>();
  private final List<Tensor> parameters = new ArrayList<>();
  private final Map<String, Tensor> outputs = new LinkedHashMap<>();
  private final List<Node> nodes = new ArrayList<>();
  private final Map<String, Integer> used = new HashMap<>();
  private final Map<TensorData, Tensor> constants = new HashMap<>();
  private final Deque<String> scopes = new ArrayDeque<>();

  /**
   * @param type the floating-point type of parameters and constants unless said otherwise: FLOAT,
   *     FLOAT16 for a graph in half precision, or DOUBLE to check gradients
   */
  public GraphBuilder(String name, DataType type) {
    this.name = name;
    this.type = type;
  }

  public DataType type() {
    return type;
  }

  /** The type of what half precision would spoil: FLOAT in a graph of FLOAT16, else the graph's. */
  public DataType wideType() {
    return type == DataType.FLOAT16 ? DataType.FLOAT : type;
  }

  /** Prefixes the names made until it is closed; an empty prefix changes nothing. */
  public Scope scope(String prefix) {
    if (prefix.isEmpty()) {
      return () -> {};
    }
    scopes.addLast(prefix);
    return scopes::removeLast;
  }

  /** An open name prefix. */
  public interface Scope extends AutoCloseable {
    @Override
    void close();
  }

  // Ends of the graph.

  public Tensor input(String inputName, DataType inputType, Dim... dims) {
    if (used.containsKey(inputName)) {
      throw new IllegalArgumentException(
          "the name '" + inputName + "' is taken: an input's name is used as it is");
    }
    Tensor tensor = new Tensor(this, claim(inputName), inputType, Shape.of(dims));
    inputs.add(tensor);
    return tensor;
  }

  /** A weight, of the builder's type. Its full name is the open scopes' and {@code own}. */
  public Tensor parameter(String own, Shape shape) {
    return parameter(own, shape, type);
  }

  /** A weight of another type. */
  public Tensor parameter(String own, Shape shape, DataType of) {
    Tensor tensor = new Tensor(this, claim(path(own)), of, shape);
    parameters.add(tensor);
    return tensor;
  }

  public List<Tensor> parameters() {
    return List.copyOf(parameters);
  }

  /**
   * Names {@code tensor} as an output. An input may be one under its own name or another, but no
   * output takes a different input's name.
   */
  public void output(String outputName, Tensor tensor) {
    for (Tensor given : ends()) {
      if (given != tensor && given.name().equals(outputName)) {
        throw new IllegalArgumentException(
            "output '" + outputName + "' has the name of the input or parameter " + given);
      }
    }
    if (outputs.putIfAbsent(outputName, own(tensor)) != null) {
      throw new IllegalArgumentException("output '" + outputName + "' exists");
    }
  }

  private List<Tensor> ends() {
    List<Tensor> ends = new ArrayList<>(inputs);
    ends.addAll(parameters);
    return ends;
  }

  /**
   * The graph of everything that the outputs need. Inputs stay inputs even where no output needs
   * them.
   */
  public Graph build() {
    Set<Node> needed = ancestors(outputs.values());
    return new Graph(
        name, inputs, parameters, outputs, nodes.stream().filter(needed::contains).toList());
  }

  /** The nodes that {@code tensors} are computed from, in the order they were added. */
  public List<Node> nodesFor(Collection<Tensor> tensors) {
    Set<Node> needed = ancestors(tensors);
    return nodes.stream().filter(needed::contains).toList();
  }

  /** The nodes that {@code tensors} are computed from. */
  static Set<Node> ancestors(Collection<Tensor> tensors) {
    // A node is no other's equal; to compare their contents would read a Scan's body each time.
    Set<Node> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    Deque<Tensor> open = new ArrayDeque<>(tensors);
    while (!open.isEmpty()) {
      Node producer = open.removeLast().producer();
      if (producer != null && seen.add(producer)) {
        open.addAll(producer.inputs());
      }
    }
    return seen;
  }

  // Operators.

  /** Adds {@code op} and returns its outputs. */
  public List<Tensor> applyAll(Op op, Tensor... in) {
    for (Tensor tensor : in) {
      own(tensor);
    }
    String nodeName = claim(path(op.getClass().getSimpleName()));
    List<ShapeRules.Typed> typed = ShapeRules.infer(op, Arrays.asList(in));
    List<Tensor> out = new ArrayList<>();
    for (int i = 0; i < typed.size(); i++) {
      String tensorName = i == 0 ? nodeName : nodeName + ":" + i;
      out.add(new Tensor(this, tensorName, typed.get(i).type(), typed.get(i).shape()));
    }
    Node node = new Node(nodeName, op, Arrays.asList(in), out);
    out.forEach(tensor -> tensor.producedBy(node));
    nodes.add(node);
    return List.copyOf(out);
  }

  /** Adds {@code op} and returns its first output. */
  public Tensor apply(Op op, Tensor... in) {
    return applyAll(op, in).getFirst();
  }

  /** A constant; equal constants are one. */
  public Tensor constant(TensorData data) {
    Tensor known = constants.get(data);
    if (known == null) {
      known = apply(new Op.Constant(data));
      constants.put(data, known);
    }
    return known;
  }

  /** A scalar of the builder's type. */
  public Tensor constant(double value) {
    return constant(value, type);
  }

  public Tensor constant(double value, DataType of) {
    return constant(new TensorData.Numbers(of, Shape.SCALAR, new double[] {value}));
  }

  public Tensor add(Tensor a, Tensor b) {
    return apply(new Op.Add(), a, b);
  }

  public Tensor sub(Tensor a, Tensor b) {
    return apply(new Op.Sub(), a, b);
  }

  public Tensor mul(Tensor a, Tensor b) {
    return apply(new Op.Mul(), a, b);
  }

  public Tensor mul(Tensor a, double b) {
    return b == 1 ? a : mul(a, constant(b, a.type()));
  }

  public Tensor div(Tensor a, Tensor b) {
    return apply(new Op.Div(), a, b);
  }

  public Tensor neg(Tensor x) {
    return apply(new Op.Neg(), x);
  }

  public Tensor cast(Tensor x, DataType to) {
    return x.type() == to ? x : apply(new Op.Cast(to), x);
  }

  public Tensor where(Tensor condition, Tensor then, Tensor otherwise) {
    return apply(new Op.Where(), condition, then, otherwise);
  }

  public Tensor matMul(Tensor a, Tensor b) {
    return apply(new Op.MatMul(), a, b);
  }

  /** a b, each transposed first where asked; matrices only. */
  public Tensor gemm(Tensor a, boolean transA, Tensor b, boolean transB) {
    return apply(new Op.Gemm(transA, transB), a, b);
  }

  public Tensor gemm(Tensor a, boolean transA, Tensor b, boolean transB, Tensor c) {
    return apply(new Op.Gemm(transA, transB), a, b, c);
  }

  public Tensor reduceSum(Tensor x, boolean keepDims, Integer... axes) {
    return apply(new Op.ReduceSum(List.of(axes), keepDims), x);
  }

  public Tensor reduceMean(Tensor x, boolean keepDims, Integer... axes) {
    return apply(new Op.ReduceMean(List.of(axes), keepDims), x);
  }

  public Tensor reshape(Tensor x, Dim... dims) {
    return reshape(x, Shape.of(dims));
  }

  public Tensor reshape(Tensor x, Shape shape) {
    return x.shape().equals(shape) ? x : apply(new Op.Reshape(shape), x);
  }

  public Tensor transpose(Tensor x, Integer... perm) {
    return apply(new Op.Transpose(List.of(perm)), x);
  }

  /** The last two axes exchanged. */
  public Tensor transposeLast(Tensor x) {
    List<Integer> perm = new ArrayList<>(ShapeRules.range(x.rank()));
    perm.set(x.rank() - 2, x.rank() - 1);
    perm.set(x.rank() - 1, x.rank() - 2);
    return apply(new Op.Transpose(perm), x);
  }

  public Tensor concat(int axis, List<Tensor> parts) {
    return parts.size() == 1
        ? parts.getFirst()
        : apply(new Op.Concat(parts.getFirst().shape().axis(axis)), parts.toArray(Tensor[]::new));
  }

  public List<Tensor> split(Tensor x, int axis, List<Long> sizes) {
    return sizes.size() == 1 ? List.of(x) : applyAll(new Op.Split(x.shape().axis(axis), sizes), x);
  }

  public Tensor expandLike(Tensor x, Tensor like) {
    return x.shape().equals(like.shape()) ? x : apply(new Op.ExpandLike(), x, like);
  }

  public Tensor gather(Tensor data, Tensor indices) {
    return apply(new Op.Gather(), data, indices);
  }

  /**
   * {@code x} summed over the axes in which {@code shape} is broadcast to it; its shape is then
   * {@code shape}.
   */
  public Tensor sumTo(Tensor x, Shape shape) {
    if (x.shape().equals(shape)) {
      return x;
    }
    int extra = x.rank() - shape.rank();
    List<Integer> axes = new ArrayList<>();
    for (int i = 0; i < x.rank(); i++) {
      if (i < extra || (shape.dim(i - extra).one() && !x.dim(i).one())) {
        axes.add(i);
      }
    }
    Tensor summed = axes.isEmpty() ? x : apply(new Op.ReduceSum(axes, true), x);
    return reshape(summed, shape);
  }

  private Tensor own(Tensor tensor) {
    if (tensor.owner() != this) {
      throw new IllegalArgumentException("tensor " + tensor + " belongs to another graph");
    }
    return tensor;
  }

  private String path(String own) {
    return scopes.isEmpty() ? own : String.join("/", scopes) + "/" + own;
  }

  private String claim(String wanted) {
    String name = wanted;
    int count = used.merge(name, 1, Integer::sum);
    while (count > 1) {
      name = name + "_" + count;
      count = used.merge(name, 1, Integer::sum);
    }
    return name;
  }
}
