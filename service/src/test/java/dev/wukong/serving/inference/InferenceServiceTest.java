package dev.wukong.serving.inference;

import static dev.wukong.serving.inference.Tensors.doubles;
import static dev.wukong.serving.inference.Tensors.floats;
import static dev.wukong.serving.inference.Tensors.ints;
import static dev.wukong.serving.inference.Tensors.longs;
import static dev.wukong.serving.inference.Tensors.strings;
import static dev.wukong.serving.inference.Tensors.tensors;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import dev.wukong.proto.inference.GRPCInferenceServiceGrpc;
import dev.wukong.proto.inference.GRPCInferenceServiceGrpc.GRPCInferenceServiceBlockingStub;
import dev.wukong.proto.inference.InferParameter;
import dev.wukong.proto.inference.InferStatistics;
import dev.wukong.proto.inference.InferTensorContents;
import dev.wukong.proto.inference.ModelConfigRequest;
import dev.wukong.proto.inference.ModelInferRequest;
import dev.wukong.proto.inference.ModelInferRequest.InferInputTensor;
import dev.wukong.proto.inference.ModelInferRequest.InferRequestedOutputTensor;
import dev.wukong.proto.inference.ModelInferResponse;
import dev.wukong.proto.inference.ModelInput;
import dev.wukong.proto.inference.ModelMetadataRequest;
import dev.wukong.proto.inference.ModelMetadataResponse;
import dev.wukong.proto.inference.ModelMetadataResponse.TensorMetadata;
import dev.wukong.proto.inference.ModelOutput;
import dev.wukong.proto.inference.ModelReadyRequest;
import dev.wukong.proto.inference.ModelStatistics;
import dev.wukong.proto.inference.ModelStatisticsRequest;
import dev.wukong.proto.inference.ServerLiveRequest;
import dev.wukong.proto.inference.ServerMetadataRequest;
import dev.wukong.proto.inference.ServerReadyRequest;
import dev.wukong.serving.testing.Served;
import dev.wukong.serving.testing.TinyModel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;

/** The protocol's calls over a port; answers are compared with what is computed by hand. */
@TestInstance(Lifecycle.PER_CLASS)
class InferenceServiceTest {
  private static final TinyModel MODEL = new TinyModel(1);

  @SuppressWarnings("NullAway.Init") // Before all tests.
  private Served served;

  @BeforeAll
  void start(@TempDir Path root) throws Exception {
    MODEL.write(root.resolve("bundles"), "tiny", 3);
    served = Served.start(root.resolve("bundles"));
    served.awaitServing("tiny", 3);
  }

  @AfterAll
  void stop() {
    served.close();
  }

  private GRPCInferenceServiceBlockingStub stub() {
    return GRPCInferenceServiceGrpc.newBlockingStub(served.channel());
  }

  private static float[] expected() {
    Map<String, Object> context = Map.of("user", 101, "age", 0.5);
    List<Map<String, Object>> candidates =
        List.of(
            Map.of(
                "item",
                7,
                "tags",
                List.of("red", "größe"),
                "tag_weights",
                List.of(1, 2),
                "price",
                0.5,
                "picture",
                List.of(0.1f, 0.2f)),
            Map.of("item", 8, "price", 5, "picture", List.of(0.3f, 0.4f)),
            Map.of(
                "item",
                9_999,
                "tags",
                List.of("blue", "new"),
                "tag_weights",
                List.of(0.5, 1),
                "picture",
                List.of(0, 0)));
    float[] expected = new float[6];
    for (int i = 0; i < 3; i++) {
      double logit = MODEL.logit(context, candidates.get(i));
      expected[2 * i] = TinyModel.probability(logit, 0);
      expected[2 * i + 1] = TinyModel.probability(logit, 1);
    }
    return expected;
  }

  private static float[] output(ModelInferResponse response, int index) {
    float[] values = new float[response.getRawOutputContents(index).size() / 4];
    response
        .getRawOutputContents(index)
        .asReadOnlyByteBuffer()
        .order(ByteOrder.LITTLE_ENDIAN)
        .asFloatBuffer()
        .get(values);
    return values;
  }

  private String refusal(Code code, ModelInferRequest.Builder request) {
    StatusRuntimeException refusal =
        catchThrowableOfType(
            StatusRuntimeException.class, () -> stub().modelInfer(request.build()));
    assertThat(refusal).isNotNull();
    assertThat(refusal.getStatus().getCode()).isEqualTo(code);
    return String.valueOf(refusal.getStatus().getDescription());
  }

