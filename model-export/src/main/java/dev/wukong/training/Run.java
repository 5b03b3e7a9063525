package dev.wukong.training;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.wukong.runtime.OnnxRuntime;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The tensors of one run, closed with it. */
final class Run implements AutoCloseable {
  private final Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
  private final Map<String, OnnxTensor> outputs = new LinkedHashMap<>();
  private final List<OnnxTensor> closing = new ArrayList<>();

  /** A tensor over {@code buffer}'s own memory. */
  static OnnxTensor tensor(FloatBuffer buffer, long... shape) throws OrtException {
    return OnnxTensor.createTensor(OnnxRuntime.environment(), buffer, shape);
  }

  void input(String name, OnnxTensor tensor) {
    inputs.put(name, tensor);
    closing.add(tensor);
  }

  void sharedInput(String name, OnnxTensor tensor) {
    inputs.put(name, tensor);
  }

  void output(String name, OnnxTensor tensor) {
    outputs.put(name, tensor);
    closing.add(tensor);
  }

  void shared(String name, OnnxTensor tensor) {
    outputs.put(name, tensor);
  }

  void execute(OrtSession session) throws OrtException {
    // Inputs that no output needs are gone from the session.
    inputs.keySet().retainAll(session.getInputNames());
    session.run(inputs, Set.of(), outputs).close();
  }

  @Override
  public void close() {
    closing.forEach(OnnxTensor::close);
  }
}
