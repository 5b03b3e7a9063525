package dev.wukong.serving.figures;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.google.protobuf.ByteString;
import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Precision;
import dev.wukong.data.Schema;
import dev.wukong.figures.LoadModel;
import dev.wukong.proto.inference.GRPCInferenceServiceGrpc;
import dev.wukong.proto.inference.ModelInferRequest;
import dev.wukong.proto.inference.ModelInferRequest.InferInputTensor;
import dev.wukong.proto.inference.ModelInferResponse;
import dev.wukong.proto.v1.Criticality;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.OnnxRuntime;
import dev.wukong.serving.testing.Served;
import dev.wukong.standalone.StandaloneExport;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** All forms of a request stand for the same values: every server gives the same answer. */
class InferenceLoadTest {
  private static final LoadModel MODEL = LoadModel.SMALL;
  private static final long ROWS = 27 * 40L;
  private static final int CANDIDATES = 30;

  @TempDir private static Path folder = Path.of("");
  private static Served served;
  private static Schema schema;
  private static List<PredictRequest> requests = List.of();

  @BeforeAll
  static void start() throws Exception {
    MODEL.write(folder.resolve("bundles"), 1, ROWS);
    schema = LoadModel.schemaOf(ROWS);
    requests = LoadRequests.of(MODEL, schema, 3, CANDIDATES, 38, Criticality.CRITICALITY_NORMAL);
    served = Served.serving(folder.resolve("bundles"), MODEL.title(), 1);
  }

  @AfterAll
  static void stop() {
    served.close();
  }

  private static float[] predict(PredictRequest request) {
    return floats(
        RankingServiceGrpc.newBlockingStub(served.channel()).predict(request).getScores());
  }

  @Test
  void ours_sameValues_givesPredictsScores() {
    for (PredictRequest request : requests) {
      ModelInferResponse answer =
          GRPCInferenceServiceGrpc.newBlockingStub(served.channel())
              .modelInfer(InferenceLoad.ours(request, schema));
      assertThat(answer.getOutputsList()).hasSize(1);
      assertThat(floats(answer.getRawOutputContents(0))).containsExactly(predict(request));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void peers_graphWithTablesInside_givesPredictsScores(boolean batchContext) throws Exception {
    Path file = folder.resolve(batchContext + ".onnx");
    try (Bundle bundle = Bundle.open(folder.resolve("bundles/small/1"))) {
      StandaloneExport.Written written =
          StandaloneExport.write(bundle, Precision.FP32, file, batchContext, true);
      for (PredictRequest request : requests) {
        // Sums of another order and slots of other numbers: not all bits are the same.
        assertThat(run(file, InferenceLoad.peers(request, bundle, written.inputs())))
            .containsExactly(predict(request), within(1e-6f));
      }
    }
  }

  /** Answers as a server of {@code graph} would. */
  private static float[] run(Path graph, ModelInferRequest request) throws OrtException {
    Map<String, OnnxTensor> inputs = new HashMap<>();
    try (OrtSession.SessionOptions options = OnnxRuntime.options(new Device.Cpu(), 1, false);
        OrtSession session = OnnxRuntime.environment().createSession(graph.toString(), options)) {
      for (int i = 0; i < request.getInputsCount(); i++) {
        InferInputTensor input = request.getInputs(i);
        inputs.put(input.getName(), tensor(input, request.getRawInputContents(i)));
      }
      assertThat(inputs.keySet()).isEqualTo(session.getInputNames());
      try (OrtSession.Result result = session.run(inputs)) {
        FloatBuffer values =
            ((OnnxTensor) result.get("probabilities").orElseThrow()).getFloatBuffer();
        float[] probabilities = new float[values.remaining()];
        values.get(probabilities);
        return probabilities;
      }
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  private static OnnxTensor tensor(InferInputTensor input, ByteString raw) throws OrtException {
    ByteBuffer bytes = raw.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    long[] shape = input.getShapeList().stream().mapToLong(Long::longValue).toArray();
    return switch (input.getDatatype()) {
      case "INT64" ->
          OnnxTensor.createTensor(OnnxRuntime.environment(), bytes.asLongBuffer(), shape);
      case "INT32" ->
          OnnxTensor.createTensor(OnnxRuntime.environment(), bytes.asIntBuffer(), shape);
      default -> throw new AssertionError(input);
    };
  }

  private static float[] floats(ByteString bytes) {
    FloatBuffer floats =
        bytes.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    float[] values = new float[floats.remaining()];
    floats.get(values);
    return values;
  }
}
