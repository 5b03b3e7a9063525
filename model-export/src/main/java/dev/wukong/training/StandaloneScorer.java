package dev.wukong.training;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.wukong.bundle.BundleException;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.IdColumns;
import dev.wukong.data.InputLayout;
import dev.wukong.data.InputNames;
import dev.wukong.data.Scope;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.OnnxRuntime;
import dev.wukong.standalone.IdPositions;
import dev.wukong.standalone.StandaloneInputs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.stream.IntStream;

/** Scores with a self-contained graph from its file, as another server would. One thread. */
public final class StandaloneScorer implements AutoCloseable {
  private final StandaloneInputs inputs;
  private final OrtEnvironment environment = OnnxRuntime.environment();
  private final OrtSession session;
  private final Buffers buffers = new Buffers();

  /**
   * Loads {@code model}.
   *
   * @throws IOException if it does not load
   */
  public StandaloneScorer(Path model, StandaloneInputs inputs, Device device, int threads)
      throws IOException {
    this.inputs = inputs;
    try (OrtSession.SessionOptions options = OnnxRuntime.options(device, threads, true)) {
      this.session = environment.createSession(model.toString(), options);
    } catch (OrtException e) {
      throw new BundleException(model + " does not load: " + e.getMessage(), e);
    }
  }

  /** Probabilities [B, tasks] of examples that have a context row each. */
  public float[] score(EncodedExamples examples) {
    int[] contextOf = IntStream.range(0, examples.rows()).toArray();
    return probabilities(examples.context(), examples.candidate(), contextOf);
  }

  /**
   * Probabilities [B, tasks].
   *
   * @param contextOf [B] each candidate's context; not looked at where the graph has no such input
   */
  public float[] probabilities(EncodedRows context, EncodedRows candidate, int[] contextOf) {
    InputLayout layout = inputs.layout();
    int tasks = layout.schema().tasks().size();
    float[] probabilities = new float[candidate.rows() * tasks];
    try (Run run = new Run()) {
      bind(run, Scope.CONTEXT, context);
      bind(run, Scope.CANDIDATE, candidate);
      if (inputs.contextOf()) {
        run.input(
            InputNames.CONTEXT_OF,
            OnnxTensor.createTensor(
                environment,
                buffers.ints(InputNames.CONTEXT_OF, contextOf, contextOf.length).asIntBuffer(),
                new long[] {contextOf.length}));
      }
      FloatBuffer out = buffers.floats("probabilities", probabilities.length);
      run.output("probabilities", floats(out, candidate.rows(), tasks));
      run.execute(session);
      out.get(0, probabilities);
      return probabilities;
    } catch (OrtException e) {
      throw new IllegalStateException("scoring failed: " + e.getMessage(), e);
    }
  }

  private void bind(Run run, Scope scope, EncodedRows rows) throws OrtException {
    InputLayout layout = inputs.layout();
    for (IdColumns columns : inputs.features(scope)) {
      bindIds(run, columns, layout.positions(scope), rows);
    }
    int width = layout.denseWidth(scope);
    if (width > 0) {
      String name = InputNames.dense(scope);
      run.input(
          name,
          floats(
              buffers.floats(name, rows.dense(), rows.rows() * width).asFloatBuffer(),
              rows.rows(),
              width));
    }
  }

  private void bindIds(Run run, IdColumns columns, int stride, EncodedRows rows)
      throws OrtException {
    IdPositions positions = inputs.of(columns.feature().idSpace());
    int width = columns.width();
    int count = Math.multiplyExact(rows.rows(), width);
    String name = InputNames.ids(columns.feature());
    ByteBuffer bytes = buffers.bytes(name, Math.multiplyExact(count, Long.BYTES));
    LongBuffer ids = bytes.asLongBuffer();
    for (int i = 0; i < count; i++) {
      ids.put(
          i, positions.position(rows.ids()[i / width * stride + columns.position() + i % width]));
    }
    long[] shape = {rows.rows(), width};
    run.input(name, OnnxTensor.createTensor(environment, ids, shape));
    if (columns.feature().weighted()) {
      String weightsName = InputNames.weights(columns.feature());
      FloatBuffer weights = buffers.floats(weightsName, count);
      for (int i = 0; i < count; i++) {
        weights.put(i, rows.weights()[i / width * stride + columns.position() + i % width]);
      }
      run.input(weightsName, floats(weights, rows.rows(), width));
    }
  }

  private OnnxTensor floats(FloatBuffer values, long... shape) throws OrtException {
    return OnnxTensor.createTensor(environment, values, shape);
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
