package dev.wukong.serving.figures;

import dev.wukong.bench.BenchmarkException;
import dev.wukong.proto.v1.AdminServiceGrpc;
import dev.wukong.proto.v1.AdminServiceGrpc.AdminServiceBlockingStub;
import dev.wukong.proto.v1.GetModelRequest;
import dev.wukong.proto.v1.PauseTrainingRequest;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.proto.v1.ResumeTrainingRequest;
import dev.wukong.proto.v1.StatusServiceGrpc;
import dev.wukong.proto.v1.TrainingStatus;
import dev.wukong.serving.figures.OpenLoop.Call;
import dev.wukong.serving.figures.OpenLoop.End;
import dev.wukong.serving.figures.OpenLoop.Kind;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A server whose model learns, with all who ask it, react and steer it. One caller. */
final class LearningServer implements AutoCloseable {
  private static final int CHANNELS = 4;
  private static final long DEADLINE_MILLIS = 1000;
  private static final int IN_FLIGHT = 2;

  /** All of them are positive: so few among all that the model learns nothing else from them. */
  private static final long LABEL_EVERY_MILLIS = 400;

  /** Events that are no backlog. */
  private static final long FEW = 1000;

  private static final double CATCH_UP_SECONDS = 120;

  private final ServerUnderTest server;
  private final String model;
  private final long stoppedMillis;
  private final List<ManagedChannel> channels;
  private final ManagedChannel operators;
  private final AdminServiceBlockingStub admin;
  private final UserReactions users;
  private final VisibleLabels labels;
  private double within2;
  private double within5;
  private double visible;

  /**
   * A server that serves.
   *
   * @param stoppedMillis a planted defect: it stops for so long, each second in which it learns
   */
  LearningServer(ServerUnderTest server, LearningLoad load, long stoppedMillis) {
    this.server = server;
    this.model = load.title();
    this.stoppedMillis = stoppedMillis;
    this.channels = Stream.generate(server::channel).limit(CHANNELS).toList();
    this.operators = server.adminChannel();
    this.admin = AdminServiceGrpc.newBlockingStub(operators);
    this.users = new UserReactions(channels.getFirst());
    this.labels = new VisibleLabels(load, channels.getFirst());
  }

  /** What became of one load beside which it learned. */
  record Learned(List<Call> calls, double seconds, double examplesPerSecond, String note) {
    double answeredPerSecond() {
      return CallFigures.count(calls, End.ANSWERED) / seconds;
    }
  }

  VisibleLabels labels() {
    return labels;
  }

  String losses() {
    return users.losses();
  }

  void pause() {
    var _ = admin.pauseTraining(PauseTrainingRequest.newBuilder().setModel(model).build());
  }

  void resume() {
    var _ = admin.resumeTraining(ResumeTrainingRequest.newBuilder().setModel(model).build());
  }

  private TrainingStatus training() throws BenchmarkException {
    TrainingStatus training =
        StatusServiceGrpc.newBlockingStub(channels.getFirst())
            .getModel(GetModelRequest.newBuilder().setName(model).build())
            .getStatus()
            .getTraining();
    if (training.getPhase() == TrainingStatus.Phase.PHASE_HALTED) {
      throw new BenchmarkException("void: training has halted: " + training.getReason());
    }
    return training;
  }

  /** Waits until it has learned what is in the log, while nobody asks. */
  void catchUp() throws InterruptedException, BenchmarkException {
    long start = System.nanoTime();
    while (training().getLag() > FEW) {
      if ((System.nanoTime() - start) / 1e9 > CATCH_UP_SECONDS) {
        throw new BenchmarkException("void: training does not catch up: %s".formatted(training()));
      }
      TimeUnit.MILLISECONDS.sleep(100);
    }
  }

  /** Requests a second that two callers get, while nobody reacts. */
  double capacity(List<PredictRequest> requests, double seconds) throws Exception {
    users.see(0);
    return Capacity.of(channels.getFirst(), requests, IN_FLIGHT, seconds);
  }

