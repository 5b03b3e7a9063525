package dev.wukong.serving.figures;

import com.google.protobuf.ByteString;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.proto.inference.GRPCInferenceServiceGrpc;
import dev.wukong.proto.inference.ModelInferRequest;
import dev.wukong.proto.inference.ModelInferResponse;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.serving.figures.PeerModel.Sent;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The two sides of a comparison, started on one core. A peer is taken only if it answers as this
 * server does. One thread.
 */
final class PeerSides {
  private static final double LARGEST_DIFFERENCE = 1e-5;
  private static final int DEADLINE_SECONDS = 20;

  private final BenchmarkContext context;
  private final String cores;
  private final PeerModel model;
  private final List<float[]> expected = new ArrayList<>();
  private double difference;

  private PeerSides(BenchmarkContext context, String cores, PeerModel model) {
    this.context = context;
    this.cores = cores;
    this.model = model;
  }

  /** Changes with the graphs and with what the peers are made of. */
  String fingerprint() throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Path file : List.of(model.alone().file(), model.batched().file())) {
        digest(digest, file);
      }
      try (Stream<Path> scripts = Files.walk(Peer.scripts(context))) {
        for (Path file : scripts.filter(Files::isRegularFile).sorted().toList()) {
          digest(digest, file);
        }
      }
      return HexFormat.of().formatHex(digest.digest(), 0, 6);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  private static void digest(MessageDigest digest, Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      in.transferTo(new DigestOutputStream(OutputStream.nullOutputStream(), digest));
    }
  }

  /** A peer with its door; closing ends both. */
  record Started(Peer peer, LoadedServer server) implements AutoCloseable {
    @Override
    public void close() {
      server.close();
      peer.close();
    }
  }

  /** This server with both of its doors; closing ends all. */
  record Ours(ServerUnderTest process, LoadedServer predict, LoadedServer infer, Thread atExit)
      implements AutoCloseable {
    @Override
    public void close() {
      Runtime.getRuntime().removeShutdownHook(atExit);
      predict.close();
      infer.close();
      process.close();
    }
  }

  /**
   * Both sides of {@code model}, with this server's answers to know a peer by.
   *
   * @param cores of every server
   * @throws BenchmarkException if this server's two doors answer differently
   */
  static PeerSides of(BenchmarkContext context, String cores, PeerModel model) throws Exception {
    PeerSides sides = new PeerSides(context, cores, model);
    try (Ours ours = sides.ours()) {
      ManagedChannel channel = ours.process.channel();
      try {
        for (PredictRequest request : model.predict().compared()) {
          PredictResponse answer =
              RankingServiceGrpc.newBlockingStub(channel)
                  .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
                  .predict(request);
          sides.expected.add(floats(answer.getScores()));
        }
        sides.compare("this server's OIP", channel, model.infer());
      } finally {
        channel.shutdownNow();
      }
    }
    return sides;
  }

  /** The largest difference of any answer so far from this server's own. */
  double difference() {
    return difference;
  }

  /** Starts this server. */
  Ours ours() throws Exception {
    Path work = context.parts().resolve("work-" + model.model().title());
    ServerUnderTest.Options options =
        new ServerUnderTest.Options(
            cores,
            List.of("-Xmx1g"),
            List.of(
                "wukong.models=" + model.model().title(),
                "wukong.engine.threads=1",
                // Peers refuse nobody; a refusal here would leave less to wait for.
                "wukong.batching.max-wait=1m",
                "wukong.batching.queue-rows=1000000"));
    ServerUnderTest server = ServerUnderTest.start(context, model.bundles(), work, options);
    Thread atExit = Thread.ofPlatform().unstarted(server::close);
    Runtime.getRuntime().addShutdownHook(atExit);
    try {
      server.awaitServing(model.model().title());
    } catch (IOException e) {
      server.close();
      throw e;
    }
    ProcessTree tree = new ProcessTree(server.process().toHandle());
    return new Ours(
        server,
        new LoadedServer("ours", server::channel, model.predict().door(), tree),
        new LoadedServer("ours, OIP", server::channel, model.infer().door(), tree),
        atExit);
  }

  /**
   * Starts a peer.
   *
   * @throws IOException if it does not start or does not answer
   * @throws BenchmarkException if it is not installed, or its answers differ
   */
  Started start(PeerKind kind, PeerSettings settings) throws IOException, BenchmarkException {
    PeerModel.Graph graph = model.graph(settings);
    Peer peer = Peer.start(context, cores, kind, settings, graph.file());
    ManagedChannel channel = peer.channel();
    try {
      compare(kind.title(), channel, graph.sent());
    } catch (IOException | BenchmarkException e) {
      peer.close();
      throw e;
    } finally {
      channel.shutdownNow();
    }
    return new Started(
        peer, new LoadedServer(kind.title(), peer::channel, graph.sent().door(), peer.tree()));
  }

  private void compare(String title, ManagedChannel channel, Sent<ModelInferRequest> sent)
      throws IOException, BenchmarkException {
    for (int i = 0; i < expected.size(); i++) {
      float[] answered = floats(probabilities(title, channel, sent.compared().get(i)));
      float[] wanted = expected.get(i);
      if (answered.length != wanted.length) {
        throw new BenchmarkException(
            "void: %s gives %d probabilities, this server's Predict %d"
                .formatted(title, answered.length, wanted.length));
      }
      for (int j = 0; j < wanted.length; j++) {
        double apart = Math.abs((double) answered[j] - wanted[j]);
        if (!(apart <= LARGEST_DIFFERENCE)) {
          throw new BenchmarkException(
              "void: %s gives the probability %s of request %d, candidate %d; this server's Predict %s"
                  .formatted(title, answered[j], i, j, wanted[j]));
        }
        difference = Math.max(difference, apart);
      }
    }
  }

  private static ByteString probabilities(
      String title, ManagedChannel channel, ModelInferRequest request) throws IOException {
    ModelInferResponse answer;
    try {
      answer =
          GRPCInferenceServiceGrpc.newBlockingStub(channel)
              .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
              .modelInfer(request);
    } catch (StatusRuntimeException e) {
      throw new IOException("%s does not answer: %s".formatted(title, e.getMessage()), e);
    }
    for (int i = 0; i < answer.getOutputsCount(); i++) {
      if (answer.getOutputs(i).getName().equals("probabilities")
          && i < answer.getRawOutputContentsCount()) {
        return answer.getRawOutputContents(i);
      }
    }
    throw new IOException("%s answers without raw probabilities".formatted(title));
  }

  private static float[] floats(ByteString bytes) {
    FloatBuffer floats =
        bytes.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    float[] values = new float[floats.remaining()];
    floats.get(values);
    return values;
  }
}
