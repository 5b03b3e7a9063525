package dev.wukong.graph;

import com.google.protobuf.ByteString;
import dev.wukong.onnx.Attribute;
import dev.wukong.onnx.GraphProto;
import dev.wukong.onnx.ModelProto;
import dev.wukong.onnx.NodeProto;
import dev.wukong.onnx.OperatorSetId;
import dev.wukong.onnx.StringEntry;
import dev.wukong.onnx.TensorProto;
import dev.wukong.onnx.TensorShapeProto;
import dev.wukong.onnx.TypeProto;
import dev.wukong.onnx.ValueInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Writes a graph as an ONNX model. Operator set and IR version are fixed here and nowhere else. */
public final class OnnxWriter {
  /** The operator set of every file written. */
  public static final int OPSET = 21;

  /** The file format's version. */
  public static final int IR_VERSION = 10;

  private final GraphProto.Builder proto = GraphProto.newBuilder();
  private final Map<Tensor, String> names = new HashMap<>();
  private final Set<Tensor> read = new HashSet<>();
  private final Set<String> taken = new HashSet<>();
  private final Lowering lowering;
  private int helpers;

  private OnnxWriter(Lowering lowering) {
    this.lowering = lowering;
  }

  /**
   * {@code graph} as a model.
   *
   * @param weights the values of its parameters by name; a parameter without one becomes an input
   * @param metadata written into the file's properties
   */
  public static ModelProto write(
      Graph graph,
      Lowering lowering,
      Map<String, TensorData> weights,
      Map<String, String> metadata) {
    OnnxWriter writer = new OnnxWriter(lowering);
    writer.graph(graph, weights);
    ModelProto.Builder model =
        ModelProto.newBuilder()
            .setIrVersion(IR_VERSION)
            .setProducerName("wukong-ranking")
            .addOpsetImport(OperatorSetId.newBuilder().setVersion(OPSET))
            .setGraph(writer.proto);
    metadata.forEach(
        (k, v) -> model.addMetadataProps(StringEntry.newBuilder().setKey(k).setValue(v)));
    return model.build();
  }

  private void graph(Graph graph, Map<String, TensorData> weights) {
    proto.setName(graph.name());
    graph.nodes().forEach(node -> read.addAll(node.inputs()));
    read.addAll(graph.outputs().values());
    reserveNames(graph);
    graph.inputs().forEach(input -> proto.addInput(info(input, input.name())));
    for (Tensor parameter : graph.parameters()) {
      TensorData data = weights.get(parameter.name());
      if (data == null) {
        proto.addInput(info(parameter, parameter.name()));
      } else if (!data.shape().equals(parameter.shape())) {
        throw new IllegalArgumentException(
            "weight '"
                + parameter.name()
                + "' has shape "
                + data.shape()
                + ", not "
                + parameter.shape());
      } else {
        proto.addInitializer(tensor(parameter.name(), data, parameter.type()));
      }
    }
    graph.nodes().forEach(this::node);
    dropUnreadConstants(graph);
    graph
        .outputs()
        .forEach(
            (outputName, tensor) -> {
              if (!name(tensor).equals(outputName)) {
                emit("Identity", List.of(name(tensor)), List.of(outputName));
              }
              proto.addOutput(info(tensor, outputName));
            });
  }

  /**
   * An output computed by a node takes the output's name; an input or a second name goes through
   * Identity.
   */
  private void reserveNames(Graph graph) {
    taken.addAll(graph.outputs().keySet());
    graph.inputs().forEach(input -> taken.add(input.name()));
    graph.parameters().forEach(parameter -> taken.add(parameter.name()));
    graph
        .outputs()
        .forEach(
            (outputName, tensor) -> {
              if (tensor.producer() != null) {
                names.putIfAbsent(tensor, outputName);
              }
            });
    for (Node node : graph.nodes()) {
      for (Tensor out : node.outputs()) {
        if (!names.containsKey(out) && !taken.add(out.name())) {
          names.put(out, fresh());
        }
      }
    }
  }

  /** Constants that only stood for an attribute of an operator written in steps. */
  private void dropUnreadConstants(Graph graph) {
    Set<String> used = new HashSet<>();
    proto.getNodeBuilderList().forEach(node -> used.addAll(node.getInputList()));
    graph.outputs().values().forEach(tensor -> used.add(name(tensor)));
    for (int i = proto.getNodeCount() - 1; i >= 0; i--) {
      NodeProto.Builder node = proto.getNodeBuilder(i);
      if (node.getOpType().equals("Constant") && !used.contains(node.getOutput(0))) {
        proto.removeNode(i);
      }
    }
  }