  @Test
  void infer_rawContents_areScoredAsPredictDoes() {
    ModelInferResponse response = stub().modelInfer(tensors().request().build());

    assertThat(response.getModelName()).isEqualTo("tiny");
    assertThat(response.getModelVersion()).isEqualTo("3");
    assertThat(response.getId()).isEqualTo("r1");
    assertThat(response.getOutputs(0).getName()).isEqualTo("probabilities");
    assertThat(response.getOutputs(0).getShapeList()).containsExactly(3L, 2L);
    assertThat(response.getOutputs(1).getName()).isEqualTo("logits");
    assertThat(output(response, 0)).containsExactly(expected(), within(1e-5f));
    assertThat(response.getParametersMap().get("defaulted_ids"))
        .isEqualTo(InferParameter.newBuilder().setInt64Param(2).build());
  }

  @Test
  void infer_typedContents_areTheSame() {
    ModelInferRequest raw = tensors().request().build();
    ModelInferRequest.Builder typed = raw.toBuilder().clearRawInputContents();
    for (int i = 0; i < raw.getInputsCount(); i++) {
      ByteBuffer bytes =
          raw.getRawInputContents(i).asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
      InferTensorContents.Builder contents = InferTensorContents.newBuilder();
      while (bytes.hasRemaining()) {
        switch (raw.getInputs(i).getDatatype()) {
          case "INT64" -> contents.addInt64Contents(bytes.getLong());
          case "INT32" -> contents.addIntContents(bytes.getInt());
          case "FP32" -> contents.addFp32Contents(bytes.getFloat());
          case "FP64" -> contents.addFp64Contents(bytes.getDouble());
          case "BOOL" -> contents.addBoolContents(bytes.get() != 0);
          default -> {
            byte[] text = new byte[bytes.getInt()];
            bytes.get(text);
            contents.addBytesContents(ByteString.copyFrom(text));
          }
        }
      }
      typed.getInputsBuilder(i).setContents(contents);
    }
    assertThat(output(stub().modelInfer(typed.build()), 0))
        .containsExactly(expected(), within(1e-5f));
  }

  @Test
  void infer_aContextForEachCandidate_isTheSame() {
    Tensors tensors =
        tensors()
            .put("context.user", "INT64", longs(101, 101, 101), 3, 1)
            .put("context.age", "FP32", floats(0.5f, 0.5f, 0.5f), 3, 1);
    assertThat(output(stub().modelInfer(tensors.request().build()), 0))
        .containsExactly(expected(), within(1e-5f));
    tensors
        .put("context.user", "INT64", longs(140, 101), 2, 1)
        .put("context.age", "FP32", floats(9, 0.5f), 2, 1)
        .put("context_of", "INT32", ints(1, 1, 1), 3, 1);
    assertThat(output(stub().modelInfer(tensors.request().build()), 0))
        .containsExactly(expected(), within(1e-5f));
  }

  @Test
  void infer_absentFeatures_mayBeLeftOut() {
    Tensors tensors =
        new Tensors()
            .put("candidate.item", "INT64", longs(7), 1)
            .put("candidate.picture", "FP32", floats(0.1f, 0.2f), 1, 2);
    double logit = MODEL.logit(Map.of(), Map.of("item", 7, "picture", List.of(0.1f, 0.2f)));
    assertThat(output(stub().modelInfer(tensors.request().build()), 0)[0])
        .isCloseTo(TinyModel.probability(logit, 0), within(1e-5f));
  }

  @Test
  void infer_wantedOutputs_areThoseAlone() {
    ModelInferResponse response =
        stub()
            .modelInfer(
                tensors()
                    .request()
                    .addOutputs(InferRequestedOutputTensor.newBuilder().setName("logits"))
                    .build());
    assertThat(response.getOutputsCount()).isEqualTo(1);
    assertThat(response.getOutputs(0).getName()).isEqualTo("logits");
    assertThat(
            refusal(
                Code.INVALID_ARGUMENT,
                tensors()
                    .request()
                    .addOutputs(InferRequestedOutputTensor.newBuilder().setName("x"))))
        .isEqualTo("outputs: there is no 'x'; the model has probabilities, logits");
  }

