package dev.wukong.serving.figures;

import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bundle.Precision;
import dev.wukong.figures.LoadModel;
import dev.wukong.proto.v1.Criticality;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.proto.v1.RankingServiceGrpc;
import io.grpc.ManagedChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How long a single caller waits for answers of a service on this machine. */
public final class ServedLatency {
  private static final int REQUESTS = 200;

  private ServedLatency() {}

  /**
   * Milliseconds of each of {@code calls}, one after the other, over loopback.
   *
   * @param candidates of a request
   * @param device of the service's engine
   */
  public static double[] millis(
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
            Criticality.CRITICALITY_NORMAL);
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
        double[] millis = new double[calls];
        for (int i = -calls; i < calls; i++) { // As many before, to be compiled.
          PredictRequest request = requests.get(Math.floorMod(i, REQUESTS));
          long began = System.nanoTime();
          PredictResponse answer = stub.predict(request);
          if (i >= 0 && answer.getSerializedSize() > 0) {
            millis[i] = (System.nanoTime() - began) / 1e6;
          }
        }
        return millis;
      } finally {
        channel.shutdownNow();
      }
    }
  }
}