  private void node(Node node) {
    switch (node.op()) {
      // A node and not an initializer, so that a reader knows what is a weight and what is not.
      case Op.Constant(var value) ->
          plain(node).addAttribute(attribute("value", tensor("", value, value.type())));
      case Op.Add(), Op.Sub(), Op.Mul(), Op.Div(), Op.Max(), Op.Min(), Op.Greater(), Op.Equal() ->
          plain(node);
      case Op.Neg(), Op.Abs(), Op.Sign(), Op.Exp(), Op.Log(), Op.Sqrt(), Op.Reciprocal() ->
          plain(node);
      case Op.Relu(), Op.Sigmoid(), Op.Tanh(), Op.Softplus(), Op.Not() -> plain(node);
      case Op.Where(), Op.MatMul() -> plain(node);
      case Op.Cast(var to) -> plain(node).addAttribute(attribute("to", to.onnx()));
      case Op.Gemm(var transA, var transB) ->
          plain(node)
              .addAttribute(attribute("transA", transA ? 1 : 0))
              .addAttribute(attribute("transB", transB ? 1 : 0));
      case Op.ReduceSum(var axes, var keep) -> reduce(node, axes, keep);
      case Op.ReduceMean(var axes, var keep) -> reduce(node, axes, keep);
      case Op.Softmax(var axis) -> plain(node).addAttribute(attribute("axis", axis));
      case Op.LayerNormalization(var epsilon) -> layerNormalization(node, epsilon);
      case Op.Reshape(var shape) ->
          emit("Reshape", List.of(name(node.in(0)), longs(shape)), outputs(node));
      case Op.Transpose(var perm) -> plain(node).addAttribute(attribute("perm", perm));
      case Op.Concat(var axis) -> plain(node).addAttribute(attribute("axis", axis));
      case Op.Split(var axis, var sizes) ->
          emit("Split", List.of(name(node.in(0)), longs(sizes)), outputs(node))
              .addAttribute(attribute("axis", axis));
      case Op.ExpandLike() ->
          emit("Expand", List.of(name(node.in(0)), shapeOf(name(node.in(1)))), outputs(node));
      case Op.Count(var axes) -> count(node, axes);
      case Op.Gather() -> plain(node);
      case Op.ScatterAdd() -> scatterAdd(node);
    }
  }

  private void reduce(Node node, List<Integer> axes, boolean keep) {
    List<String> in =
        axes.isEmpty()
            ? List.of(name(node.in(0)))
            : List.of(name(node.in(0)), longs(axes.stream().map(Integer::longValue).toList()));
    emit(node.op().getClass().getSimpleName(), in, outputs(node))
        .addAttribute(attribute("keepdims", keep ? 1 : 0));
  }

  private void layerNormalization(Node node, float epsilon) {
    boolean statistics = read.contains(node.out(1)) || read.contains(node.out(2));
    if (statistics && lowering == Lowering.CPU) {
      layerNormalizationInSteps(node, epsilon);
    } else {
      layerNormalizationWhole(node, epsilon, statistics);
    }
  }

  /** In training on the CPU: the provider's own operator takes twice the time of its steps. */
  private void layerNormalizationInSteps(Node node, float epsilon) {
    String x = name(node.in(0));
    String last = longs(List.of(-1L));
    emit("ReduceMean", List.of(x, last), List.of(name(node.out(1))));
    String centred = helper("Sub", List.of(x, name(node.out(1))));
    String square = helper("Mul", List.of(centred, centred));
    String variance = helper("ReduceMean", List.of(square, last));
    String shifted = helper("Add", List.of(variance, number(node.out().type(), epsilon)));
    String deviation = helper("Sqrt", List.of(shifted));
    emit("Reciprocal", List.of(deviation), List.of(name(node.out(2))));
    boolean scaled = !node.in(1).filledWith(1);
    boolean shiftedOut = !node.in(2).filledWith(0);
    String normal = scaled || shiftedOut ? fresh() : name(node.out());
    emit("Mul", List.of(centred, name(node.out(2))), List.of(normal));
    if (scaled) {
      String product = shiftedOut ? fresh() : name(node.out());
      emit("Mul", List.of(normal, name(node.in(1))), List.of(product));
      normal = product;
    }
    if (shiftedOut) {
      emit("Add", List.of(normal, name(node.in(2))), List.of(name(node.out())));
    }
  }