  @Test
  void infer_badTensors_areNamed() {
    Code bad = Code.INVALID_ARGUMENT;
    assertThat(refusal(bad, tensors().put("candidate.itme", "INT64", longs(1), 1, 1).request()))
        .startsWith("inputs: there is no 'candidate.itme'; the model has candidate.item, ");
    assertThat(refusal(bad, tensors().put("candidate.item", "INT32", ints(1), 1, 1).request()))
        .isEqualTo("inputs: 'candidate.item' is INT32; INT64 is needed");
    assertThat(refusal(bad, tensors().put("candidate.item", "INT64", longs(1, 2), 3, 1).request()))
        .isEqualTo("inputs: 'candidate.item' has 16 bytes; 24 are needed (3 values of INT64)");
    assertThat(refusal(bad, tensors().put("candidate.price", "FP64", doubles(1), 1, 1).request()))
        .isEqualTo(
            "inputs: 'candidate.price' has 1 rows; 3 are needed, as the other tensors of"
                + " 'candidate' have");
    assertThat(
            refusal(
                bad,
                tensors()
                    .put("candidate.tags", "BYTES", strings("a".repeat(20), "b"), 3, 2)
                    .request()))
        .isEqualTo(
            "inputs: 'candidate.tags', row 1: a string is cut off; each is its length (4 bytes) and"
                + " its bytes");
    assertThat(
            refusal(
                bad, tensors().put("candidate.tags.count", "INT32", ints(2, 3, 0), 3, 1).request()))
        .isEqualTo("inputs: 'candidate.tags.count' has 3 in row 1; 0 to 2 are allowed");
    assertThat(refusal(bad, tensors().without("candidate.tags.weights").request()))
        .isEqualTo("inputs: 'candidate.tags.weights' is missing");
    assertThat(refusal(bad, tensors().without("candidate.picture").request()))
        .isEqualTo("inputs: 'candidate.picture' is missing");
    assertThat(
            refusal(
                bad,
                tensors()
                    .put("context.user", "INT64", longs(1, 2), 2, 1)
                    .put("context.age", "FP32", floats(1, 2), 2, 1)
                    .request()))
        .isEqualTo("inputs: 'context_of' is missing: there are 2 contexts and 3 candidates");
    assertThat(refusal(bad, tensors().put("candidate.item", "INT64", longs(), 0, 1).request()))
        .isEqualTo("inputs: 'candidate.item' has the shape [0, 1]; one or more rows are needed");
    assertThat(refusal(bad, tensors().put("candidate.item", "INT64", longs(), -1, 1).request()))
        .isEqualTo("inputs: 'candidate.item' has the shape [-1, 1]");
    assertThat(
            refusal(
                bad,
                tensors().put("candidate.item", "INT64", longs(), 1L << 40, 1L << 40).request()))
        .startsWith("inputs: 'candidate.item' has the shape [1099511627776, 1099511627776]");
    assertThat(refusal(bad, tensors().request().addRawInputContents(ByteString.EMPTY)))
        .isEqualTo(
            "raw_input_contents has 10 entries; one for each of 9 inputs is needed, or none");
    // What the schema forbids is said as Predict says it.
    assertThat(
            refusal(
                bad,
                tensors()
                    .put("candidate.picture", "FP32", floats(1, Float.NaN, 1, 1, 1, 1), 3, 2)
                    .request()))
        .isEqualTo("candidates: feature 'picture', row 0: NaN; a finite number is needed");
  }

  @Test
  void infer_moreRowsThanAllowed_areRefused() {
    assertThat(
            refusal(
                Code.INVALID_ARGUMENT,
                new Tensors()
                    .put("candidate.tags", "BYTES", ByteString.EMPTY, 1 << 27, 1)
                    .request()))
        .isEqualTo("candidates.rows is 134217728; 1 to 8192 are allowed");
  }

  @Test
  void infer_unknownModelOrVersion_isNotThere() {
    assertThat(refusal(Code.NOT_FOUND, tensors().request().setModelName("other")))
        .isEqualTo("model.name is 'other'; this server has [tiny]");
    assertThat(refusal(Code.NOT_FOUND, tensors().request().setModelVersion("9")))
        .isEqualTo("model.version is 9; loaded of 'tiny' are [3]");
    assertThat(refusal(Code.NOT_FOUND, tensors().request().setModelVersion("new")))
        .isEqualTo("model.label is 'new'; model 'tiny' has no labels");
  }

