package dev.wukong.serving.figures;

import dev.wukong.serving.figures.ClientProgram.Said;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * grpcurl: what reflection says, health, and calls in JSON. Each call is a process of its own; it
 * knows no message but by reflection.
 */
record GrpcurlCalls(ClientProgram program, String target, Path folder) {
  static final String INSTALL =
      "`go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3` builds it";

  /** Makes all calls. */
  ClientTally run(List<ClientRequest> requests, double tolerance)
      throws IOException, InterruptedException {
    ClientTally tally = new ClientTally("grpcurl", program.goVersion());
    Said services = program.run(folder, "", "-plaintext", target, "list");
    for (String service :
        List.of(
            "grpc.health.v1.Health",
            "inference.GRPCInferenceService",
            "wukong.v1.RankingService",
            "wukong.v1.StatusService")) {
      tally.check(
          services.status() == 0 && services.out().lines().anyMatch(service::equals),
          "list lacks " + service + "; " + services.end());
    }
    Said description =
        program.run(folder, "", "-plaintext", target, "describe", "wukong.v1.PredictRequest");
    tally.check(
        description.status() == 0 && description.out().contains("string schema_id = 2;"),
        "describe: " + description.end());
    for (String service : List.of("", "wukong.v1.RankingService")) {
      JsonNode health =
          call(tally, "grpc.health.v1.Health/Check", "{\"service\": \"%s\"}".formatted(service));
      tally.check(
          health.path("status").asString("").equals("SERVING"),
          "health of '" + service + "': " + health);
    }
    inference(tally, "ServerLive", "{}", "live");
    inference(tally, "ServerReady", "{}", "ready");
    for (ClientRequest request : requests) {
      model(tally, request, tolerance);
    }
    return tally;
  }

  private void inference(ClientTally tally, String method, String json, String flag)
      throws IOException, InterruptedException {
    JsonNode answer = call(tally, "inference.GRPCInferenceService/" + method, json);
    tally.check(answer.path(flag).asBoolean(false), method + ": " + answer);
  }

  private void model(ClientTally tally, ClientRequest request, double tolerance)
      throws IOException, InterruptedException {
    String name = request.model();
    String named = "{\"name\": \"%s\"}".formatted(name);
    JsonNode status = call(tally, "wukong.v1.StatusService/GetModel", named);
    tally.check(
        field(status.path("status"), "schema_id")
            .asString("")
            .equals(request.predict().getSchemaId()),
        "GetModel: " + status);
    inference(tally, "ModelReady", named, "ready");
    JsonNode metadata = call(tally, "inference.GRPCInferenceService/ModelMetadata", named);
    tally.check(
        request.tensors().stream()
            .allMatch(
                tensor ->
                    metadata
                        .path("inputs")
                        .valueStream()
                        .anyMatch(
                            input ->
                                input.path("name").asString("").equals(tensor.name())
                                    && input
                                        .path("datatype")
                                        .asString("")
                                        .equals(tensor.datatype()))),
        "ModelMetadata lacks a tensor: " + metadata);
    JsonNode scored = call(tally, "wukong.v1.RankingService/Predict", request.predictJson());
    tally.probabilities(
        "Predict of " + name,
        ClientRequest.floats(bytes(scored.path("scores"))),
        request.expected(),
        tolerance);
    tally.check(
        scored.path("model").asString("").equals(name)
            && scored.path("version").path("bundle").asString("").equals("1")
            && field(scored, "request_id").asString("").equals("clients")
            && bytes(field(scored, "prediction_id")).length == 16,
        "Predict of " + name + " answers " + scored);
    JsonNode inferred =
        call(tally, "inference.GRPCInferenceService/ModelInfer", request.inferJson());
    JsonNode output = inferred.path("outputs").path(0);
    tally.check(
        output.path("name").asString("").equals("probabilities")
            && output.path("datatype").asString("").equals("FP32")
            && output.path("shape").path(0).asString("").equals("" + request.candidates())
            && inferred.path("id").asString("").equals("clients"),
        "ModelInfer of " + name + " answers " + inferred);
    tally.probabilities(
        "ModelInfer of " + name,
        ClientRequest.floats(bytes(field(inferred, "raw_output_contents").path(0))),
        request.expected(),
        tolerance);
  }

  /** By the name in the protocol's file or, as some of its versions write it, in camel case. */
  private static JsonNode field(JsonNode message, String name) {
    StringBuilder camel = new StringBuilder();
    for (String word : name.split("_", -1)) {
      camel.append(
          camel.isEmpty() ? word : Character.toUpperCase(word.charAt(0)) + word.substring(1));
    }
    return message.has(name) ? message.path(name) : message.path(camel.toString());
  }

  private static byte[] bytes(JsonNode base64) {
    return Base64.getDecoder().decode(base64.asString(""));
  }

  /** The answer's JSON; one that says nothing where there is none, and that counts as a failure. */
  private JsonNode call(ClientTally tally, String method, String json)
      throws IOException, InterruptedException {
    Said said = program.run(folder, json, "-plaintext", "-d", "@", target, method);
    if (said.status() == 0) {
      try {
        return JsonMapper.shared().readTree(said.out());
      } catch (JacksonException e) {
        tally.count(0, 1, method + " answers no JSON: " + e.getOriginalMessage());
      }
    } else {
      tally.count(0, 1, method + ": " + said.end());
    }
    return JsonNodeFactory.instance.objectNode();
  }
}