  /** ONNX has the statistics in float whatever the type of the rest. */
  private void layerNormalizationWhole(Node node, float epsilon, boolean statistics) {
    List<String> out = new ArrayList<>(List.of(name(node.out())));
    List<List<String>> casts = new ArrayList<>();
    for (int i = 1; i < 3 && statistics; i++) {
      String statistic = name(node.out(i));
      if (node.out(i).type() != DataType.FLOAT) {
        String inFloat = fresh();
        casts.add(List.of(inFloat, statistic));
        statistic = inFloat;
      }
      out.add(statistic);
    }
    emit("LayerNormalization", node.inputs().stream().map(this::name).toList(), out)
        .addAttribute(attribute("axis", -1))
        .addAttribute(
            Attribute.newBuilder().setName("epsilon").setType(Attribute.Type.FLOAT).setF(epsilon));
    casts.forEach(
        cast ->
            emit("Cast", cast.subList(0, 1), cast.subList(1, 2))
                .addAttribute(attribute("to", node.out().type().onnx())));
  }

  private void count(Node node, List<Integer> axes) {
    String sizes =
        helper(
            "Gather",
            List.of(
                shapeOf(name(node.in(0))), longs(axes.stream().map(Integer::longValue).toList())));
    String product = fresh();
    emit("ReduceProd", List.of(sizes), List.of(product)).addAttribute(attribute("keepdims", 0));
    emit("Cast", List.of(product), outputs(node))
        .addAttribute(attribute("to", node.out().type().onnx()));
  }

  private void scatterAdd(Node node) {
    Tensor like = node.in(0);
    Tensor indices = node.in(1);
    String index = name(indices);
    if (indices.type() != DataType.INT64) {
      index = fresh();
      emit("Cast", List.of(name(indices)), List.of(index))
          .addAttribute(attribute("to", DataType.INT64.onnx()));
    }
    String zeros = fresh();
    TensorData zero = new TensorData.Numbers(node.out().type(), Shape.of(1), new double[1]);
    emit("ConstantOfShape", List.of(shapeOf(name(like))), List.of(zeros))
        .addAttribute(attribute("value", tensor("", zero, zero.type())));
    int tail = like.rank() - 1;
    switch (lowering) {
      case CUDA -> {
        String column = helper("Unsqueeze", List.of(index, longs(List.of(-1L))));
        emit("ScatterND", List.of(zeros, column, name(node.in(2))), outputs(node))
            .addAttribute(attribute("reduction", "add"));
      }
      case CPU -> {
        // ScatterElements wants one index an element, and as many axes as the data has.
        List<Long> axes =
            java.util.stream.LongStream.range(indices.rank(), indices.rank() + (long) tail)
                .boxed()
                .toList();
        String wide = tail == 0 ? index : helper("Unsqueeze", List.of(index, longs(axes)));
        String expanded = helper("Expand", List.of(wide, shapeOf(name(node.in(2)))));
        String flatIndex = expanded;
        String flatUpdates = name(node.in(2));
        if (indices.rank() != 1) {
          String flat = rowsOf(like);
          flatIndex = helper("Reshape", List.of(flatIndex, flat));
          flatUpdates = helper("Reshape", List.of(flatUpdates, flat));
        }
        emit("ScatterElements", List.of(zeros, flatIndex, flatUpdates), outputs(node))
            .addAttribute(attribute("axis", 0))
            .addAttribute(attribute("reduction", "add"));
      }
    }
  }

  /** The target shape of any number of rows like those of {@code like}. */
  private String rowsOf(Tensor like) {
    Shape tail = like.shape().slice(1, like.rank());
    if (tail.dims().stream().allMatch(Dim::fixed)) {
      List<Long> sizes = new ArrayList<>(List.of(-1L));
      tail.dims().forEach(d -> sizes.add(d.size()));
      return longs(sizes);
    }
    String sizes = fresh();
    emit("Shape", List.of(name(like)), List.of(sizes)).addAttribute(attribute("start", 1));
    String target = fresh();
    emit("Concat", List.of(longs(List.of(-1L)), sizes), List.of(target))
        .addAttribute(attribute("axis", 0));
    return target;
  }

  private NodeProto.Builder plain(Node node) {
    return emit(
        node.op().getClass().getSimpleName(),
        node.inputs().stream().map(this::name).toList(),
        outputs(node));
  }

