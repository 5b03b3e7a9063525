package dev.wukong.bundle;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.WireFormat;
import dev.wukong.onnx.Attribute;
import dev.wukong.onnx.FunctionProto;
import dev.wukong.onnx.GraphProto;
import dev.wukong.onnx.ModelProto;
import dev.wukong.onnx.NodeProto;
import dev.wukong.onnx.SparseTensorProto;
import dev.wukong.onnx.TensorProto;
import dev.wukong.onnx.TensorShapeProto;
import dev.wukong.onnx.TypeProto;
import dev.wukong.onnx.ValueInfo;
import java.io.IOException;
import java.util.Map;
import java.util.Set;

/**
 * A walk over the raw bytes of a model before any object is made of them. A few bytes can ask for
 * large objects, so it bounds their number and depth; and it refuses every field that our subset of
 * the format does not have, since the engine might act on what we would not see.
 */
final class OnnxWire {
  private static final long MAX_FIELDS = 4_000_000;
  private static final long MAX_PACKED_BYTES = 256L << 20;
  private static final int MAX_DEPTH = 40;

  /** Fields of the public format that only describe: documentation, metadata, denotations. */
  private static final Map<Descriptor, Set<Integer>> DESCRIPTIVE =
      Map.of(
          ModelProto.getDescriptor(), Set.of(4, 5, 6),
          GraphProto.getDescriptor(), Set.of(10, 14, 16),
          NodeProto.getDescriptor(), Set.of(6, 9),
          Attribute.getDescriptor(), Set.of(13),
          TensorProto.getDescriptor(), Set.of(12, 16),
          ValueInfo.getDescriptor(), Set.of(3, 4),
          TypeProto.getDescriptor(), Set.of(6),
          TensorShapeProto.Dimension.getDescriptor(), Set.of(3));

  private final CodedInputStream in;
  private long fields;
  private long packedBytes;

  private OnnxWire(CodedInputStream in) {
    this.in = in;
  }

  /** Walks over a whole model. */
  static void check(byte[] model) throws BundleException {
    try {
      new OnnxWire(CodedInputStream.newInstance(model)).message(ModelProto.getDescriptor(), 0);
    } catch (BundleException e) {
      throw e;
    } catch (IOException e) {
      throw new BundleException("not an ONNX model: " + e.getMessage(), e);
    }
  }

  private void message(Descriptor type, int depth) throws IOException {
    refuse(type.equals(FunctionProto.getDescriptor()), "functions are not allowed");
    refuse(type.equals(SparseTensorProto.getDescriptor()), "sparse initializers are not allowed");
    refuse(depth > MAX_DEPTH, "messages are nested more than %d deep".formatted(MAX_DEPTH));
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      fields++;
      refuse(fields > MAX_FIELDS, "more than %d fields".formatted(MAX_FIELDS));
      int number = WireFormat.getTagFieldNumber(tag);
      int wire = WireFormat.getTagWireType(tag);
      FieldDescriptor field = type.findFieldByNumber(number);
      if (field == null) {
        refuse(
            !DESCRIPTIVE.getOrDefault(type, Set.of()).contains(number),
            "field %d of %s is not allowed".formatted(number, type.getName()));
        skip(tag, wire);
      } else if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
        refuse(wire != WireFormat.WIRETYPE_LENGTH_DELIMITED, malformed(field));
        int limit = in.pushLimit(in.readRawVarint32());
        message(field.getMessageType(), depth + 1);
        in.checkLastTagWas(0);
        in.popLimit(limit);
      } else if (field.isPackable() && wire == WireFormat.WIRETYPE_LENGTH_DELIMITED) {
        int length = in.readRawVarint32();
        packedBytes += length;
        refuse(
            packedBytes > MAX_PACKED_BYTES,
            "more than %d bytes of numbers outside raw_data".formatted(MAX_PACKED_BYTES));
        in.skipRawBytes(length);
      } else {
        skip(tag, wire);
      }
    }
  }

  private void skip(int tag, int wire) throws IOException {
    refuse(
        wire == WireFormat.WIRETYPE_START_GROUP || wire == WireFormat.WIRETYPE_END_GROUP,
        "groups are not allowed");
    in.skipField(tag);
  }

  private static String malformed(FieldDescriptor field) {
    return "field '%s' is not a message".formatted(field.getFullName());
  }

  private static void refuse(boolean bad, String message) throws BundleException {
    if (bad) {
      throw new BundleException(message);
    }
  }
}
