package dev.wukong.graph;

import static dev.wukong.graph.OnnxAttributes.attribute;

import dev.wukong.onnx.GraphProto;
import dev.wukong.onnx.ModelProto;
import dev.wukong.onnx.NodeProto;
import dev.wukong.onnx.OperatorSetId;
import dev.wukong.onnx.StringEntry;
import dev.wukong.onnx.TensorShapeProto;
import dev.wukong.onnx.TypeProto;
import dev.wukong.onnx.ValueInfo;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Writes a graph as an ONNX model. Operator set and IR version are fixed here and nowhere else. */
public final class OnnxWriter {
  /** The operator set of every file written. */
  public static final int OPSET = 21;

  /** The file format's version. */
  public static final int IR_VERSION = 10;

  private final OnnxNodes to;
  private final Set<Tensor> read = new HashSet<>();
  private final Lowering lowering;
  private final OnnxSteps steps;

  private OnnxWriter(OnnxNodes to, Lowering lowering) {
    this.to = to;
    this.lowering = lowering;
    this.steps = new OnnxSteps(to, read, lowering);
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
    OnnxWriter writer = new OnnxWriter(new OnnxNodes(), lowering);
    writer.graph(graph, weights);
    ModelProto.Builder model =
        ModelProto.newBuilder()
            .setIrVersion(IR_VERSION)
            .setProducerName("wukong-ranking")
            .addOpsetImport(OperatorSetId.newBuilder().setVersion(OPSET))
            .setGraph(writer.to.proto);
    new TreeMap<>(metadata)
        .forEach((k, v) -> model.addMetadataProps(StringEntry.newBuilder().setKey(k).setValue(v)));
    return model.build();
  }

  private void graph(Graph graph, Map<String, TensorData> weights) {
    reserveNames(graph);
    graph.inputs().forEach(input -> to.proto.addInput(info(input, input.name())));
    for (Tensor parameter : graph.parameters()) {
      TensorData data = weights.get(parameter.name());
      if (data == null) {
        to.proto.addInput(info(parameter, parameter.name()));
      } else if (!data.shape().equals(parameter.shape())) {
        throw new IllegalArgumentException(
            "weight '"
                + parameter.name()
                + "' has shape "
                + data.shape()
                + ", not "
                + parameter.shape());
      } else {
        to.proto.addInitializer(OnnxTensors.write(parameter.name(), data, parameter.type()));
      }
    }
    nodes(graph);
    graph
        .outputs()
        .forEach(
            (outputName, tensor) -> {
              if (!to.name(tensor).equals(outputName)) {
                to.emit("Identity", List.of(to.name(tensor)), List.of(outputName));
              }
              to.proto.addOutput(info(tensor, outputName));
            });
  }

  private void nodes(Graph graph) {
    to.proto.setName(graph.name());
    graph.nodes().forEach(node -> read.addAll(node.inputs()));
    read.addAll(graph.outputs().values());
    graph.nodes().forEach(this::node);
    dropUnreadConstants(graph);
  }

  /**
   * An output computed by a node takes the output's name; an input or a second name goes through
   * Identity.
   */
  private void reserveNames(Graph graph) {
    graph.outputs().keySet().forEach(to::reserve);
    List<Tensor> given = new ArrayList<>(graph.inputs());
    given.addAll(graph.parameters());
    for (Tensor tensor : given) {
      to.reserve(tensor.name());
      to.rename(tensor, tensor.name());
    }
    graph
        .outputs()
        .forEach(
            (outputName, tensor) -> {
              if (tensor.producer() != null) {
                to.rename(tensor, outputName);
              }
            });
    graph.nodes().forEach(node -> node.outputs().forEach(to::claim));
  }

  /** The body of a Scan: its ends are known by their order, so that their names are free. */
  private GraphProto body(Graph body, String name) {
    OnnxWriter inner = new OnnxWriter(to.inside(name), lowering);
    body.inputs().forEach(inner.to::claim);
    body.nodes().forEach(node -> node.outputs().forEach(inner.to::claim));
    body.inputs().forEach(in -> inner.to.proto.addInput(info(in, inner.to.name(in))));
    inner.nodes(body);
    Set<Tensor> own = new HashSet<>();
    for (Tensor tensor : body.outputs().values()) {
      String output = inner.to.name(tensor);
      if (tensor.producer() == null || !own.add(tensor)) {
        output = inner.to.helper("Identity", List.of(output));
      }
      inner.to.proto.addOutput(info(tensor, output));
    }
    return inner.to.proto.build();
  }

