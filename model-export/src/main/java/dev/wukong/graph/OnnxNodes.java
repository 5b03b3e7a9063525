package dev.wukong.graph;

import dev.wukong.onnx.GraphProto;
import dev.wukong.onnx.NodeProto;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The nodes of a graph being written, and the names of its values: unique in the whole file, since
 * the body of a Scan sees the names around it.
 */
final class OnnxNodes {
  final GraphProto.Builder proto = GraphProto.newBuilder();
  private final Map<Tensor, String> names = new HashMap<>();
  private final Set<String> taken;
  private final String prefix;
  private int helpers;

  OnnxNodes() {
    this("", new HashSet<>());
  }

  private OnnxNodes(String prefix, Set<String> taken) {
    this.prefix = prefix;
    this.taken = taken;
  }

  /** Those of a graph within this one. */
  OnnxNodes inside(String name) {
    return new OnnxNodes(prefix + name + ".", taken);
  }

  /** Keeps {@code name} from being given to another value. */
  void reserve(String name) {
    taken.add(name);
  }

  /** Names {@code tensor} {@code name}, which is reserved, unless it has a name already. */
  void rename(Tensor tensor, String name) {
    names.putIfAbsent(tensor, name);
  }

  /** Names {@code tensor} as it is called in its graph, or otherwise where that is taken. */
  void claim(Tensor tensor) {
    if (!names.containsKey(tensor)) {
      String wanted = prefix + tensor.name();
      names.put(tensor, taken.add(wanted) ? wanted : fresh());
    }
  }

  List<String> names(List<Tensor> tensors) {
    return tensors.stream().map(this::name).toList();
  }

  /** Adds a node, named like its first output. */
  NodeProto.Builder emit(String opType, List<String> in, List<String> out) {
    return proto
        .addNodeBuilder()
        .setOpType(opType)
        .setName(out.getFirst())
        .addAllInput(in)
        .addAllOutput(out);
  }

  /** Adds a node with one output; returns its name. */
  String helper(String opType, List<String> in) {
    String out = fresh();
    emit(opType, in, List.of(out));
    return out;
  }

  String shapeOf(String tensor) {
    return helper("Shape", List.of(tensor));
  }

  /** A name that no value has. */
  String fresh() {
    String name = prefix + "#" + helpers++;
    while (!taken.add(name)) {
      name = prefix + "#" + helpers++;
    }
    return name;
  }

  List<String> outputs(Node node) {
    return node.outputs().stream().map(this::name).toList();
  }

  String name(Tensor tensor) {
    return names.getOrDefault(tensor, tensor.name());
  }

  /** A constant holding a target shape: -1 stands for the one symbolic dimension. */
  String longs(Shape shape) {
    List<Long> sizes = shape.dims().stream().map(d -> d.fixed() ? d.factor() : -1L).toList();
    if (sizes.stream().filter(n -> n == -1).count() > 1) {
      throw new IllegalArgumentException(
          "reshape to " + shape + " with more than one symbolic dimension");
    }
    return longs(sizes);
  }

  /** A scalar; returns its name. */
  String number(DataType type, double value) {
    return constant(new TensorData.Numbers(type, Shape.SCALAR, new double[] {value}));
  }

  /** A list of int64; returns its name. */
  String longs(List<Long> values) {
    double[] numbers = values.stream().mapToDouble(Long::doubleValue).toArray();
    return constant(new TensorData.Numbers(DataType.INT64, Shape.of(numbers.length), numbers));
  }

  /** A constant; returns its name. */
  String constant(TensorData data) {
    String name = fresh();
    proto.addInitializer(OnnxTensors.write(name, data, data.type()));
    return name;
  }
}
