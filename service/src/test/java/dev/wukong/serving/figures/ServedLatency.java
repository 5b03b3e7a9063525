package dev.wukong.serving.figures;

import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.Figure;
import dev.wukong.bundle.Precision;
import dev.wukong.figures.LoadModel;
import dev.wukong.proto.v1.Criticality;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.proto.v1.Timing;
import io.grpc.ManagedChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How long a single caller waits for answers of a service on this machine, by call, in
 * milliseconds.
 *
 * @param millis from the request's being handed over to the answer's being there
 * @param decode of it the service's checking and mapping of values
 * @param resolve finding the rows and copying them into place
 * @param queue waiting for a batch; 0 where a request is cut into parts, which wait for each other
 * @param run the engine's batches
 */
public record ServedLatency(
    double[] millis, double[] decode, double[] resolve, double[] queue, double[] run) {
  private static final int REQUESTS = 200;

  /** Medians of the stages and of what is left: both ends of the connection and what is between. */
  public String stages() {
    double[] rest = new double[millis.length];
    for (int i = 0; i < rest.length; i++) {
      rest[i] = millis[i] - decode[i] - resolve[i] - queue[i] - run[i];
    }
    return "decoding %.3f, rows %.3f, queue %.3f, run %.3f, the connection and the rest %.3f"
        .formatted(
            Figure.median(decode),
            Figure.median(resolve),
            Figure.median(queue),
            Figure.median(run),
            Figure.median(rest));
  }

  /**
   * Makes {@code calls}, one after the other, over loopback.
   *
   * @param candidates of a request
   * @param device of the service's engine
   */
  public static ServedLatency of(
      BenchmarkContext context,
      Path bundles,
      LoadModel model,
      long rows,
      int candidates,
      int calls,
      String device,
      Precision precision)
      throws Exception {
    List<PredictRequest> requests =
        LoadRequests.of(
                model,
                LoadModel.schemaOf(rows),
                REQUESTS,
                candidates,
                LoadModel.values(rows),
                Criticality.CRITICALITY_NORMAL)
            .stream()
            .map(request -> request.toBuilder().setWantTiming(true).build())
            .toList();
    List<String> jvm = new ArrayList<>(List.of("-Xmx2g"));
    // Where this process has its libraries from.
    String natives = System.getProperty("onnxruntime.native.path");
    if (natives != null) {
      jvm.add("-Donnxruntime.native.path=" + natives);
    }
    ServerUnderTest.Options options =
        new ServerUnderTest.Options(
            "",
            jvm,
            List.of(
                "wukong.models=" + model.title(),
                "wukong.engine.device=" + device,
                "wukong.engine.precision=" + precision,
                "wukong.rows.format=" + (precision == Precision.FP16 ? "fp16" : "fp32"),
                "wukong.batching.max-rows=8192"));
    try (ServerUnderTest server =
        ServerUnderTest.start(
            context, bundles, context.parts().resolve("work-" + model.title()), options)) {
      server.awaitServing(model.title());
      ManagedChannel channel = server.channel();
      try {
        RankingServiceGrpc.RankingServiceBlockingStub stub =
            RankingServiceGrpc.newBlockingStub(channel);
        ServedLatency found =
            new ServedLatency(
                new double[calls],
                new double[calls],
                new double[calls],
                new double[calls],
                new double[calls]);
        for (int i = -calls; i < calls; i++) { // As many before, to be compiled.
          PredictRequest request = requests.get(Math.floorMod(i, REQUESTS));
          long began = System.nanoTime();
          PredictResponse answer = stub.predict(request);
          double took = (System.nanoTime() - began) / 1e6;
          if (i >= 0) {
            found.put(i, took, answer.getTiming(), candidates);
          }
        }
        return found;
      } finally {
        channel.shutdownNow();
      }
    }
  }

  private void put(int call, double took, Timing timing, int candidates) {
    millis[call] = took;
    decode[call] = timing.getDecodeUs() / 1e3;
    resolve[call] = timing.getResolveUs() / 1e3;
    queue[call] = timing.getBatchRows() < candidates ? 0 : timing.getQueueUs() / 1e3;
    run[call] = timing.getRunUs() / 1e3;
  }
}