  /** Constants that only stood for an attribute of an operator written in steps. */
  private void dropUnreadConstants(Graph graph) {
    Set<String> used = new HashSet<>();
    to.proto.getNodeBuilderList().forEach(node -> used.addAll(node.getInputList()));
    graph.outputs().values().forEach(tensor -> used.add(to.name(tensor)));
    for (int i = to.proto.getNodeCount() - 1; i >= 0; i--) {
      NodeProto.Builder node = to.proto.getNodeBuilder(i);
      if (node.getOpType().equals("Constant") && !used.contains(node.getOutput(0))) {
        to.proto.removeNode(i);
      }
    }
  }

  private void node(Node node) {
    switch (node.op()) {
      // A node and not an initializer, so that a reader knows what is a weight and what is not.
      case Op.Constant(var value) ->
          plain(node).addAttribute(attribute("value", OnnxTensors.write("", value, value.type())));
      case Op.Add(), Op.Sub(), Op.Mul(), Op.Div(), Op.Max(), Op.Min(), Op.Greater(), Op.Equal() ->
          plain(node);
      case Op.Neg(), Op.Abs(), Op.Sign(), Op.Exp(), Op.Log(), Op.Sqrt(), Op.Reciprocal() ->
          plain(node);
      case Op.Relu(), Op.Sigmoid(), Op.Tanh(), Op.Softplus(), Op.Not() -> plain(node);
      case Op.Where() -> plain(node);
      case Op.MatMul() -> product(node);
      case Op.Cast(var type) -> plain(node).addAttribute(attribute("to", type.onnx()));
      case Op.Gemm(var transA, var transB) ->
          product(node)
              .addAttribute(attribute("transA", transA ? 1 : 0))
              .addAttribute(attribute("transB", transB ? 1 : 0));
      case Op.ReduceSum(var axes, var keep) -> reduce(node, axes, keep);
      case Op.ReduceMean(var axes, var keep) -> reduce(node, axes, keep);
      case Op.Softmax(var axis) -> plain(node).addAttribute(attribute("axis", axis));
      case Op.LayerNormalization(var epsilon) -> steps.layerNormalization(node, epsilon);
      case Op.Reshape(var shape) ->
          to.emit("Reshape", List.of(to.name(node.in(0)), to.longs(shape)), to.outputs(node));
      case Op.Transpose(var perm) -> plain(node).addAttribute(attribute("perm", perm));
      case Op.Concat(var axis) -> plain(node).addAttribute(attribute("axis", axis));
      case Op.Split(var axis, var sizes) ->
          to.emit("Split", List.of(to.name(node.in(0)), to.longs(sizes)), to.outputs(node))
              .addAttribute(attribute("axis", axis));
      case Op.ExpandLike() ->
          to.emit(
              "Expand",
              List.of(to.name(node.in(0)), to.shapeOf(to.name(node.in(1)))),
              to.outputs(node));
      case Op.Count(var axes) -> steps.count(node, axes);
      case Op.Gather() -> plain(node);
      case Op.ScatterAdd() -> steps.scatterAdd(node);
      case Op.Scan(var body, var carried) ->
          plain(node)
              .addAttribute(attribute("body", body(body, node.name())))
              .addAttribute(attribute("num_scan_inputs", node.inputs().size() - carried));
    }
  }

  private void reduce(Node node, List<Integer> axes, boolean keep) {
    List<String> in =
        axes.isEmpty()
            ? List.of(to.name(node.in(0)))
            : List.of(
                to.name(node.in(0)), to.longs(axes.stream().map(Integer::longValue).toList()));
    to.emit(type(node), in, to.outputs(node)).addAttribute(attribute("keepdims", keep ? 1 : 0));
  }

  private NodeProto.Builder product(Node node) {
    return lowering == Lowering.CPU && node.out().type() == DataType.FLOAT16
        ? steps.inFloat(node, type(node))
        : plain(node);
  }

  private NodeProto.Builder plain(Node node) {
    return to.emit(type(node), to.names(node.inputs()), to.outputs(node));
  }

  /** ONNX's operator of the same name. */
  private static String type(Node node) {
    return node.op().getClass().getSimpleName();
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
}
