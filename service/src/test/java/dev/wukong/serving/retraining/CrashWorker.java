package dev.wukong.serving.retraining;

import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bundle.BundleStore;
import dev.wukong.bundle.Precision;
import dev.wukong.client.FeedbackClient;
import dev.wukong.client.RankingClient;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.proto.v1.Refusal;
import dev.wukong.runtime.Device;
import dev.wukong.serving.batching.BatchPolicy;
import dev.wukong.serving.embedding.RocksRowStore;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowFormat;
import dev.wukong.serving.embedding.RowThreads;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.engine.EngineOptions;
import dev.wukong.serving.events.EventRetention;
import dev.wukong.serving.events.EventWriter;
import dev.wukong.serving.events.QueueRoom;
import dev.wukong.serving.events.RocksEventLog;
import dev.wukong.serving.hosting.BundleWatcher;
import dev.wukong.serving.hosting.HostingOptions;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.predict.FeatureLog;
import dev.wukong.serving.predict.FeedbackService;
import dev.wukong.serving.predict.PredictLimits;
import dev.wukong.serving.predict.PredictService;
import dev.wukong.serving.predict.PredictionIds;
import dev.wukong.serving.predict.StatusService;
import dev.wukong.serving.sight.Sights;
import dev.wukong.serving.testing.ForwardingStateStore;
import dev.wukong.simulator.Request;
import dev.wukong.simulator.Simulator;
import dev.wukong.simulator.SimulatorConfig;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;

/**
 * A process that serves, learns, and is its own client: it says which labels were acknowledged. It
 * is made to be killed. Arguments: the folder of all, a seed, and a planted defect or nothing.
 */
final class CrashWorker {
  static final String SERVES = "serves";
  static final String ACKNOWLEDGED = "acknowledged";

  /** Labels are said to be acknowledged that were only sent. */
  static final String EARLY = "early-acknowledgement";

  /** How far the join has read the log is not in the commit. */
  static final String APART = "position-apart";

  static final String STORE = "store";
  static final String EVENTS = "events";
  static final String BUNDLES = "bundles";

  /** So many predictions are reported before their labels are waited for. */
  private static final int TOGETHER = 4;

  private static final Duration MINUTE = Duration.ofMinutes(1);

  private CrashWorker() {}

  /** How its model learns, as the parent learns it once more. */
  static LearnerOptions options() {
    // None of its lives is long, and there are no examples at the beginning of any.
    return LearnerTrial.options(
        Duration.ofMillis(200), Duration.ofMillis(50), Duration.ofMillis(200));
  }

  /** Commits in which the join's place is forgotten now and then. */
  private static final class Forgetful extends ForwardingStateStore {
    private int commits;

    Forgetful(StateStore store) {
      super(store);
    }

    @Override
    public void apply(RowCommit commit, List<StateChange> state) {
      boolean forgets = commits++ % 2 == 0;
      super.apply(
          commit,
          state.stream()
              .filter(change -> !(forgets && change.kind() == StateKind.CURSOR))
              .toList());
    }
  }

