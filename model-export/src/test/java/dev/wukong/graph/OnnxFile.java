package dev.wukong.graph;

import com.google.protobuf.ByteString;
import dev.wukong.onnx.Attribute;
import dev.wukong.onnx.GraphProto;
import dev.wukong.onnx.ModelProto;
import dev.wukong.onnx.NodeProto;
import dev.wukong.onnx.OperatorSetId;
import dev.wukong.onnx.TensorProto;
import dev.wukong.onnx.TensorShapeProto;
import dev.wukong.onnx.TypeProto;
import dev.wukong.onnx.ValueInfo;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A model file as other programs write them, put together by hand. Names in one string are parted
 * by spaces; "-" is an absent one.
 */
final class OnnxFile {
  private static final int BATCH = 2;

  private final GraphProto.Builder graph = GraphProto.newBuilder().setName("made elsewhere");
  private final Map<String, PlainArray> given = new HashMap<>();
  private final Random random = new Random(11);
  private final int opset;

  OnnxFile(int opset) {
    this.opset = opset;
  }

  /** A float input; a dimension of 0 is symbolic. */
  OnnxFile input(String name, int... dims) {
    int[] sizes = Arrays.stream(dims).map(d -> d == 0 ? BATCH : d).toArray();
    given.put(name, PlainArray.of(sizes, _ -> (float) (0.2 + random.nextDouble())));
    graph.addInput(info(name, DataType.FLOAT, longs(dims)));
    return this;
  }

  /** A float input of any size, with nothing given for it: for files that are only read. */
  OnnxFile declared(String name, long... dims) {
    graph.addInput(info(name, DataType.FLOAT, dims));
    return this;
  }

  OnnxFile ids(String name, int rows, int... dims) {
    int[] sizes = Arrays.stream(dims).map(d -> d == 0 ? BATCH : d).toArray();
    given.put(name, PlainArray.of(sizes, _ -> random.nextInt(rows)));
    graph.addInput(info(name, DataType.INT64, longs(dims)));
    return this;
  }

  /** Random weights, in the file. */
  OnnxFile weight(String name, int... dims) {
    TensorProto.Builder tensor = tensor(name, DataType.FLOAT, dims);
    for (int i = 0; i < PlainArray.size(dims); i++) {
      tensor.addFloatData((float) (0.2 + random.nextDouble()));
    }
    graph.addInitializer(tensor);
    return this;
  }

  OnnxFile longs(String name, long... values) {
    TensorProto.Builder tensor = tensor(name, DataType.INT64, values.length);
    Arrays.stream(values).forEach(tensor::addInt64Data);
    graph.addInitializer(tensor);
    return this;
  }

  OnnxFile scalar(String name, float value) {
    graph.addInitializer(tensor(name, DataType.FLOAT).addFloatData(value));
    return this;
  }

  OnnxFile node(String op, String in, String out, Attribute... attributes) {
    NodeProto.Builder node = NodeProto.newBuilder().setOpType(op).setName(op + " of " + out);
    Arrays.stream(in.split(" ", -1))
        .filter(s -> !s.isEmpty())
        .forEach(s -> node.addInput(s.replace("-", "")));
    node.addAllOutput(List.of(out.split(" ", -1)));
    node.addAllAttribute(List.of(attributes));
    graph.addNode(node);
    return this;
  }

  /** With float outputs named in {@code outputs}, whose shapes are left to be inferred. */
  ModelProto build(String outputs) {
    for (String name : outputs.split(" ", -1)) {
      TypeProto.Tensor type = TypeProto.Tensor.newBuilder().setElemType(1).build();
      graph.addOutput(
          ValueInfo.newBuilder().setName(name).setType(TypeProto.newBuilder().setTensorType(type)));
    }
    return ModelProto.newBuilder()
        .setIrVersion(8)
        .addOpsetImport(OperatorSetId.newBuilder().setVersion(opset))
        .setGraph(graph)
        .build();
  }

  Map<String, PlainArray> given() {
    return given;
  }

  static Attribute with(String name, long value) {
    return Attribute.newBuilder().setName(name).setType(Attribute.Type.INT).setI(value).build();
  }

  static Attribute with(String name, float value) {
    return Attribute.newBuilder().setName(name).setType(Attribute.Type.FLOAT).setF(value).build();
  }

  static Attribute with(String name, String value) {
    return Attribute.newBuilder()
        .setName(name)
        .setType(Attribute.Type.STRING)
        .setS(ByteString.copyFromUtf8(value))
        .build();
  }

  static Attribute list(String name, long... values) {
    return Attribute.newBuilder()
        .setName(name)
        .setType(Attribute.Type.INTS)
        .addAllInts(Arrays.stream(values).boxed().toList())
        .build();
  }

  static Attribute tensor(String name, long... values) {
    TensorProto.Builder value = tensor("", DataType.INT64, values.length);
    Arrays.stream(values).forEach(value::addInt64Data);
    return Attribute.newBuilder().setName(name).setType(Attribute.Type.TENSOR).setT(value).build();
  }

  private static TensorProto.Builder tensor(String name, DataType type, int... dims) {
    return TensorProto.newBuilder()
        .setName(name)
        .setDataType(type.onnx())
        .addAllDims(Arrays.stream(dims).asLongStream().boxed().toList());
  }

  private static long[] longs(int[] dims) {
    return Arrays.stream(dims).asLongStream().toArray();
  }

  private static ValueInfo info(String name, DataType type, long... dims) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (long dim : dims) {
      if (dim == 0) {
        shape.addDimBuilder().setDimParam("batch_size");
      } else {
        shape.addDimBuilder().setDimValue(dim);
      }
    }
    return ValueInfo.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(
                    TypeProto.Tensor.newBuilder().setElemType(type.onnx()).setShape(shape)))
        .build();
  }
}
