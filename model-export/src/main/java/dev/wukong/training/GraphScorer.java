package dev.wukong.training;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.wukong.bundle.Precision;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.InputLayout;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.OnnxRuntime;
import java.nio.FloatBuffer;

/** A predict graph that scores with rows from anywhere. One thread at a time. */
final class GraphScorer implements AutoCloseable {
  private final InputBinder binder;
  private final OrtSession session;
  private final Buffers buffers = new Buffers();
  private final int tasks;

  /**
   * Loads a graph.
   *
   * @param graph the bytes of an ONNX model with its weights inside
   * @throws OrtException if it does not load
   */
  GraphScorer(byte[] graph, InputLayout layout, Precision precision, Device device, int threads)
      throws OrtException {
    this.binder = new InputBinder(layout, precision);
    this.tasks = layout.schema().tasks().size();
    try (OrtSession.SessionOptions options = OnnxRuntime.options(device, threads, true)) {
      this.session = OnnxRuntime.environment().createSession(graph, options);
    }
  }

  /** Probabilities [B, tasks]; the arguments are those of {@link InputBinder#bind}. */
  float[] probabilities(
      BatchRows rows, EncodedRows context, EncodedRows candidate, int[] contextOf) {
    float[] probabilities = new float[candidate.rows() * tasks];
    if (probabilities.length == 0) {
      return probabilities;
    }
    try (Run run = new Run()) {
      binder.bind(run, rows, context, candidate, contextOf);
      FloatBuffer out = buffers.floats("probabilities", probabilities.length);
      run.output(
          "probabilities",
          OnnxTensor.createTensor(
              OnnxRuntime.environment(), out, new long[] {candidate.rows(), tasks}));
      run.execute(session);
      out.get(0, probabilities);
      return probabilities;
    } catch (OrtException e) {
      throw new IllegalStateException("scoring failed: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }
}
