package dev.wukong.graph;

import com.google.protobuf.ByteString;
import dev.wukong.onnx.TensorProto;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Numbers out of a file and into one. Read as raw bytes or typed fields, their count checked
 * against the shape before anything is allocated; written as raw bytes.
 */
final class OnnxTensors {
  private static final int MAX_RANK = 16;

  private OnnxTensors() {}

  /**
   * The numbers of {@code tensor}.
   *
   * @param what names it in errors
   */
  static TensorData read(TensorProto tensor, String what) {
    if (tensor.getDataLocation() != 0 || tensor.getExternalDataCount() > 0) {
      throw new OnnxReadException(what + " lies outside the file, which is not read");
    }
    DataType type = type(tensor.getDataType(), what);
    Shape shape = shape(tensor, what);
    int length = Math.toIntExact(shape.elements().size());
    check(tensor, type, length, what);
    ByteBuffer bytes = tensor.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    boolean raw = bytes.hasRemaining();
    if (type == DataType.FLOAT) {
      float[] floats = new float[length];
      for (int i = 0; i < length; i++) {
        floats[i] = raw ? bytes.getFloat() : tensor.getFloatData(i);
      }
      return new TensorData.Floats(shape, floats);
    }
    double[] values = new double[length];
    for (int i = 0; i < length; i++) {
      values[i] = raw ? raw(bytes, type, what) : field(tensor, type, i, what);
    }
    return new TensorData.Numbers(type, shape, values);
  }

  static DataType type(int onnx, String what) {
    try {
      return DataType.ofOnnx(onnx);
    } catch (IllegalArgumentException e) {
      throw new OnnxReadException(what + ": " + e.getMessage());
    }
  }

  private static Shape shape(TensorProto tensor, String what) {
    if (tensor.getDimsCount() > MAX_RANK) {
      throw new OnnxReadException(
          what
              + " has "
              + tensor.getDimsCount()
              + " dimensions, at most "
              + MAX_RANK
              + " are read");
    }
    long elements = 1;
    for (long size : tensor.getDimsList()) {
      if (size < 0
          || size > Integer.MAX_VALUE
          || elements * Math.max(size, 1) > Integer.MAX_VALUE) {
        throw new OnnxReadException(what + " has the impossible shape " + tensor.getDimsList());
      }
      elements *= Math.max(size, 1);
    }
    return Shape.of(tensor.getDimsList().stream().mapToLong(Long::longValue).toArray());
  }

  private static void check(TensorProto tensor, DataType type, int length, String what) {
    int rest = tensor.getRawData().size() % type.bytes();
    int held =
        !tensor.getRawData().isEmpty()
            ? tensor.getRawData().size() / type.bytes()
            : switch (type) {
              case FLOAT -> tensor.getFloatDataCount();
              case DOUBLE -> tensor.getDoubleDataCount();
              case INT64 -> tensor.getInt64DataCount();
              case INT32, UINT8, BOOL, FLOAT16 -> tensor.getInt32DataCount();
            };
    if (held != length || rest != 0) {
      throw new OnnxReadException(
          what
              + " has the shape "
              + tensor.getDimsList()
              + " but holds "
              + held
              + " elements of type "
              + type);
    }
  }

  private static double field(TensorProto tensor, DataType type, int i, String what) {
    return switch (type) {
      case FLOAT -> tensor.getFloatData(i);
      case DOUBLE -> tensor.getDoubleData(i);
      case INT64 -> exact(tensor.getInt64Data(i), what);
      case INT32, UINT8, BOOL -> tensor.getInt32Data(i);
      case FLOAT16 -> Float.float16ToFloat((short) tensor.getInt32Data(i));
    };
  }

  private static double raw(ByteBuffer bytes, DataType type, String what) {
    return switch (type) {
      case FLOAT -> bytes.getFloat();
      case DOUBLE -> bytes.getDouble();
      case INT64 -> exact(bytes.getLong(), what);
      case INT32 -> bytes.getInt();
      case UINT8 -> Byte.toUnsignedInt(bytes.get());
      case BOOL -> bytes.get();
      case FLOAT16 -> Float.float16ToFloat(bytes.getShort());
    };
  }

  /** The largest long stands for "to the end" in many files, and comes back as itself. */
  private static double exact(long value, String what) {
    if ((long) (double) value != value) {
      throw new OnnxReadException(
          what + " holds " + value + ", which a double cannot hold exactly");
    }
    return (double) value;
  }

  /** {@code data} as a tensor of {@code type}; an empty name for that of an attribute. */
  static TensorProto write(String name, TensorData data, DataType type) {
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
