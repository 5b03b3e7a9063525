package dev.wukong.serving.figures;

import com.google.protobuf.ByteString;
import dev.wukong.client.RequestPacker;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.proto.inference.ModelInferRequest;
import dev.wukong.proto.inference.ModelInferRequest.InferInputTensor;
import dev.wukong.proto.v1.Block;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import tools.jackson.databind.json.JsonMapper;

/**
 * One request to one model in the forms in which clients send it, and the answer that each of them
 * must get.
 *
 * @param predict as the project's own client packs it
 * @param expected the probabilities, [candidates, tasks]
 */
record ClientRequest(
    String model, PredictRequest predict, List<ClientTensor> tensors, float[] expected) {
  /** A request whose answer nobody compares. */
  static ClientRequest of(
      String model,
      Schema schema,
      Map<String, ?> context,
      List<? extends Map<String, ?>> candidates) {
    return of(model, schema, context, candidates, _ -> PredictResponse.getDefaultInstance());
  }

  /** What a client does with it is compared with what {@code answer} says. */
  static ClientRequest of(
      String model,
      Schema schema,
      Map<String, ?> context,
      List<? extends Map<String, ?>> candidates,
      Function<PredictRequest, PredictResponse> answer) {
    PredictRequest packed = new RequestPacker(model, schema).pack(context, candidates);
    return new ClientRequest(
        model,
        packed,
        ClientTensor.of(schema, context, candidates),
        floats(answer.apply(packed).getScores().toByteArray()));
  }

  /** float32, little-endian. */
  static float[] floats(byte[] bytes) {
    float[] floats = new float[bytes.length / Float.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(floats);
    return floats;
  }

  int candidates() {
    return predict.getCandidates().getRows();
  }

  /** Predict in protobuf's JSON, bytes in base64. */
  String predictJson() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("model", Map.of("name", model));
    json.put("schemaId", predict.getSchemaId());
    json.put("requestId", "clients");
    json.put("context", block(predict.getContext()));
    json.put("candidates", block(predict.getCandidates()));
    return JsonMapper.shared().writeValueAsString(json);
  }

  private static Map<String, Object> block(Block block) {
    Map<String, Object> json = new LinkedHashMap<>();
    block
        .getAllFields()
        .forEach(
            (field, value) ->
                json.put(
                    field.getJsonName(),
                    value instanceof ByteString bytes
                        ? Base64.getEncoder().encodeToString(bytes.toByteArray())
                        : value));
    return json;
  }

  /** ModelInfer with raw contents. */
  ModelInferRequest infer() {
    ModelInferRequest.Builder request =
        ModelInferRequest.newBuilder().setModelName(model).setId("clients");
    for (ClientTensor tensor : tensors) {
      request
          .addInputs(
              InferInputTensor.newBuilder()
                  .setName(tensor.name())
                  .setDatatype(tensor.datatype())
                  .addShape(tensor.rows())
                  .addShape(tensor.width()))
          .addRawInputContents(tensor.raw());
    }
    return request.build();
  }

  /** ModelInfer with typed contents in protobuf's JSON. */
  String inferJson() {
    List<Object> inputs = new ArrayList<>();
    for (ClientTensor tensor : tensors) {
      inputs.add(json(tensor, "contents", Map.of(contents(tensor.datatype()), jsonValues(tensor))));
    }
    return JsonMapper.shared()
        .writeValueAsString(Map.of("modelName", model, "id", "clients", "inputs", inputs));
  }

  private static Map<String, Object> json(ClientTensor tensor, String field, Object values) {
    return Map.of(
        "name",
        tensor.name(),
        "datatype",
        tensor.datatype(),
        "shape",
        List.of(tensor.rows(), tensor.width()),
        field,
        values);
  }

  private static String contents(String datatype) {
    return switch (datatype) {
      case "BOOL" -> "boolContents";
      case "INT32" -> "intContents";
      case "INT64" -> "int64Contents";
      case "FP32" -> "fp32Contents";
      case "FP64" -> "fp64Contents";
      default -> "bytesContents";
    };
  }

  private static List<Object> jsonValues(ClientTensor tensor) {
    return tensor.datatype().equals("BYTES")
        ? tensor.values().stream()
            .map(Objects::toString)
            .map(text -> text.getBytes(StandardCharsets.UTF_8))
            .map(utf8 -> (Object) Base64.getEncoder().encodeToString(utf8))
            .toList()
        : tensor.values();
  }

  /** Tensors and expected probabilities, for the Python script. */
  Map<String, Object> description() {
    List<Object> inputs = new ArrayList<>();
    for (ClientTensor tensor : tensors) {
      inputs.add(json(tensor, "values", tensor.values()));
    }
    return Map.of("model", model, "inputs", inputs, "expected", expected);
  }

  /** A file of perf_analyzer: each candidate, with its context, is one entry of its batches. */
  String perfAnalyzerJson() {
    List<Object> entries = new ArrayList<>();
    for (int row = 0; row < candidates(); row++) {
      Map<String, Object> entry = new LinkedHashMap<>();
      for (ClientTensor tensor : tensors) {
        entry.put(
            tensor.name(),
            Map.of(
                "content",
                tensor.row(tensor.scope() == Scope.CONTEXT ? 0 : row),
                "shape",
                List.of(tensor.width())));
      }
      entries.add(entry);
    }
    return JsonMapper.shared().writeValueAsString(Map.of("data", entries));
  }
}
