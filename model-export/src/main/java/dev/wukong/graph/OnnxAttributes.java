package dev.wukong.graph;

import com.google.protobuf.ByteString;
import dev.wukong.onnx.Attribute;
import dev.wukong.onnx.GraphProto;
import dev.wukong.onnx.TensorProto;
import java.util.List;

/** Attributes of nodes being written, by the type of their value. */
final class OnnxAttributes {
  private OnnxAttributes() {}

  static Attribute attribute(String name, long value) {
    return Attribute.newBuilder().setName(name).setType(Attribute.Type.INT).setI(value).build();
  }

  static Attribute attribute(String name, String value) {
    return Attribute.newBuilder()
        .setName(name)
        .setType(Attribute.Type.STRING)
        .setS(ByteString.copyFromUtf8(value))
        .build();
  }

  static Attribute attribute(String name, TensorProto value) {
    return Attribute.newBuilder().setName(name).setType(Attribute.Type.TENSOR).setT(value).build();
  }

  static Attribute attribute(String name, List<Integer> values) {
    Attribute.Builder result = Attribute.newBuilder().setName(name).setType(Attribute.Type.INTS);
    values.forEach(v -> result.addInts(v));
    return result.build();
  }

  static Attribute attribute(String name, float value) {
    return Attribute.newBuilder().setName(name).setType(Attribute.Type.FLOAT).setF(value).build();
  }

  static Attribute attribute(String name, GraphProto value) {
    return Attribute.newBuilder().setName(name).setType(Attribute.Type.GRAPH).setG(value).build();
  }
}