  @SuppressWarnings("MustBeClosedChecker") // It is made to be killed.
  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[0]);
    long seed = Long.parseLong(args[1]);
    String bug = args.length > 2 ? args[2] : "";
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    RocksRowStore rocks = RocksRowStore.open(folder.resolve(STORE));
    StateStore store = bug.equals(APART) ? new Forgetful(rocks) : rocks;
    RocksEventLog log = RocksEventLog.open(folder.resolve(EVENTS));
    Clock clock = Clock.systemUTC();
    EventWriter writer =
        new EventWriter(
            log,
            new EventRetention(Duration.ofDays(1), 1L << 40, () -> 0, clock::millis),
            new QueueRoom(1 << 14, 64L << 20),
            clock::millis,
            registry);
    ModelHost host =
        new ModelHost(
            new BatchPolicy(64, 4096, Duration.ofSeconds(1), 1),
            System::nanoTime,
            clock,
            registry,
            _ -> {});
    Path bundles = folder.resolve(BUNDLES);
    HostingOptions hosting =
        new HostingOptions(
            bundles,
            List.of(LearningModel.NAME),
            Duration.ofMillis(20),
            EngineOptions.cpu(1, false, Precision.FP32),
            RowFormat.FP32,
            64L << 20,
            Map.of(),
            Optional.empty(),
            64);
    BundleWatcher watcher =
        new BundleWatcher(
            host,
            hosting,
            store,
            RowThreads.none(),
            new LearnedStore(LearningModel.NAME, store, Precision.FP32),
            registry,
            System::nanoTime);
    watcher.start();
    Turn turn = new OwnTurn(writer);
    OnlineTrainer trainer =
        new OnlineTrainer(
            () -> host.model(LearningModel.NAME).orElse(null),
            LearningModel.NAME,
            _ -> options(),
            Duration.ofMillis(30),
            true,
            1,
            log,
            () -> turn,
            store,
            new BundleStore(bundles),
            registry,
            System::nanoTime,
            clock::millis);
    trainer.start();
    SplittableRandom random = new SplittableRandom(seed);
    PredictService predict =
        new PredictService(
            host,
            new PredictLimits(64, 64, 64, MINUTE, MINUTE),
            new PredictionIds(clock, random),
            FeatureLog.of(writer, LearningModel.NAME::equals, 1),
            registry,
            Sights.none());
    Server server =
        InProcessServerBuilder.forName("crash")
            .executor(Executors.newVirtualThreadPerTaskExecutor())
            .addService(predict)
            .addService(new StatusService(host, List.of(new Device.Cpu()), _ -> Optional.empty()))
            .addService(
                FeedbackService.of(writer, () -> LearnerTrial.TASKS, MINUTE, 64, clock::millis))
            .build()
            .start();
    while (host.model(LearningModel.NAME).map(model -> model.servingVersion()).orElse(0L) == 0) {
      Thread.sleep(2);
    }
    say(SERVES + " " + server.isShutdown());
    ManagedChannel channel = InProcessChannelBuilder.forName("crash").build();
    load(channel, random, bug.equals(EARLY));
  }

  /** In one write: the process may end between any two. */
  private static synchronized void say(String line) {
    System.out.writeBytes((line + "\n").getBytes(StandardCharsets.US_ASCII));
    System.out.flush();
  }

  /** A label on its way. */
  private record Sent(PredictResponse answer, int position, String task) {
    String line() {
      return "%s %s %d %s"
          .formatted(
              ACKNOWLEDGED,
              HexFormat.of().formatHex(answer.getPredictionId().toByteArray()),
              position,
              task);
    }
  }

  private static void load(ManagedChannel channel, SplittableRandom random, boolean early) {
    Simulator simulator = new Simulator(SimulatorConfig.small(LearningModel.SEED));
    try (RankingClient client = RankingClient.over(channel, LearningModel.NAME, MINUTE);
        FeedbackClient feedback = FeedbackClient.over(channel, CrashWorker::refused)) {
      while (true) {
        List<Sent> labels = new ArrayList<>();
        long last = 0;
        for (int i = 0; i < TOGETHER; i++) {
          Request request = simulator.request(random.nextLong(1 << 20));
          PredictResponse answer =
              client
                  .predict(
                      request.contextValues(simulator.schema()),
                      request.candidateValues(simulator.schema()))
                  .response();
          if (answer.getLogged()) {
            last = report(feedback, request, answer, random, labels);
          }
        }
        if (early) {
          labels.forEach(label -> say(label.line()));
        }
        feedback.awaitDurable(last, MINUTE);
        labels.forEach(label -> say(label.line()));
      }
    }
  }

  private static void refused(Refusal refusal) {
    throw new IllegalStateException("refused: " + refusal);
  }

  private static long report(
      FeedbackClient feedback,
      Request request,
      PredictResponse answer,
      SplittableRandom random,
      List<Sent> labels) {
    Instant now = Instant.now();
    int candidates = request.candidates().size();
    long last =
        feedback.exposed(answer.getPredictionId(), IntStream.range(0, candidates).toArray(), now);
    for (int i = 0; i < candidates; i++) {
      if (!request.candidates().get(i).clicked()) {
        continue;
      }
      // Some twice: a caller whose stream broke does that.
      for (int times = random.nextInt(4) == 0 ? 2 : 1; times > 0; times--) {
        last = feedback.labelled(answer.getPredictionId(), i, Simulator.CLICK, 1, now);
      }
      labels.add(new Sent(answer, i, Simulator.CLICK));
      if (request.candidates().get(i).converted()) {
        last = feedback.labelled(answer.getPredictionId(), i, Simulator.CONVERSION, 1, now);
        labels.add(new Sent(answer, i, Simulator.CONVERSION));
      }
    }
    return last;
  }

  /** Starts it; what it says is read from the process. */
  static Process start(Path folder, long seed, String bug) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
                BenchmarkContext.java().toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xshare:auto",
                "--enable-native-access=ALL-UNNAMED",
                CrashWorker.class.getName(),
                folder.toString(),
                Long.toString(seed),
                bug)
            .redirectError(ProcessBuilder.Redirect.appendTo(folder.resolve("worker.log").toFile()));
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    builder.environment().put("ROCKSDB_SHAREDLIB_DIR", folder.toString());
    return builder.start();
  }
}
