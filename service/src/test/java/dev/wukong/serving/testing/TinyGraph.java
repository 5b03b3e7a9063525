package dev.wukong.serving.testing;

import com.google.protobuf.ByteString;
import dev.wukong.data.Group;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import dev.wukong.onnx.Attribute;
import dev.wukong.onnx.GraphProto;
import dev.wukong.onnx.ModelProto;
import dev.wukong.onnx.NodeProto;
import dev.wukong.onnx.OperatorSetId;
import dev.wukong.onnx.TensorProto;
import dev.wukong.onnx.TensorShapeProto;
import dev.wukong.onnx.TypeProto;
import dev.wukong.onnx.ValueInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The predict graph of {@link TinyModel}, written node by node: the logit of task t is (all row
 * elements, times their weights where there are some, plus all dense columns, of the candidate and
 * its context) times {@code scale[t]}.
 */
public final class TinyGraph {
  static final int OPSET = 20;
  private static final int IR_VERSION = 9;
  private static final int FLOAT = 1;
  private static final int INT32 = 6;
  private static final int INT64 = 7;
  private static final int FLOAT16 = 10;

  private final GraphProto.Builder graph = GraphProto.newBuilder().setName("tiny");
  private final boolean half;
  private int names;

  private TinyGraph(boolean half) {
    this.half = half;
  }

  /** The bytes of the graph in single precision. */
  public static byte[] of(InputLayout layout, float[] scale) {
    return new TinyGraph(false).build(layout, scale).toByteArray();
  }

  /** The graph that takes its rows in half precision. */
  static byte[] half(InputLayout layout, float[] scale) {
    return new TinyGraph(true).build(layout, scale).toByteArray();
  }

  private ModelProto build(InputLayout layout, float[] scale) {
    ints("axes1", 1);
    ints("axes12", 1, 2);
    ints("axis2", 2);
    String context = scope(layout, Scope.CONTEXT, "R");
    String candidate = scope(layout, Scope.CANDIDATE, "B");
    input("context_of", INT32, "B");
    String total = node("Add", candidate, node("Gather", context, "context_of"));
    String column = node("Unsqueeze", total, "axes1"); // [B] -> [B, 1]
    ByteBuffer bytes = ByteBuffer.allocate(4 * scale.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float s : scale) {
      bytes.putFloat(s);
    }
    graph.addInitializer(
        TensorProto.newBuilder()
            .setName("scale")
            .setDataType(FLOAT)
            .addDims(1)
            .addDims(scale.length)
            .setRawData(ByteString.copyFrom(bytes.flip())));
    graph.addNode(
        NodeProto.newBuilder()
            .setOpType("Mul")
            .addInput(column)
            .addInput("scale")
            .addOutput("logits"));
    graph.addNode(
        NodeProto.newBuilder().setOpType("Sigmoid").addInput("logits").addOutput("probabilities"));
    graph.addOutput(value("probabilities", FLOAT, "B", Integer.toString(scale.length)));
    graph.addOutput(value("logits", FLOAT, "B", Integer.toString(scale.length)));
    return ModelProto.newBuilder()
        .setIrVersion(IR_VERSION)
        .setProducerName("tiny")
        .addOpsetImport(OperatorSetId.newBuilder().setVersion(OPSET))
        .setGraph(graph)
        .build();
  }

  /** The sum [rows] of everything a row of the scope has. */
  private String scope(InputLayout layout, Scope scope, String rows) {
    String name = scope.name().toLowerCase(Locale.ROOT);
    List<String> sums = new ArrayList<>();
    for (int g = 0; g < layout.groups().size(); g++) {
      Group group = layout.groups().get(g);
      String rowsName = "rows." + group.name();
      if (graph.getInputList().stream().noneMatch(i -> i.getName().equals(rowsName))) {
        input(
            rowsName, half ? FLOAT16 : FLOAT, "U." + group.name(), Integer.toString(group.width()));
      }
      int width = layout.slotWidth(scope, g);
      if (width > 0) {
        String slots = "slots." + name + "." + group.name();
        input(slots, INT32, rows, Integer.toString(width));
        String gathered = node("Gather", rowsName, slots); // [rows, W, d]
        if (half) {
          gathered = toFloat(gathered);
        }
        if (layout.weighted(scope, g)) {
          String weights = "weights." + name + "." + group.name();
          input(weights, FLOAT, rows, Integer.toString(width));
          gathered = node("Mul", gathered, node("Unsqueeze", weights, "axis2"));
        }
        sums.add(sum(gathered, "axes12"));
      }
    }
    int dense = layout.denseWidth(scope);
    if (dense > 0) {
      input("dense." + name, FLOAT, rows, Integer.toString(dense));
      sums.add(sum("dense." + name, "axes1"));
    }
    String total = sums.getFirst();
    for (String sum : sums.subList(1, sums.size())) {
      total = node("Add", total, sum);
    }
    return total;
  }

  private String sum(String of, String axes) {
    String name = "v" + names++;
    graph.addNode(
        NodeProto.newBuilder()
            .setOpType("ReduceSum")
            .addInput(of)
            .addInput(axes)
            .addOutput(name)
            .addAttribute(
                Attribute.newBuilder().setName("keepdims").setType(Attribute.Type.INT).setI(0)));
    return name;
  }

  private String toFloat(String of) {
    String name = "v" + names++;
    graph.addNode(
        NodeProto.newBuilder()
            .setOpType("Cast")
            .addInput(of)
            .addOutput(name)
            .addAttribute(
                Attribute.newBuilder().setName("to").setType(Attribute.Type.INT).setI(FLOAT)));
    return name;
  }

  private String node(String op, String... inputs) {
    String name = "v" + names++;
    graph.addNode(
        NodeProto.newBuilder().setOpType(op).addAllInput(List.of(inputs)).addOutput(name));
    return name;
  }

  private void ints(String name, long... values) {
    TensorProto.Builder tensor =
        TensorProto.newBuilder().setName(name).setDataType(INT64).addDims(values.length);
    for (long value : values) {
      tensor.addInt64Data(value);
    }
    graph.addInitializer(tensor);
  }

  private void input(String name, int type, String... dims) {
    graph.addInput(value(name, type, dims));
  }

  private static ValueInfo value(String name, int type, String... dims) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (String dim : dims) {
      TensorShapeProto.Dimension.Builder dimension = TensorShapeProto.Dimension.newBuilder();
      if (dim.chars().allMatch(Character::isDigit)) {
        dimension.setDimValue(Long.parseLong(dim));
      } else {
        dimension.setDimParam(dim);
      }
      shape.addDim(dimension);
    }
    return ValueInfo.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(TypeProto.Tensor.newBuilder().setElemType(type).setShape(shape)))
        .build();
  }
}
