package dev.wukong.serving.engine;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.TensorInfo;
import dev.wukong.bundle.GraphInput;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.OnnxRuntime;
import dev.wukong.runtime.device.Element;
import dev.wukong.serving.inputs.HostTensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * An engine over ONNX Runtime's Java interface: the caller's direct buffers become tensors without
 * a copy.
 */
final class OnnxEngine implements Engine {
  private final OrtEnvironment environment;
  private final OrtSession session;

  private OnnxEngine(OrtEnvironment environment, OrtSession session) {
    this.environment = environment;
    this.session = session;
  }

  /**
   * Makes a session on the processors.
   *
   * @param graph the bytes of an ONNX model as these load it
   * @param expected the inputs the graph must have, exactly
   * @throws EngineException if the graph cannot be loaded or has other inputs or outputs
   */
  static OnnxEngine load(byte[] graph, List<GraphInput> expected, EngineOptions options) {
    OrtEnvironment environment = OnnxRuntime.environment();
    OrtSession session;
    try (SessionOptions settings =
        OnnxRuntime.options(new Device.Cpu(), options.threads(), options.spin())) {
      session = environment.createSession(graph, settings);
    } catch (OrtException e) {
      throw new EngineException("ONNX Runtime cannot load the graph: " + e.getMessage(), e);
    }
    OnnxEngine engine = new OnnxEngine(environment, session);
    try {
      GraphCheck.require(found(session.getInputInfo()), session.getOutputNames(), expected);
      return engine;
    } catch (OrtException e) {
      engine.close();
      throw new EngineException("ONNX Runtime cannot describe the graph: " + e.getMessage(), e);
    } catch (EngineException e) {
      engine.close();
      throw e;
    }
  }

  private static Map<String, String> found(Map<String, NodeInfo> inputs) {
    Map<String, String> types = new HashMap<>();
    inputs.forEach(
        (name, info) ->
            types.put(
                name,
                info.getInfo() instanceof TensorInfo tensor
                    ? switch (tensor.type) {
                      case FLOAT -> Element.FLOAT32.name();
                      case FLOAT16 -> Element.FLOAT16.name();
                      case INT32 -> Element.INT32.name();
                      case DOUBLE, INT8, INT16, INT64, BOOL, STRING, UINT8, BFLOAT16, UNKNOWN ->
                          tensor.type.name();
                    }
                    : String.valueOf(info.getInfo())));
    return types;
  }

  @Override
  public void run(List<HostTensor> inputs, List<HostTensor> outputs) {
    Map<String, OnnxTensor> in = new HashMap<>();
    Map<String, OnnxTensor> out = new HashMap<>();
    try {
      for (HostTensor tensor : inputs) {
        in.put(tensor.name(), wrap(tensor));
      }
      for (HostTensor tensor : outputs) {
        out.put(tensor.name(), wrap(tensor));
      }
      session.run(in, out).close();
    } catch (OrtException e) {
      throw new EngineException("ONNX Runtime failed to run the graph: " + e.getMessage(), e);
    } finally {
      in.values().forEach(OnnxTensor::close);
      out.values().forEach(OnnxTensor::close);
    }
  }

  private OnnxTensor wrap(HostTensor tensor) throws OrtException {
    return switch (tensor.type()) {
      case FLOAT32 ->
          OnnxTensor.createTensor(environment, tensor.bytes().asFloatBuffer(), tensor.shape());
      case FLOAT16 ->
          OnnxTensor.createTensor(
              environment, tensor.bytes().asShortBuffer(), tensor.shape(), OnnxJavaType.FLOAT16);
      case BFLOAT16 ->
          OnnxTensor.createTensor(
              environment, tensor.bytes().asShortBuffer(), tensor.shape(), OnnxJavaType.BFLOAT16);
      case INT32 ->
          OnnxTensor.createTensor(environment, tensor.bytes().asIntBuffer(), tensor.shape());
      case INT64, BOOL ->
          throw new IllegalArgumentException(
              "input '%s' is %s".formatted(tensor.name(), tensor.type()));
    };
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException e) {
      throw new EngineException("ONNX Runtime failed to close a session: " + e.getMessage(), e);
    }
  }
}
