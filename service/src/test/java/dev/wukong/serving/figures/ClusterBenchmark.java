package dev.wukong.serving.figures;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.figures.LoadModel;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.serving.figures.OpenLoop.Call;
import dev.wukong.serving.figures.OpenLoop.End;
import dev.wukong.serving.figures.OpenLoop.Kind;
import dev.wukong.serving.figures.ReplicaProcesses.Mirrored;
import dev.wukong.serving.testing.KafkaBroker;
import dev.wukong.serving.testing.RedisCluster;
import io.grpc.ManagedChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.springframework.util.FileSystemUtils;

/** A cluster on one machine: how soon labels are part of all answers, and whether all are alike. */
public final class ClusterBenchmark implements Benchmark {
  /** The trainer stops for a moment now and then. */
  static final String LATE = "late-commits";

  private static final LoadModel MODEL = LoadModel.SMALL;
  private static final long ROWS = 100_000;
  private static final long DEADLINE_MILLIS = 2000;
  private static final long LABEL_EVERY_MILLIS = 400;
  private static final double ANSWERED = 0.8;

  @Override
  public String name() {
    return "cluster";
  }

  @Override
  public String summary() {
    return "a broker, six nodes of Redis, a trainer and followers, each a process, under load: from"
        + " a label to the answers of all, and whether all hold the same in the end; some 4"
        + " minutes; options followers=N, mirrored=N of them that serve rows from Redis,"
        + " seconds=N, rate=N requests a second, examples=N a second";
  }

  @Override
  public List<String> bugs() {
    return List.of(LATE);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    int followers = Math.toIntExact(context.option("followers", 3));
    Path work = context.makeParts().resolve("work-" + System.nanoTime());
    LearningLoad load = new LearningLoad(MODEL, ROWS);
    Path bundles = work.resolve("bundles");
    load.write(bundles);
    List<String> settings = new ArrayList<>(settings());
    if (context.planted(LATE)) {
      settings.add("wukong.online.commit-every=8s");
    }
    List<Figure> figures;
    int mirrored = Math.toIntExact(context.option("mirrored", 1));
    try (KafkaBroker broker = KafkaBroker.start(work.resolve("broker"));
        RedisCluster redis = RedisCluster.start(work.resolve("redis"), Duration.ofSeconds(5));
        ReplicaProcesses replicas =
            new ReplicaProcesses(
                context,
                work,
                bundles,
                load.title(),
                broker,
                Collections.nCopies(followers + 1, broker.address()),
                settings,
                new Mirrored(redis.addresses(), mirrored))) {
      figures = run(context, load, replicas);
    }
    boolean _ = FileSystemUtils.deleteRecursively(work); // What has failed stays.
    return figures;
  }

  /** Of replicas, here and where it is planned how large they must be. */
  static List<String> settings() {
    return List.of(
        "wukong.online.window=2s",
        "wukong.online.grace=2s",
        "wukong.online.sights=1",
        // Clicks are by chance here: who learns from them is worse than who does not.
        "wukong.online.gate.harm=1",
        "wukong.online.gate.jump=100",
        "wukong.rows.resident=256MB",
        "wukong.engine.threads=1");
  }

