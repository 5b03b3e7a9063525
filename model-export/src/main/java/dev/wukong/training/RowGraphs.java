package dev.wukong.training;

import dev.wukong.graph.OnnxWriter;
import dev.wukong.onnx.GraphProto;
import dev.wukong.onnx.ModelProto;
import dev.wukong.onnx.NodeProto;
import dev.wukong.onnx.OperatorSetId;
import dev.wukong.onnx.TensorShapeProto;
import dev.wukong.onnx.TypeProto;
import dev.wukong.onnx.ValueInfo;
import java.util.List;

/** Models of one operator each that move rows of any table within a device's memory. */
final class RowGraphs {
  private static final int FLOAT = 1;
  private static final int INT64 = 7;

  private RowGraphs() {}

  /** {@code table} [c, d], {@code index} int64 [n] to {@code rows} [n, d]. */
  static byte[] gather() {
    return model(
        "Gather",
        List.of(value("table", FLOAT, "c", "d"), value("index", INT64, "n")),
        value("rows", FLOAT, "n", "d"));
  }

  /**
   * {@code table} [c, d], {@code index} int64 [n, 1] of distinct rows, {@code rows} [n, d] to
   * {@code changed} [c, d]: where that is bound to the table's own place nothing else is copied.
   */
  static byte[] scatter() {
    return model(
        "ScatterND",
        List.of(
            value("table", FLOAT, "c", "d"),
            value("index", INT64, "n", "one"),
            value("rows", FLOAT, "n", "d")),
        value("changed", FLOAT, "c", "d"));
  }

  private static byte[] model(String operator, List<ValueInfo> inputs, ValueInfo output) {
    NodeProto.Builder node = NodeProto.newBuilder().setOpType(operator).setName(operator);
    inputs.forEach(input -> node.addInput(input.getName()));
    GraphProto.Builder graph =
        GraphProto.newBuilder()
            .setName(operator)
            .addAllInput(inputs)
            .addNode(node.addOutput(output.getName()))
            .addOutput(output);
    return ModelProto.newBuilder()
        .setIrVersion(OnnxWriter.IR_VERSION)
        .addOpsetImport(OperatorSetId.newBuilder().setVersion(OnnxWriter.OPSET))
        .setGraph(graph)
        .build()
        .toByteArray();
  }

  private static ValueInfo value(String name, int type, String... dims) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (String dim : dims) {
      shape.addDimBuilder().setDimParam(dim);
    }
    TypeProto.Tensor tensor =
        TypeProto.Tensor.newBuilder().setElemType(type).setShape(shape).build();
    return ValueInfo.newBuilder()
        .setName(name)
        .setType(TypeProto.newBuilder().setTensorType(tensor))
        .build();
  }
}
