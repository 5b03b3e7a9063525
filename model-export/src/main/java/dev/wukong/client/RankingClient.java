package dev.wukong.client;

import dev.wukong.bundle.SchemaDocument;
import dev.wukong.data.RowSource;
import dev.wukong.data.Schema;
import dev.wukong.proto.v1.GetModelRequest;
import dev.wukong.proto.v1.GetModelResponse;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.proto.v1.RankingServiceGrpc.RankingServiceBlockingStub;
import dev.wukong.proto.v1.StatusServiceGrpc;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Asks a ranking service about one model. The model's schema is fetched once, when the client is
 * made; after a deployment with another schema the server answers FAILED_PRECONDITION and a new
 * client is needed. Any thread.
 */
public final class RankingClient implements AutoCloseable {
  private static final int MAX_ANSWER_BYTES = 64 << 20;

  private final Runnable close;
  private final RankingServiceBlockingStub stub;
  private final Duration deadline;
  private final RequestPacker packer;
  private final Schema schema;
  private final GetModelResponse model;

  private RankingClient(Channel channel, String name, Duration deadline, Runnable close) {
    this.close = close;
    this.deadline = deadline;
    this.stub =
        RankingServiceGrpc.newBlockingStub(channel).withMaxInboundMessageSize(MAX_ANSWER_BYTES);
    this.model =
        StatusServiceGrpc.newBlockingStub(channel)
            .withDeadlineAfter(deadline.toNanos(), TimeUnit.NANOSECONDS)
            .withMaxInboundMessageSize(MAX_ANSWER_BYTES)
            .getModel(GetModelRequest.newBuilder().setName(name).build());
    if (model.getSchemaJson().isEmpty()) {
      throw Status.UNAVAILABLE
          .withDescription(
              "model '%s' has no version that serves yet".formatted(model.getStatus().getName()))
          .asRuntimeException();
    }
    this.schema = SchemaDocument.read(model.getSchemaJson());
    this.packer = new RequestPacker(model.getStatus().getName(), schema);
  }

  /**
   * A client of the service at {@code target}, without encryption.
   *
   * @param target {@code host:port}
   * @param model its name; empty where the server has one model only
   * @param deadline of each call
   * @throws StatusRuntimeException if the server does not answer, or the model does not serve
   */
  public static RankingClient connect(String target, String model, Duration deadline) {
    return connect(target, model, deadline, InsecureChannelCredentials.create());
  }

  /**
   * A client of the service at {@code target}.
   *
   * @param credentials whom the client trusts and what it shows, such as {@link
   *     io.grpc.TlsChannelCredentials}
   * @throws StatusRuntimeException as for {@link #connect(String, String, Duration)}, and if the
   *     server's certificate is not trusted or not of the target's host
   */
  public static RankingClient connect(
      String target, String model, Duration deadline, ChannelCredentials credentials) {
    ManagedChannel channel = Grpc.newChannelBuilder(target, credentials).build();
    try {
      return new RankingClient(channel, model, deadline, channel::shutdownNow);
    } catch (RuntimeException e) {
      channel.shutdownNow();
      throw e;
    }
  }

  /** A client over a channel that stays the caller's to close. */
  public static RankingClient over(Channel channel, String model, Duration deadline) {
    return new RankingClient(channel, model, deadline, () -> {});
  }

  /** The features and tasks of the model, as the server gave them. */
  public Schema schema() {
    return schema;
  }

  /** Names of the tasks, in the order of the scores. */
  public List<String> tasks() {
    return model.getStatus().getTasksList();
  }

  /** What the server said of the model. */
  public GetModelResponse model() {
    return model;
  }

  /** Packs requests to this model. */
  public RequestPacker packer() {
    return packer;
  }

  /**
   * Sends a request.
   *
   * @throws StatusRuntimeException if the server refuses it; the description says why
   */
  public Prediction predict(PredictRequest request) {
    return new Prediction(
        stub.withDeadlineAfter(deadline.toNanos(), TimeUnit.NANOSECONDS).predict(request));
  }

  /** Scores the candidates of one context; values as for {@link RequestPacker#pack}. */
  public Prediction predict(Map<String, ?> context, List<? extends Map<String, ?>> candidates) {
    return predict(packer.pack(context, candidates));
  }

  /**
   * Scores all rows of {@code source}, each a candidate with its context, in requests of up to
   * {@code maxRows}.
   *
   * @param answers takes each answer, in order
   * @return rows scored
   */
  public long predictAll(RowSource source, int maxRows, Consumer<Prediction> answers) {
    return predictAll(source, maxRows, (prediction, _) -> answers.accept(prediction));
  }

  /** Takes an answer and the nanoseconds that it took, packing of the request left out. */
  @FunctionalInterface
  public interface TimedAnswers {
    void answer(Prediction prediction, long nanos);
  }

  /** {@link #predictAll(RowSource, int, Consumer)} with the time of each answer. */
  public long predictAll(RowSource source, int maxRows, TimedAnswers answers) {
    RequestPacker.Rows rows = packer.rows(source, maxRows);
    long scored = 0;
    for (PredictRequest request = rows.next(); request.hasCandidates(); request = rows.next()) {
      long start = System.nanoTime();
      Prediction prediction = predict(request);
      answers.answer(prediction, System.nanoTime() - start);
      scored += request.getCandidates().getRows();
    }
    return scored;
  }

  @Override
  public void close() {
    close.run();
  }
}