  private static List<Figure> run(
      BenchmarkContext context, LearningLoad load, ReplicaProcesses replicas) throws Exception {
    double rate = context.option("rate", 16);
    double seconds = context.option("seconds", 60);
    double wanted = context.option("examples", 400);
    int trainer = replicas.awaitTrainer();
    List<ManagedChannel> channels =
        replicas.servers().stream().map(ServerUnderTest::channel).toList();
    LabelsEverywhere labels = new LabelsEverywhere(load, channels);
    try (UserReactions users = new UserReactions(channels.getFirst())) {
      users.see((int) Math.clamp(Math.ceil(wanted / rate), 1, LoadRequests.CANDIDATES));
      OpenLoop loop =
          new OpenLoop(
              channels,
              List.of(new Kind(load.requests(), 1)),
              DEADLINE_MILLIS,
              (PredictResponse answer) -> users.answered(answer));
      List<Call> _ = loop.run(rate, 30).all(); // Compilers are busy until then.
      double[] cpu = cpu(replicas);
      double commits = replicas.metric(trainer, "wukong_replica_commit_bytes_count");
      double bytes = replicas.metric(trainer, "wukong_replica_commit_bytes_sum");
      CountDownLatch end = new CountDownLatch(1);
      List<Call> calls;
      try (ExecutorService executor = Executors.newCachedThreadPool()) {
        Future<Void> looking =
            executor.submit(
                () -> {
                  labels.run(LABEL_EVERY_MILLIS, end);
                  return null;
                });
        calls = loop.run(rate, seconds).all();
        end.countDown();
        Void _ = looking.get();
      }
      double[] used = cpu(replicas);
      commits = replicas.metric(trainer, "wukong_replica_commit_bytes_count") - commits;
      bytes = replicas.metric(trainer, "wukong_replica_commit_bytes_sum") - bytes;
      CallFigures.requireSent(calls, rate * seconds);
      long answered = CallFigures.count(calls, End.ANSWERED);
      if (answered < ANSWERED * calls.size()) {
        throw new BenchmarkException(
            "void: %d of %d calls were answered: %s"
                .formatted(answered, calls.size(), loop.failure()));
      }
      users.see(0);
      StringBuilder share = new StringBuilder();
      for (int i = 0; i < used.length; i++) {
        share.append(
            "%s%s %.0f %%, %.0f MB"
                .formatted(
                    i == 0 ? "" : "; ",
                    i == trainer
                        ? "trainer"
                        : replicas.isMirrored(i) ? "follower on Redis" : "follower",
                    100 * (used[i] - cpu[i]) / seconds,
                    replicas.server(i).residentBytes() / 1e6));
      }
      long sequence = replicas.awaitQuiet();
      channels.forEach(ManagedChannel::shutdownNow);
      ReplicaProcesses.Comparison comparison = replicas.compare();
      double[] everywhere = labels.everywhere();
      double[] first = labels.first();
      return List.of(
          Figure.of("followers", channels.size() - 1.0, "1", ">=3", share.toString()),
          Figure.of(
              "commits",
              (double) sequence,
              "1",
              "-",
              "%.0f while it was measured, %.0f KB each".formatted(commits, bytes / commits / 1e3)),
          Figure.of(
              "visible_everywhere_p50_seconds",
              quantile(everywhere, 0.5),
              "s",
              "-",
              "at the first replica %.2f".formatted(quantile(first, 0.5))),
          Figure.of(
              "visible_everywhere_p99_seconds",
              quantile(everywhere, 0.99),
              "s",
              "<=5",
              "%d labels; at the first replica %.2f; %.0f requests of %d candidates a second, %d of %d answered, p99 %.0f ms; %s; window 2 s, grace 2 s"
                  .formatted(
                      everywhere.length,
                      quantile(first, 0.99),
                      rate,
                      LoadRequests.CANDIDATES,
                      answered,
                      calls.size(),
                      CallFigures.quantile(calls, 0.99),
                      users.losses())),
          Figure.of(
              "hash_mismatch",
              comparison.differences().size(),
              "1",
              "<=0",
              "of %d parts of each of %d replicas: rows, optimizer state, dense weights, join, place; of Redis those that serve"
                      .formatted(comparison.parts(), channels.size())
                  + (comparison.differences().isEmpty() ? "" : "; " + comparison.differences())));
    }
  }

  private static double[] cpu(ReplicaProcesses replicas) throws Exception {
    double[] seconds = new double[replicas.servers().size()];
    for (int i = 0; i < seconds.length; i++) {
      seconds[i] = replicas.server(i).cpuSeconds();
    }
    return seconds;
  }

  private static double quantile(double[] ascending, double quantile) throws BenchmarkException {
    if (ascending.length == 0) {
      throw new BenchmarkException("void: no label was seen everywhere");
    }
    return ascending[(int) Math.min(ascending.length - 1, quantile * ascending.length)];
  }
}
