package dev.wukong.serving.figures;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.figures.LoadModel;
import dev.wukong.proto.v1.Criticality;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.proto.v1.RankingServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Servers that are told to stop at full load: what they had admitted must be answered. */
public final class SigtermBenchmark implements Benchmark {
  private static final String KILLED = "sigkill";
  private static final LoadModel MODEL = LoadModel.SMALL;
  private static final long ROWS = 27_000;
  private static final int CANDIDATES = 100;
  private static final int CHANNELS = 4;
  private static final int IN_FLIGHT = 32;

  /** The share of the signals that must find requests at work. */
  private static final double LOADED = 0.8;

  private static final int TERMINATED = 128 + 15;

  /** What the service says when it has stopped. */
  private static final Pattern ADMITTED = Pattern.compile("(\\d+) requests were admitted");

  @Override
  public String name() {
    return "sigterm";
  }

  @Override
  public String summary() {
    return "servers stopped by SIGTERM at full load: lost requests, crashes; some 20 minutes;"
        + " option runs=N";
  }

  @Override
  public List<String> bugs() {
    return List.of(KILLED);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    int runs = (int) context.option("runs", 200);
    Path bundles = context.makeParts().resolve("bundles");
    MODEL.write(bundles, 1, ROWS);
    List<PredictRequest> requests =
        LoadRequests.of(
            MODEL,
            LoadModel.schemaOf(ROWS),
            1000,
            CANDIDATES,
            LoadModel.values(ROWS),
            Criticality.CRITICALITY_NORMAL);
    SplittableRandom random = new SplittableRandom(1);
    long admitted = 0;
    long inFlight = 0;
    long loaded = 0;
    long lost = 0;
    int crashes = 0;
    for (int run = 1; run <= runs; run++) {
      End end = stop(context, bundles, requests, 300 + random.nextInt(700));
      admitted += end.admitted;
      inFlight += end.inFlight;
      loaded += end.inFlight > 0 && end.admitted != 0 ? 1 : 0;
      lost += end.lost;
      crashes += end.crashed ? 1 : 0;
      if (end.lost > 0 || end.crashed || run % 10 == 0) {
        context
            .progress()
            .println(
                "%d runs: %d admitted, %d answered after the signal, %d lost, %d crashes%s"
                    .formatted(run, admitted, inFlight, lost, crashes, end.what));
        context.progress().flush();
      }
    }
    if (loaded < LOADED * runs && lost == 0 && crashes == 0) {
      throw new BenchmarkException(
          "void: only %d of %d servers had admitted requests and answered some after the signal"
              .formatted(loaded, runs));
    }
    String note =
        "%d of them were answered after the signal, at %d of %d signals"
            .formatted(inFlight, loaded, runs);
    return List.of(
        Figure.of("runs", runs, "1", ">=200", ""),
        Figure.of("accepted", (double) admitted, "1", "-", note),
        Figure.of(
            "lost", (double) lost, "1", "<=0", "admitted by the server's count, not answered"),
        Figure.of("crashes", crashes, "1", "<=0", "any end but by the signal"));
  }

  /**
   * How a server ended.
   *
   * @param inFlight requests answered after the signal
   */
  private record End(long admitted, long inFlight, long lost, boolean crashed, String what) {}

  private static End stop(
      BenchmarkContext context, Path bundles, List<PredictRequest> requests, int afterMillis)
      throws Exception {
    ServerUnderTest.Options options =
        new ServerUnderTest.Options(
            "", List.of("-Xmx512m"), List.of("wukong.models=" + MODEL.title()));
    Path work = context.parts().resolve("work");
    try (ServerUnderTest server = ServerUnderTest.start(context, bundles, work, options)) {
      server.awaitServing(MODEL.title());
      List<ManagedChannel> channels = Stream.generate(server::channel).limit(CHANNELS).toList();
      Lanes lanes = new Lanes(channels, requests);
      try {
        lanes.start();
        TimeUnit.MILLISECONDS.sleep(afterMillis);
        long answeredBefore = lanes.answered.get();
        if (context.planted(KILLED)) {
          server.process().destroyForcibly();
        } else {
          server.process().destroy();
        }
        boolean stopped = server.process().waitFor(60, TimeUnit.SECONDS);
        lanes.await();
        int status = stopped ? server.process().exitValue() : -1;
        boolean crashed = status != TERMINATED;
        long admitted = admitted(work.resolve("service.log"));
        long inFlight = lanes.answered.get() - answeredBefore;
        // A server that says nothing has answered nobody of those it had in flight.
        long lost = admitted < 0 ? IN_FLIGHT : Math.max(0, admitted - lanes.answered.get());
        String what =
            lost == 0 && !crashed
                ? ""
                : "; status %d, %d admitted, %d answered, ends %s"
                    .formatted(status, admitted, lanes.answered.get(), lanes.failures);
        return new End(Math.max(0, admitted), inFlight, lost, crashed, what);
      } finally {
        channels.forEach(ManagedChannel::shutdownNow);
      }
    }
  }

  private static long admitted(Path log) throws IOException {
    Matcher matcher = ADMITTED.matcher(Files.readString(log));
    return matcher.find() ? Long.parseLong(matcher.group(1)) : -1;
  }

  /** Callers that go on until the server does not take their calls any more. */
  private static final class Lanes {
    private final List<RankingServiceGrpc.RankingServiceStub> stubs;
    private final List<PredictRequest> requests;
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong answered = new AtomicLong();
    private final ConcurrentHashMap<String, Long> failures = new ConcurrentHashMap<>();
    private final CountDownLatch open = new CountDownLatch(IN_FLIGHT);

    Lanes(List<ManagedChannel> channels, List<PredictRequest> requests) {
      this.stubs = channels.stream().map(RankingServiceGrpc::newStub).toList();
      this.requests = requests;
    }

    void start() {
      for (int i = 0; i < IN_FLIGHT; i++) {
        send();
      }
    }

    void await() throws InterruptedException {
      if (!open.await(60, TimeUnit.SECONDS)) {
        throw new IllegalStateException("calls have not ended 60 s after the server");
      }
    }

    private void send() {
      int index = (int) sent.getAndIncrement();
      stubs
          .get(index % stubs.size())
          .withDeadlineAfter(30, TimeUnit.SECONDS)
          .predict(
              requests.get(index % requests.size()),
              new StreamObserver<>() {
                @Override
                public void onNext(PredictResponse value) {
                  answered.incrementAndGet();
                }

                @Override
                public void onError(Throwable t) {
                  Code code =
                      t instanceof StatusRuntimeException e
                          ? e.getStatus().getCode()
                          : Code.UNKNOWN;
                  failures.merge(code.toString(), 1L, Long::sum);
                  if (code == Code.RESOURCE_EXHAUSTED) {
                    send();
                  } else {
                    open.countDown();
                  }
                }

                @Override
                public void onCompleted() {
                  send();
                }
              });
    }
  }
}
