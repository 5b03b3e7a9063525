package dev.wukong.serving.hosting;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.TensorInfo;
import dev.wukong.bundle.BundleException;
import dev.wukong.runtime.OnnxRuntime;
import dev.wukong.serving.inputs.HostTensor;
import dev.wukong.serving.inputs.HostTensor.ElementType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

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
   * Makes a session.
   *
   * @param graph the bytes of an ONNX model
   * @param expected the inputs the graph must have, exactly, and their types
   * @throws dev.wukong.runtime.DeviceException if the device cannot be used
   * @throws EngineException if the graph cannot be loaded or has other inputs or outputs
   */
  static OnnxEngine load(byte[] graph, Map<String, ElementType> expected, EngineOptions options) {
    OrtEnvironment environment = OnnxRuntime.environment();
    OrtSession session;
    try (SessionOptions settings =
        OnnxRuntime.options(options.device(), options.threads(), options.spin())) {
      byte[] loaded = options.precision().on(options.device(), graph);
      session = environment.createSession(loaded, settings);
    } catch (OrtException e) {
      throw new EngineException("ONNX Runtime cannot load the graph: " + e.getMessage(), e);
    } catch (BundleException e) {
      throw new EngineException(String.valueOf(e.getMessage()), e);
    }
    OnnxEngine engine = new OnnxEngine(environment, session);
    try {
      checkNames("inputs", session.getInputNames(), expected.keySet());
      checkTypes(session.getInputInfo(), expected);
      checkNames(
          "outputs",
          session.getOutputNames(),
          Set.of(GraphInputs.PROBABILITIES, GraphInputs.LOGITS));
      return engine;
    } catch (OrtException e) {
      engine.close();
      throw new EngineException("ONNX Runtime cannot describe the graph: " + e.getMessage(), e);
    } catch (EngineException e) {
      engine.close();
      throw e;
    }
  }

  private static void checkNames(String what, Set<String> actual, Set<String> expected) {
    if (!actual.equals(expected)) {
      throw new EngineException(
          "the graph has the %s %s, its schema needs %s"
              .formatted(what, new TreeSet<>(actual), new TreeSet<>(expected)));
    }
  }

  private static void checkTypes(Map<String, NodeInfo> inputs, Map<String, ElementType> expected) {
    for (Map.Entry<String, ElementType> entry : expected.entrySet()) {
      NodeInfo info = inputs.get(entry.getKey());
      OnnxJavaType wanted = type(entry.getValue());
      if (info == null || !(info.getInfo() instanceof TensorInfo tensor) || tensor.type != wanted) {
        throw new EngineException(
            "the graph's input '%s' is %s, expected a tensor of %s"
                .formatted(entry.getKey(), info == null ? "missing" : info.getInfo(), wanted));
      }
    }
  }

  private static OnnxJavaType type(ElementType type) {
    return switch (type) {
      case FLOAT32 -> OnnxJavaType.FLOAT;
      case FLOAT16 -> OnnxJavaType.FLOAT16;
      case INT32 -> OnnxJavaType.INT32;
    };
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
      case INT32 ->
          OnnxTensor.createTensor(environment, tensor.bytes().asIntBuffer(), tensor.shape());
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
