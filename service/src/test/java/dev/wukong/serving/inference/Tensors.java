package dev.wukong.serving.inference;

import com.google.protobuf.ByteString;
import dev.wukong.proto.inference.ModelInferRequest;
import dev.wukong.proto.inference.ModelInferRequest.InferInputTensor;
import dev.wukong.serving.testing.TinyModel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** A request to {@link TinyModel} in the making, as clients build it: raw contents by tensor. */
final class Tensors {
  private final Map<String, InferInputTensor.Builder> inputs = new HashMap<>();
  private final Map<String, ByteString> raw = new HashMap<>();

  Tensors put(String name, String datatype, ByteString bytes, long... shape) {
    InferInputTensor.Builder tensor =
        InferInputTensor.newBuilder().setName(name).setDatatype(datatype);
    for (long dimension : shape) {
      tensor.addShape(dimension);
    }
    inputs.put(name, tensor);
    raw.put(name, bytes);
    return this;
  }

  Tensors without(String name) {
    inputs.remove(name);
    raw.remove(name);
    return this;
  }

  ModelInferRequest.Builder request() {
    ModelInferRequest.Builder request =
        ModelInferRequest.newBuilder().setModelName("tiny").setId("r1");
    List<String> names = new ArrayList<>(inputs.keySet());
    for (String name : names) {
      request.addInputs(inputs.get(name)).addRawInputContents(raw.get(name));
    }
    return request;
  }

  private static ByteString bytes(int size, Consumer<ByteBuffer> fill) {
    ByteBuffer buffer = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    fill.accept(buffer);
    return ByteString.copyFrom(buffer.flip());
  }

  static ByteString longs(long... values) {
    return bytes(
        8 * values.length,
        to -> {
          for (long value : values) {
            to.putLong(value);
          }
        });
  }

  static ByteString floats(float... values) {
    return bytes(
        4 * values.length,
        to -> {
          for (float value : values) {
            to.putFloat(value);
          }
        });
  }

  static ByteString doubles(double... values) {
    return bytes(
        8 * values.length,
        to -> {
          for (double value : values) {
            to.putDouble(value);
          }
        });
  }

  static ByteString ints(int... values) {
    return bytes(
        4 * values.length,
        to -> {
          for (int value : values) {
            to.putInt(value);
          }
        });
  }

  static ByteString strings(String... values) {
    ByteString all = ByteString.EMPTY;
    for (String value : values) {
      ByteString utf8 = ByteString.copyFrom(value, StandardCharsets.UTF_8);
      all = all.concat(ints(utf8.size())).concat(utf8);
    }
    return all;
  }

  /** Of one context and three candidates, which have all features of {@link TinyModel}. */
  static Tensors tensors() {
    return new Tensors()
        .put("context.user", "INT64", longs(101), 1, 1)
        .put("context.age", "FP32", floats(0.5f), 1, 1)
        .put("candidate.item", "INT64", longs(7, 8, 9_999), 3, 1)
        .put("candidate.tags", "BYTES", strings("red", "größe", "", "", "blue", "new"), 3, 2)
        .put("candidate.tags.count", "INT32", ints(2, 0, 2), 3, 1)
        .put("candidate.tags.weights", "FP32", floats(1, 2, 0, 0, 0.5f, 1), 3, 2)
        .put("candidate.price", "FP64", doubles(0.5, 5, 0), 3, 1)
        .put("candidate.price.present", "BOOL", ByteString.copyFrom(new byte[] {1, 1, 0}), 3, 1)
        .put("candidate.picture", "FP32", floats(0.1f, 0.2f, 0.3f, 0.4f, 0, 0), 3, 2);
  }
}