  @Test
  void infer_valuesInTwoForms_areRefused() {
    ModelInferRequest.Builder twice = tensors().request();
    twice.getInputsBuilder(0).setContents(InferTensorContents.newBuilder().addBoolContents(true));
    assertThat(refusal(Code.INVALID_ARGUMENT, twice))
        .endsWith("and has bool_contents; its values are needed in raw_input_contents alone");
    ModelInferRequest.Builder typed =
        ModelInferRequest.newBuilder()
            .setModelName("tiny")
            .addInputs(
                InferInputTensor.newBuilder()
                    .setName("candidate.item")
                    .setDatatype("INT64")
                    .addShape(1)
                    .addShape(1)
                    .setContents(
                        InferTensorContents.newBuilder().addInt64Contents(1).addIntContents(2)));
    assertThat(refusal(Code.INVALID_ARGUMENT, typed))
        .isEqualTo(
            "inputs: 'candidate.item' is INT64 and has int_contents; its values are needed in"
                + " int64_contents alone");
  }

  @Test
  void metadata_ofTheModel_namesEveryTensor() {
    ModelMetadataResponse metadata =
        stub().modelMetadata(ModelMetadataRequest.newBuilder().setName("tiny").build());
    assertThat(metadata.getVersionsList()).containsExactly("3");
    assertThat(metadata.getInputsList().stream().map(TensorMetadata::getName))
        .containsExactly(
            "context.user",
            "context.user.present",
            "context.age",
            "context.age.present",
            "candidate.item",
            "candidate.item.present",
            "candidate.tags",
            "candidate.tags.count",
            "candidate.tags.weights",
            "candidate.price",
            "candidate.price.present",
            "candidate.picture",
            "context_of");
    assertThat(metadata.getOutputsList().stream().map(TensorMetadata::getName))
        .containsExactly("probabilities", "logits");
    assertThat(
            stub()
                .modelConfig(ModelConfigRequest.newBuilder().setName("tiny").build())
                .getConfig()
                .getMaxBatchSize())
        .isEqualTo(8192);
  }

  @Test
  void server_liveReadyAndMetadata_areAnswered() {
    assertThat(stub().serverLive(ServerLiveRequest.getDefaultInstance()).getLive()).isTrue();
    assertThat(stub().serverReady(ServerReadyRequest.getDefaultInstance()).getReady()).isTrue();
    assertThat(
            stub().serverMetadata(ServerMetadataRequest.getDefaultInstance()).getExtensionsList())
        .contains("statistics");
    ModelReadyRequest.Builder ready = ModelReadyRequest.newBuilder().setName("tiny");
    assertThat(stub().modelReady(ready.build()).getReady()).isTrue();
    assertThat(stub().modelReady(ready.setVersion("3").build()).getReady()).isTrue();
    assertThat(stub().modelReady(ready.setVersion("4").build()).getReady()).isFalse();
  }

  @Test
  void statistics_afterAnInference_haveGrownByIt() {
    ModelStatistics before = statistics();
    ModelInferResponse response = stub().modelInfer(tensors().request().build());
    assertThat(response.getOutputsCount()).isEqualTo(2);
    ModelStatistics after = statistics();
    assertThat(after.getInferenceCount()).isEqualTo(before.getInferenceCount() + 3);
    assertThat(after.getExecutionCount()).isEqualTo(before.getExecutionCount() + 1);
    assertThat(after.getInferenceStats().getSuccess().getCount())
        .isEqualTo(before.getInferenceStats().getSuccess().getCount() + 1);
    assertThat(after.getInferenceStats().getComputeInfer().getNs())
        .isGreaterThan(before.getInferenceStats().getComputeInfer().getNs());
  }

  @Test
  void statistics_partsOfARequest_areAllCountedByRequests() {
    ModelInferResponse response = stub().modelInfer(tensors().request().build());
    assertThat(response.getOutputsCount()).isEqualTo(2);
    InferStatistics statistics = statistics().getInferenceStats();
    assertThat(
            List.of(
                statistics.getQueue().getCount(),
                statistics.getComputeInput().getCount(),
                statistics.getComputeInfer().getCount(),
                statistics.getComputeOutput().getCount()))
        .containsOnly(statistics.getSuccess().getCount());
  }

  @Test
  void config_fieldNumbers_areTheProtocols() {
    List<String> fields = new ArrayList<>();
    for (Descriptor message : List.of(ModelInput.getDescriptor(), ModelOutput.getDescriptor())) {
      message.getFields().forEach(f -> fields.add(f.getName() + " " + f.getNumber()));
    }
    assertThat(fields)
        .containsExactly(
            "name 1", "data_type 2", "dims 4", "optional 8", "name 1", "data_type 2", "dims 3");
  }

  private ModelStatistics statistics() {
    return stub()
        .modelStatistics(ModelStatisticsRequest.newBuilder().setName("tiny").build())
        .getModelStats(0);
  }
}