  /** Has users see so many candidates a second from now on, where so many requests come. */
  void react(double examples, double requests) {
    users.see((int) Math.clamp(Math.ceil(examples / requests), 1, LoadRequests.CANDIDATES));
  }

  /** Asks so often; users react. */
  List<Call> load(List<PredictRequest> requests, double rate, double seconds)
      throws InterruptedException {
    return new OpenLoop(channels, List.of(new Kind(requests, 1)), DEADLINE_MILLIS, this::answered)
        .run(rate, seconds)
        .all();
  }

  private void answered(PredictResponse answer) {
    users.answered(answer);
    labels.answered(answer);
  }

  /** The same, with what is learned meanwhile and how soon. */
  Learned learn(List<PredictRequest> requests, double rate, double seconds) throws Exception {
    double[] before = timer();
    double cpu = server.cpuSeconds();
    TrainingStatus from = training();
    long start = System.nanoTime();
    CountDownLatch end = new CountDownLatch(1);
    try (ExecutorService executor = Executors.newCachedThreadPool()) {
      Future<Void> looking =
          executor.submit(
              () -> {
                look(end);
                return null;
              });
      Future<Void> stopping =
          executor.submit(
              () -> {
                stopNowAndThen(end);
                return null;
              });
      List<Call> calls;
      double took;
      TrainingStatus to;
      double used;
      try {
        calls = load(requests, rate, seconds);
        to = training();
        took = (System.nanoTime() - start) / 1e9;
        used = server.cpuSeconds() - cpu;
      } finally {
        end.countDown();
      }
      var _ = looking.get();
      var _ = stopping.get();
      double[] after = timer();
      within2 += after[0] - before[0];
      within5 += after[1] - before[1];
      visible += after[2] - before[2];
      return new Learned(
          calls,
          seconds,
          (to.getExamples() - from.getExamples()) / took,
          "learning: %d commits in %.1f s, %d events behind at the end, server %.0f %% of its core, paced %.2f s"
              .formatted(
                  to.getDense() - from.getDense(), took, to.getLag(), 100 * used / took, paced()));
    }
  }

  private void look(CountDownLatch end) throws Exception {
    try {
      labels.run(LABEL_EVERY_MILLIS, end);
    } catch (BenchmarkException e) {
      throw new BenchmarkException(
          "%s; %.0f labels were joined, %.0f came when only positives would, training: %s"
              .formatted(
                  e.getMessage(),
                  server.metric("wukong_join_labels_total", "outcome=\"joined\""),
                  server.metric("wukong_join_labels_total", "outcome=\"unpaired\""),
                  training()));
    }
  }

  private double paced() throws IOException, InterruptedException {
    return server.metric("wukong_online_paced_seconds_sum", "");
  }

  /** Labels within 2 s, within 5 s and in all, as the server has measured it so far. */
  private double[] timer() throws IOException, InterruptedException {
    String name = "wukong_online_visible_seconds";
    return new double[] {
      server.metric(name + "_bucket", "le=\"2.0\""),
      server.metric(name + "_bucket", "le=\"5.0\""),
      server.metric(name + "_count", "")
    };
  }

  /** What the server says of all labels of {@link #learn}. */
  String visibleByServer() {
    return "by the server's timer %.1f %% of %.0f within 2 s, %.1f %% within 5 s"
        .formatted(100 * within2 / visible, visible, 100 * within5 / visible);
  }

  private void stopNowAndThen(CountDownLatch end) throws InterruptedException, IOException {
    while (stoppedMillis > 0 && !end.await(1, TimeUnit.SECONDS)) {
      signal("STOP");
      TimeUnit.MILLISECONDS.sleep(stoppedMillis);
      signal("CONT");
    }
  }

  private void signal(String name) throws IOException, InterruptedException {
    int _ =
        new ProcessBuilder("kill", "-" + name, Long.toString(server.process().pid()))
            .start()
            .waitFor();
  }

  @Override
  public void close() {
    users.close();
    channels.forEach(ManagedChannel::shutdownNow);
    operators.shutdownNow();
  }
}
