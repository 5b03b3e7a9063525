package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.wukong.client.FeedbackClient;
import dev.wukong.client.Prediction;
import dev.wukong.client.RankingClient;
import dev.wukong.data.Schema;
import dev.wukong.proto.v1.AdminServiceGrpc;
import dev.wukong.proto.v1.AdminServiceGrpc.AdminServiceBlockingStub;
import dev.wukong.proto.v1.Exposure;
import dev.wukong.proto.v1.FeedbackAcknowledgement;
import dev.wukong.proto.v1.FeedbackEvent;
import dev.wukong.proto.v1.FeedbackServiceGrpc;
import dev.wukong.proto.v1.GetModelRequest;
import dev.wukong.proto.v1.PauseTrainingRequest;
import dev.wukong.proto.v1.Refusal;
import dev.wukong.proto.v1.ResumeTrainingRequest;
import dev.wukong.proto.v1.StatusServiceGrpc;
import dev.wukong.proto.v1.TrainingStatus;
import dev.wukong.serving.testing.Parts;
import dev.wukong.serving.testing.Served;
import dev.wukong.simulator.Request;
import dev.wukong.simulator.Simulator;
import dev.wukong.simulator.SimulatorConfig;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/** A service whose model learns, as callers, users and operators meet it. */
final class LearningService implements AutoCloseable {
  static final int CANDIDATES = 10;

  /** Of one request that was shown and clicked: none of each, then a click and no conversion. */
  static final int EXAMPLES = CANDIDATES + 2;

  private static final Duration DEADLINE = Duration.ofMinutes(1);
  private static final Simulator SIMULATOR =
      new Simulator(SimulatorConfig.small(LearningModel.SEED));

  private final Served served;
  private final RankingClient client;
  private final ManagedChannel operators;

  private LearningService(Served served) {
    this.served = served;
    this.client = RankingClient.over(served.channel(), LearningModel.NAME, DEADLINE);
    this.operators =
        NettyChannelBuilder.forAddress("127.0.0.1", served.adminPort()).usePlaintext().build();
  }

  /** Starts it over {@code bundles}, of which {@code version} serves then. */
  static LearningService start(Path bundles, long version, String... more) throws Exception {
    return start(bundles, new Parts(), version, more);
  }

  /** Starts it likewise, with some parts instead of the service's own. */
  static LearningService start(Path bundles, Parts parts, long version, String... more)
      throws Exception {
    List<String> settings = new ArrayList<>();
    settings.add("wukong.online.model=" + LearningModel.NAME);
    settings.add("wukong.online.events-dir=" + bundles.resolveSibling("events"));
    settings.add("wukong.online.commit-every=20ms");
    settings.add("wukong.online.batch=32");
    settings.add("wukong.online.linger=0s");
    // Whoever waits for labels has no examples at the beginning.
    settings.add("wukong.online.weighting.click=fake-negative");
    settings.add("wukong.online.weighting.conversion=fake-negative");
    settings.add("wukong.online.given.conversion=click");
    settings.add("wukong.online.sights=1");
    settings.add("wukong.online.rate=10");
    settings.addAll(List.of(more));
    return new LearningService(
        Served.serving(
            bundles, parts, LearningModel.NAME, version, settings.toArray(String[]::new)));
  }

  Served served() {
    return served;
  }

  OnlineTrainer trainer() {
    return served.bean(OnlineTrainer.class);
  }

  AdminServiceBlockingStub admin() {
    return AdminServiceGrpc.newBlockingStub(operators);
  }

  TrainingStatus pause() {
    return admin()
        .pauseTraining(PauseTrainingRequest.newBuilder().setModel(LearningModel.NAME).build())
        .getTraining();
  }

  TrainingStatus resume() {
    return admin()
        .resumeTraining(ResumeTrainingRequest.newBuilder().setModel(LearningModel.NAME).build())
        .getTraining();
  }

  /** What anybody may ask for. */
  TrainingStatus trainingByStatus() {
    return StatusServiceGrpc.newBlockingStub(served.channel())
        .getModel(GetModelRequest.newBuilder().setName(LearningModel.NAME).build())
        .getStatus()
        .getTraining();
  }

