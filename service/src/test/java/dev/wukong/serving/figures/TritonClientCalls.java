package dev.wukong.serving.figures;

import dev.wukong.figures.PythonEnvironment;
import dev.wukong.serving.figures.ClientProgram.Said;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** tritonclient: a script that makes its calls and compares the probabilities. */
record TritonClientCalls(ClientProgram python, String target, Path folder) {
  static final String PACKAGE = "tritonclient[grpc]";

  /** Makes all calls. */
  ClientTally run(List<ClientRequest> requests, double tolerance)
      throws IOException, InterruptedException {
    Path input = folder.resolve("tritonclient.json");
    Files.writeString(
        input,
        JsonMapper.shared()
            .writeValueAsString(
                Map.of(
                    "tolerance",
                    tolerance,
                    "models",
                    requests.stream().map(ClientRequest::description).toList())));
    Path script = PythonEnvironment.script("tritonclient_calls.py", folder);
    Said said = python.run(folder, "", script.toString(), target, input.toString());
    JsonNode told;
    try {
      told = JsonMapper.shared().readTree(said.out());
    } catch (JacksonException e) {
      told = JsonMapper.shared().createObjectNode();
    }
    ClientTally tally = new ClientTally("tritonclient", told.path("version").asString("unknown"));
    tally.count(told.path("calls").asLong(0), 0, "");
    for (JsonNode failure : told.path("failures")) {
      tally.count(0, 1, failure.asString());
    }
    tally.saw(told.path("difference").asDouble(Double.POSITIVE_INFINITY));
    if (said.status() != 0) {
      tally.check(false, "the script ends early: " + said.end());
    }
    return tally;
  }
}
