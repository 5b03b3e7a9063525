package dev.wukong.serving.figures;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Precision;
import dev.wukong.data.Schema;
import dev.wukong.figures.LoadModel;
import dev.wukong.proto.inference.GRPCInferenceServiceGrpc;
import dev.wukong.proto.inference.ModelInferRequest;
import dev.wukong.proto.v1.Criticality;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.standalone.StandaloneExport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * One model as all servers get it, with the same requests for each.
 *
 * @param bundles the folder that this server reads
 * @param alone the graph with the tables inside and one context a request
 * @param batched the same with a context for each candidate, by which requests can be joined
 * @param predict requests of this server's own protocol
 * @param infer the same in the peers' protocol
 */
record PeerModel(
    LoadModel model,
    Path bundles,
    Graph alone,
    Graph batched,
    Sent<PredictRequest> predict,
    Sent<ModelInferRequest> infer) {
  private static final int REQUESTS = 1000;

  /** How many requests are compared before anything is measured. */
  private static final int COMPARED = 20;

  /**
   * Requests of one protocol.
   *
   * @param compared the first of them
   */
  record Sent<Q>(Door door, List<Q> compared) {}

  /** A self-contained graph and the requests that it takes. */
  record Graph(Path file, Sent<ModelInferRequest> sent) {}

  /**
   * Writes the model's files below {@code root}.
   *
   * @param rows in all tables together
   * @param peersVersion the bundle version whose weights the peers get; 1 is this server's
   */
  static PeerModel write(LoadModel model, Path root, long rows, long peersVersion)
      throws IOException {
    Path bundles = root.resolve("bundles-" + rows);
    Path ours = model.write(bundles, 1, rows);
    Path peers =
        peersVersion == 1 ? ours : model.write(root.resolve("other-" + rows), peersVersion, rows);
    long buckets = LoadModel.buckets(rows);
    Schema schema = LoadModel.schema(buckets);
    List<PredictRequest> requests =
        LoadRequests.of(
            model,
            schema,
            REQUESTS,
            LoadRequests.CANDIDATES,
            Math.toIntExact(buckets),
            Criticality.CRITICALITY_NORMAL);
    List<ModelInferRequest> infer =
        requests.stream().map(request -> InferenceLoad.ours(request, schema)).toList();
    try (Bundle bundle = Bundle.open(peers)) {
      return new PeerModel(
          model,
          bundles,
          graph(bundle, root.resolve(model.title() + ".alone.onnx"), false, requests),
          graph(bundle, root.resolve(model.title() + ".batched.onnx"), true, requests),
          new Sent<>(new Door(RankingServiceGrpc.getPredictMethod(), requests), first(requests)),
          inferred(infer));
    }
  }

  private static Graph graph(
      Bundle bundle, Path file, boolean batchContext, List<PredictRequest> requests)
      throws IOException {
    StandaloneExport.Written written =
        StandaloneExport.write(bundle, Precision.FP32, file, batchContext, true);
    List<ModelInferRequest> own = new ArrayList<>();
    for (PredictRequest request : requests) {
      own.add(InferenceLoad.peers(request, bundle, written.inputs()));
    }
    return new Graph(file, inferred(own));
  }

  private static Sent<ModelInferRequest> inferred(List<ModelInferRequest> requests) {
    Door door = new Door(GRPCInferenceServiceGrpc.getModelInferMethod(), requests);
    return new Sent<>(door, first(requests));
  }

  private static <T> List<T> first(List<T> requests) {
    return List.copyOf(requests.subList(0, COMPARED));
  }

  /** The graph that a peer needs for {@code settings}. */
  Graph graph(PeerSettings settings) {
    return settings.batched() ? batched : alone;
  }
}
