package dev.wukong.serving.figures;

import dev.wukong.serving.figures.ClientProgram.Said;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** ghz: many requests of each model and each of the two calls, as binary messages. */
record GhzCalls(ClientProgram program, String target, Path folder, long each) {
  static final String INSTALL = "`go install github.com/bojand/ghz/cmd/ghz@v0.120.0` builds it";

  /** Makes all calls. */
  ClientTally run(List<ClientRequest> requests) throws IOException, InterruptedException {
    ClientTally tally = new ClientTally("ghz", program.goVersion());
    for (ClientRequest request : requests) {
      load(tally, "wukong.v1.RankingService.Predict", request.predict().toByteArray());
      load(tally, "inference.GRPCInferenceService.ModelInfer", request.infer().toByteArray());
    }
    return tally;
  }

  private void load(ClientTally tally, String call, byte[] message)
      throws IOException, InterruptedException {
    Path binary = folder.resolve("request.bin");
    Files.write(binary, message);
    Said said =
        program.run(
            folder,
            "",
            "--insecure",
            "--call=" + call,
            "--binary-file=" + binary,
            "--total=" + each,
            "--concurrency=8",
            "--connections=2",
            "--timeout=20s",
            "--format=json",
            target);
    if (said.status() != 0) {
      tally.count(each, each, call + ": " + said.end());
      return;
    }
    try {
      JsonNode told = JsonMapper.shared().readTree(said.out());
      JsonNode codes = told.path("statusCodeDistribution");
      long good = codes.path("OK").asLong(0);
      tally.count(each, each - good, call + ": " + codes + " " + told.path("errorDistribution"));
    } catch (JacksonException e) {
      tally.count(each, each, call + " is reported as no JSON: " + e.getOriginalMessage());
    }
  }
}