  private NodeProto.Builder emit(String opType, List<String> in, List<String> out) {
    return proto
        .addNodeBuilder()
        .setOpType(opType)
        .setName(out.getFirst())
        .addAllInput(in)
        .addAllOutput(out);
  }

  private String helper(String opType, List<String> in) {
    String out = fresh();
    emit(opType, in, List.of(out));
    return out;
  }

  private String shapeOf(String tensor) {
    return helper("Shape", List.of(tensor));
  }

  private String fresh() {
    String name = "#" + helpers++;
    return taken.add(name) ? name : fresh();
  }

  private List<String> outputs(Node node) {
    return node.outputs().stream().map(this::name).toList();
  }

  private String name(Tensor tensor) {
    return names.getOrDefault(tensor, tensor.name());
  }

  /** A constant holding a target shape: -1 stands for the one symbolic dimension. */
  private String longs(Shape shape) {
    List<Long> sizes = shape.dims().stream().map(d -> d.fixed() ? d.factor() : -1L).toList();
    if (sizes.stream().filter(n -> n == -1).count() > 1) {
      throw new IllegalArgumentException(
          "reshape to " + shape + " with more than one symbolic dimension");
    }
    return longs(sizes);
  }

  private String number(DataType type, double value) {
    String name = fresh();
    TensorData data = new TensorData.Numbers(type, Shape.SCALAR, new double[] {value});
    proto.addInitializer(tensor(name, data, type));
    return name;
  }

  private String longs(List<Long> values) {
    String name = fresh();
    double[] numbers = values.stream().mapToDouble(Long::doubleValue).toArray();
    TensorData data = new TensorData.Numbers(DataType.INT64, Shape.of(numbers.length), numbers);
    proto.addInitializer(tensor(name, data, DataType.INT64));
    return name;
  }

  private static Attribute attribute(String name, long value) {
    return Attribute.newBuilder().setName(name).setType(Attribute.Type.INT).setI(value).build();
  }

  private static Attribute attribute(String name, String value) {
    return Attribute.newBuilder()
        .setName(name)
        .setType(Attribute.Type.STRING)
        .setS(ByteString.copyFromUtf8(value))
        .build();
  }

  private static Attribute attribute(String name, TensorProto value) {
    return Attribute.newBuilder().setName(name).setType(Attribute.Type.TENSOR).setT(value).build();
  }

  private static Attribute attribute(String name, List<Integer> values) {
    Attribute.Builder result = Attribute.newBuilder().setName(name).setType(Attribute.Type.INTS);
    values.forEach(v -> result.addInts(v));
    return result.build();
  }

  private static ValueInfo info(Tensor tensor, String name) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (Dim dim : tensor.shape().dims()) {
      if (dim.fixed()) {
        shape.addDimBuilder().setDimValue(dim.factor());
      } else {
        shape.addDimBuilder().setDimParam(dim.toString());
      }
    }
    TypeProto.Tensor type =
        TypeProto.Tensor.newBuilder().setElemType(tensor.type().onnx()).setShape(shape).build();
    return ValueInfo.newBuilder()
        .setName(name)
        .setType(TypeProto.newBuilder().setTensorType(type))
        .build();
  }

  private static TensorProto tensor(String name, TensorData data, DataType type) {
    int length = data.length();
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(length, type.bytes()))
            .order(ByteOrder.LITTLE_ENDIAN);
    if (data instanceof TensorData.Floats(var _, var values) && type == DataType.FLOAT) {
      bytes.asFloatBuffer().put(values);
    } else {
      for (int i = 0; i < length; i++) {
        put(bytes, type, data.at(i));
      }
      bytes.flip();
    }
    TensorProto.Builder result =
        TensorProto.newBuilder()
            .setName(name)
            .setDataType(type.onnx())
            .setRawData(ByteString.copyFrom(bytes));
    for (long size : data.shape().sizes()) {
      result.addDims(size);
    }
    return result.build();
  }

  private static void put(ByteBuffer bytes, DataType type, double value) {
    switch (type) {
      case FLOAT -> bytes.putFloat((float) value);
      case DOUBLE -> bytes.putDouble(value);
      case INT32 -> bytes.putInt((int) value);
      case INT64 -> bytes.putLong((long) value);
      case UINT8, BOOL -> bytes.put((byte) value);
      case FLOAT16 -> bytes.putShort(Float.floatToFloat16((float) value));
    }
  }
}
