package dev.wukong.graph;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.wukong.onnx.ModelProto;
import dev.wukong.runtime.OnnxRuntime;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** A model loaded into ONNX Runtime's CPU provider, to be run on {@link PlainArray}s. */
public final class OrtRunner implements AutoCloseable {
  private final OrtSession session;

  private OrtRunner(OrtSession session) {
    this.session = session;
  }

  public static OrtRunner load(ModelProto model, int threads) throws OrtException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(threads);
      return new OrtRunner(OnnxRuntime.environment().createSession(model.toByteArray(), options));
    }
  }

  /** Loads and runs once, on one thread. Extra entries of {@code given} are ignored. */
  public static Map<String, PlainArray> run(ModelProto model, Map<String, PlainArray> given)
      throws OrtException {
    try (OrtRunner runner = load(model, 1)) {
      return runner.run(given);
    }
  }

  public Map<String, PlainArray> run(Map<String, PlainArray> given) throws OrtException {
    Map<String, OnnxTensor> inputs = new HashMap<>();
    try {
      for (var input : session.getInputInfo().entrySet()) {
        PlainArray value = given.get(input.getKey());
        if (value == null) {
          throw new AssertionError("nothing given for input " + input.getKey());
        }
        inputs.put(input.getKey(), tensor(value, ((TensorInfo) input.getValue().getInfo()).type));
      }
      Map<String, PlainArray> result = new LinkedHashMap<>();
      try (OrtSession.Result out = session.run(inputs)) {
        for (var entry : out) {
          result.put(entry.getKey(), array((OnnxTensor) entry.getValue()));
        }
      }
      return result;
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  @Override
  public void close() throws OrtException {
    session.close();
  }

  private static OnnxTensor tensor(PlainArray value, OnnxJavaType type) throws OrtException {
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(value.values().length * type.size).order(ByteOrder.nativeOrder());
    for (double x : value.values()) {
      switch (type) {
        case FLOAT -> bytes.putFloat((float) x);
        case DOUBLE -> bytes.putDouble(x);
        case INT32 -> bytes.putInt((int) x);
        case INT64 -> bytes.putLong((long) x);
        case UINT8, BOOL -> bytes.put((byte) x);
        case FLOAT16 -> bytes.putShort(Float.floatToFloat16((float) x));
        default -> throw new AssertionError("input of type " + type);
      }
    }
    long[] shape = Arrays.stream(value.shape()).asLongStream().toArray();
    return OnnxTensor.createTensor(OnnxRuntime.environment(), bytes.flip(), shape, type);
  }

  private static PlainArray array(OnnxTensor tensor) {
    ByteBuffer bytes = tensor.getByteBuffer().order(ByteOrder.nativeOrder());
    TensorInfo info = tensor.getInfo();
    int[] shape = Arrays.stream(info.getShape()).mapToInt(Math::toIntExact).toArray();
    double[] values = new double[PlainArray.size(shape)];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (info.type) {
            case FLOAT -> bytes.getFloat();
            case DOUBLE -> bytes.getDouble();
            case INT32 -> bytes.getInt();
            case INT64 -> (double) bytes.getLong();
            case UINT8, BOOL -> bytes.get();
            case FLOAT16 -> Float.float16ToFloat(bytes.getShort());
            default -> throw new AssertionError("output of type " + info.type);
          };
    }
    return new PlainArray(shape, values);
  }
}