  /** A request that nobody has made before, always the same for a number. */
  Prediction predict(long number) {
    Request request = SIMULATOR.request(1_000_000 + number);
    Schema schema = SIMULATOR.schema();
    return client.predict(request.contextValues(schema), request.candidateValues(schema));
  }

  /** The same request by another user. */
  Prediction predict(long number, Object user) {
    Request request = SIMULATOR.request(1_000_000 + number);
    Schema schema = SIMULATOR.schema();
    Map<String, Object> context = new LinkedHashMap<>(request.contextValues(schema));
    context.put("user", user);
    return client.predict(context, request.candidateValues(schema));
  }

  /** Users of the requests that the model was trained on before, as they come. */
  static List<Long> trainedUsers(int requests) {
    Schema schema = SIMULATOR.schema();
    return IntStream.range(0, requests)
        .mapToObj(i -> (Long) SIMULATOR.request(i).contextValues(schema).get("user"))
        .distinct()
        .toList();
  }

  /** Predicts so often, and has the candidate {@code clicked} clicked each time. */
  void click(long number, int clicked, int times) {
    Queue<Refusal> refusals = new ConcurrentLinkedQueue<>();
    try (FeedbackClient feedback = FeedbackClient.over(served.channel(), refusals::add)) {
      for (int turn = 0; turn < times; turn++) {
        var prediction = predict(number).response().getPredictionId();
        Instant now = Instant.now();
        long _ = feedback.exposed(prediction, IntStream.range(0, CANDIDATES).toArray(), now);
        long last = feedback.labelled(prediction, clicked, "click", 1, now);
        feedback.awaitDurable(last, DEADLINE);
      }
    }
    assertThat(refusals).isEmpty();
  }

  /** Reports that the first candidate of {@code prediction} was shown; how the stream ends. */
  Status report(Prediction prediction) throws Exception {
    CompletableFuture<Status> end = new CompletableFuture<>();
    StreamObserver<FeedbackEvent> stream =
        FeedbackServiceGrpc.newStub(served.channel())
            .report(
                new StreamObserver<>() {
                  @Override
                  public void onNext(FeedbackAcknowledgement acknowledged) {
                    // The end says how it went.
                  }

                  @Override
                  public void onError(Throwable cause) {
                    end.complete(Status.fromThrowable(cause));
                  }

                  @Override
                  public void onCompleted() {
                    end.complete(Status.OK);
                  }
                });
    stream.onNext(
        FeedbackEvent.newBuilder()
            .setSequence(1)
            .setPredictionId(prediction.response().getPredictionId())
            .setExposure(
                Exposure.newBuilder()
                    .setPositions(ByteString.copyFrom(new byte[Integer.BYTES]))
                    .setEventTimeMs(System.currentTimeMillis()))
            .build());
    stream.onCompleted();
    return end.get(1, TimeUnit.MINUTES);
  }

  /** Waits until that many examples were learned from and committed. */
  void awaitExamples(long examples) throws Exception {
    Served.await(
        examples + " examples are learned from",
        () -> trainer().status().mark().examples() >= examples);
  }

  /** Waits until what it predicts is logged: in a cluster, once brokers are found. */
  void awaitLogging() throws Exception {
    Served.await("what it predicts is logged", () -> predict(0).response().getLogged());
  }

  /** Waits until it learns. */
  void awaitLearning() throws Exception {
    Served.await("it learns", () -> trainer().status().phase() == OnlineTrainer.Phase.LEARNING);
  }

  HttpResponse<String> get(String path) throws IOException, InterruptedException {
    try (HttpClient http = HttpClient.newHttpClient()) {
      URI uri = URI.create("http://localhost:" + served.httpPort() + path);
      return http.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
    }
  }

  HttpResponse<String> post(String path, String type) throws IOException, InterruptedException {
    try (HttpClient http = HttpClient.newHttpClient()) {
      URI uri = URI.create("http://localhost:" + served.httpPort() + path);
      HttpRequest request =
          HttpRequest.newBuilder(uri)
              .header("Content-Type", type)
              .POST(BodyPublishers.ofString("{}"))
              .build();
      return http.send(request, BodyHandlers.ofString());
    }
  }

  @Override
  public void close() {
    operators.shutdownNow();
    client.close();
    served.close();
  }
}
