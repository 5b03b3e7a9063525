package dev.wukong.serving.figures;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.figures.LoadModel;
import dev.wukong.proto.v1.Criticality;
import dev.wukong.proto.v1.GetModelRequest;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.StatusServiceGrpc;
import dev.wukong.serving.figures.CutProxy.Cut;
import dev.wukong.serving.figures.ReplicaProcesses.Mirrored;
import dev.wukong.serving.testing.KafkaBroker;
import dev.wukong.serving.testing.RedisAccess;
import dev.wukong.serving.testing.RedisCluster;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.springframework.util.FileSystemUtils;

/** A cluster whose parts are killed, stand still and are cut off, one after the other. */
public final class ClusterFaultsBenchmark implements Benchmark {
  /** The broker has lost all labels when it comes back. */
  static final String FORGETS = "forgetful-broker";

  private static final LoadModel MODEL = LoadModel.SMALL;
  private static final long ROWS = 20_000;
  private static final int CANDIDATES = 4;
  private static final int REPLICAS = 4;

  /** Those that serve rows from Redis: the last ones. */
  private static final int MIRRORED = 1;

  private static final int NODES = 6;
  private static final double RECOVERY_SECONDS = 180;
  private static final Duration NODE_TIMEOUT = Duration.ofSeconds(5);

  /** What is done to a part. */
  private enum Fault {
    KILLED,
    PAUSED,
    CUT_OFF,
    CUT_TO,
    CUT_FROM
  }

  /** To which part. */
  private enum Victim {
    TRAINER,
    FOLLOWER,
    BROKER,
    REDIS
  }

  @Override
  public String name() {
    return "cluster-faults";
  }

  @Override
  public String summary() {
    return "trainer, follower, broker and a node of Redis are killed, stand still and are cut off,"
        + " under load: what is lost, what is mixed, how long until all is well again; some 11"
        + " minutes; options pause=SECONDS, rounds=N, only=N of trainer 0, follower 1, broker 2,"
        + " Redis 3";
  }

  @Override
  public List<String> bugs() {
    return List.of(FORGETS);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    Path work = context.makeParts().resolve("work-" + System.nanoTime());
    LearningLoad load = new LearningLoad(MODEL, ROWS, ClusterCallers.SEEN_BY_CLICK);
    Path bundles = work.resolve("bundles");
    load.write(bundles);
    List<CutProxy> proxies = open(REPLICAS);
    List<CutProxy> nodeProxies = open(NODES);
    List<Integer> doors = proxies.stream().map(CutProxy::port).toList();
    List<Figure> figures;
    try (KafkaBroker broker = KafkaBroker.start(work.resolve("broker"), doors);
        RedisCluster redis =
            RedisCluster.start(
                work.resolve("redis"),
                NODE_TIMEOUT,
                RedisAccess.open(),
                nodeProxies.stream().map(CutProxy::port).toList(),
                ports -> lead(nodeProxies, ports))) {
      for (int i = 0; i < REPLICAS; i++) {
        proxies.get(i).lead(broker.behind(i));
      }
      try (ReplicaProcesses replicas =
          new ReplicaProcesses(
              context,
              work,
              bundles,
              load.title(),
              broker,
              doors.stream().map(door -> "127.0.0.1:" + door).toList(),
              settings(),
              new Mirrored(redis.addresses(), MIRRORED))) {
        figures = new Run(context, load, replicas, redis, proxies, nodeProxies).figures();
      }
    } finally {
      for (CutProxy proxy : proxies) {
        proxy.close();
      }
      for (CutProxy proxy : nodeProxies) {
        proxy.close();
      }
    }
    boolean _ = FileSystemUtils.deleteRecursively(work); // What has failed stays.
    return figures;
  }

  private static List<CutProxy> open(int count) throws IOException {
    List<CutProxy> proxies = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      proxies.add(CutProxy.open());
    }
    return proxies;
  }

  private static void lead(List<CutProxy> proxies, List<Integer> ports) {
    for (int i = 0; i < proxies.size(); i++) {
      proxies.get(i).lead(ports.get(i));
    }
  }

  private static List<String> settings() {
    return List.of(
        // Each candidate that is seen is an example at once, and each click one more.
        "wukong.online.weighting.click=fake-negative",
        "wukong.online.commit-every=200ms",
        "wukong.online.batch=32",
        "wukong.online.linger=0s",
        "wukong.online.sights=1",
        // Clicks that come late and all at once must not make it so much worse that it is taken
        // back, for nobody could tell then what should have been learned.
        "wukong.online.rate=0.1",
        "wukong.online.stall-breaker=false",
        "wukong.online.gate.harm=1",
        "wukong.online.gate.jump=100",
        "wukong.online.gate.row-norm=1000000",
        "wukong.rows.resident=64MB",
        "wukong.engine.threads=1");
  }

  /** One after the other. */
  private static final class Run {
    private final BenchmarkContext context;
    private final LearningLoad load;
    private final ReplicaProcesses replicas;
    private final RedisCluster redis;
    private final List<CutProxy> proxies;
    private final List<CutProxy> nodeProxies;
    private final long pauseMillis;
    private final List<String> recoveries = new ArrayList<>();
    private double slowest;

    Run(
        BenchmarkContext context,
        LearningLoad load,
        ReplicaProcesses replicas,
        RedisCluster redis,
        List<CutProxy> proxies,
        List<CutProxy> nodeProxies)
        throws BenchmarkException {
      this.redis = redis;
      this.nodeProxies = nodeProxies;
      this.context = context;
      this.load = load;
      this.replicas = replicas;
      this.proxies = proxies;
      this.pauseMillis = 1000 * context.option("pause", 20);
    }

    List<Figure> figures() throws Exception {
      List<PredictRequest> requests =
          LoadRequests.of(
              MODEL,
              LoadModel.schema(0),
              500,
              CANDIDATES,
              LoadModel.values(ROWS),
              Criticality.CRITICALITY_NORMAL);
      List<ManagedChannel> channels =
          replicas.servers().stream().map(ServerUnderTest::channel).toList();
      int faults = 0;
      try (ClusterCallers callers = new ClusterCallers(channels, requests)) {
        callers.start();
        TimeUnit.SECONDS.sleep(40); // Compilers are busy until then.
        long only = context.option("only", -1);
        for (long round = 0; round < context.option("rounds", 1); round++) {
          for (Victim victim : Victim.values()) {
            if (only >= 0 && only != List.of(Victim.values()).indexOf(victim)) {
              continue;
            }
            for (Fault fault : Fault.values()) {
              strike(callers, victim, fault);
              faults++;
            }
          }
        }
        callers.finish(Duration.ofMinutes(2));
        long _ = replicas.awaitQuiet();
        List<Long> learned = channels.stream().map(this::learned).toList();
        channels.forEach(ManagedChannel::shutdownNow);
        ReplicaProcesses.Comparison comparison = replicas.compare();
        if (replicas.haveSaid("is taken back")) {
          throw new BenchmarkException(
              "void: training was taken back, so that nobody knows what should have been learned");
        }
        BrokerContents broker = BrokerContents.read(replicas.broker().address(), "wukong");
        return figures(faults, callers, learned, comparison, broker);
      }
    }

    private List<Figure> figures(
        int faults,
        ClusterCallers callers,
        List<Long> eachLearned,
        ReplicaProcesses.Comparison comparison,
        BrokerContents broker) {
      long missing = Math.max(0, callers.labels() - callers.refused() - broker.labels());
      // They all say the same, or the worst counts.
      long fewest = eachLearned.stream().mapToLong(Long::longValue).min().orElseThrow();
      long most = eachLearned.stream().mapToLong(Long::longValue).max().orElseThrow();
      return List.of(
          Figure.of("faults", faults, "1", ">=12", "seconds until all is well: " + recoveries),
          Figure.of("recovery_seconds", slowest, "s", "-", "the slowest of them"),
          Figure.of(
              "acknowledged",
              (double) callers.labels(),
              "1",
              "-",
              "labels; %d answers were not logged, %d labels are of predictions that were lost with their process before a broker had them"
                  .formatted(callers.unlogged(), broker.orphans())),
          Figure.of(
              "lost",
              (double) missing + Math.max(0, broker.examples() - fewest),
              "1",
              "<=0",
              "%d labels that no broker has; %d examples that were not learned, of %d"
                  .formatted(missing, Math.max(0, broker.examples() - fewest), broker.examples())),
          Figure.of(
              "doubled",
              (double) Math.max(0, most - broker.examples()),
              "1",
              "<=0",
              "examples learned twice"),
          Figure.of(
              "stale_epochs_accepted",
              comparison.differences().size(),
              "1",
              "<=0",
              "parts of a replica unlike the first's, of %d each; %d commits of %d epochs happened, %d records of trainers that were none any more did not%s"
                  .formatted(
                      comparison.parts(),
                      broker.commits(),
                      broker.epochs(),
                      broker.stale(),
                      comparison.differences().isEmpty() ? "" : "; " + comparison.differences())),
          Figure.of(
              "mixtures_served",
              (double) callers.mixtures(),
              "1",
              "<=0",
              "of %d answers by a version that had answered the same before; %s"
                  .formatted(callers.compared(), callers.versions())),
          Figure.of(
              "failed_predicts",
              (double) callers.failed(),
              "1",
              "<=0",
              "of %d, %d of which asked a second replica; last failure: %s"
                  .formatted(callers.predicted(), callers.retried(), callers.failure())));
    }

    private long learned(ManagedChannel channel) {
      return StatusServiceGrpc.newBlockingStub(channel)
          .getModel(GetModelRequest.newBuilder().setName(load.title()).build())
          .getStatus()
          .getTraining()
          .getExamples();
    }

    private void strike(ClusterCallers callers, Victim victim, Fault fault) throws Exception {
      int trainer = replicas.awaitTrainer();
      int replica =
          switch (victim) {
            case TRAINER -> trainer;
            case FOLLOWER -> (trainer + 1) % REPLICAS; // Now and then the one on Redis.
            case BROKER -> 0;
            case REDIS -> redis.masters().getFirst();
          };
      long start = System.nanoTime();
      String what =
          "%s %s"
              .formatted(
                  victim.toString().toLowerCase(Locale.ROOT),
                  fault.toString().toLowerCase(Locale.ROOT).replace('_', ' '));
      callers.during(what);
      switch (fault) {
        case KILLED -> kill(victim, replica);
        case PAUSED -> {
          long process =
              switch (victim) {
                case BROKER -> replicas.broker().process().pid();
                case REDIS -> redis.process(replica).pid();
                case TRAINER, FOLLOWER -> replicas.server(replica).process().pid();
              };
          signal("STOP", process);
          TimeUnit.MILLISECONDS.sleep(pauseMillis);
          signal("CONT", process);
        }
        case CUT_OFF -> cut(victim, replica, Cut.BOTH);
        case CUT_TO -> cut(victim, replica, Cut.TO_SERVER);
        case CUT_FROM -> cut(victim, replica, Cut.FROM_SERVER);
      }
      long healed = System.nanoTime();
      awaitWell();
      double seconds = (System.nanoTime() - healed) / 1e9;
      slowest = Math.max(slowest, seconds);
      String said = "%s %.1f".formatted(what, seconds);
      recoveries.add(said);
      context
          .progress()
          .println("%s (%.1f s with the fault)".formatted(said, (System.nanoTime() - start) / 1e9));
      context.progress().flush();
    }

    private void kill(Victim victim, int replica) throws Exception {
      switch (victim) {
        case BROKER -> {
          replicas.broker().kill();
          TimeUnit.SECONDS.sleep(3);
          replicas.broker().restart();
          if (context.planted(FORGETS)) {
            replicas.broker().forgetAll("wukong.labels");
          }
        }
        case REDIS -> {
          redis.kill(replica);
          TimeUnit.MILLISECONDS.sleep(3 * NODE_TIMEOUT.toMillis()); // Its replica takes over.
          redis.restart(replica);
        }
        case TRAINER, FOLLOWER -> {
          ServerUnderTest server = replicas.server(replica);
          boolean _ = server.process().toHandle().destroyForcibly();
          int _ = server.process().waitFor();
          server.relaunch();
        }
      }
    }

    private void cut(Victim victim, int replica, Cut way) throws InterruptedException {
      List<CutProxy> cut =
          switch (victim) {
            case BROKER -> proxies;
            case TRAINER, FOLLOWER -> List.of(proxies.get(replica));
            case REDIS -> List.of(nodeProxies.get(replica));
          };
      cut.forEach(proxy -> proxy.cut(way));
      TimeUnit.MILLISECONDS.sleep(pauseMillis);
      cut.forEach(CutProxy::heal);
    }

    private static void signal(String name, long process) throws IOException, InterruptedException {
      int status = new ProcessBuilder("kill", "-" + name, Long.toString(process)).start().waitFor();
      if (status != 0) {
        throw new IOException("kill -%s %d ends with %d".formatted(name, process, status));
      }
    }

    /** Until all replicas have seen commits that were made after now, by one trainer. */
    private void awaitWell() throws Exception {
      long start = System.nanoTime();
      double goal = -1;
      while (true) {
        List<Double> sequences = sequences();
        boolean all = sequences.size() == REPLICAS;
        if (all && goal < 0) {
          goal = sequences.stream().mapToDouble(Double::doubleValue).max().orElseThrow() + 3;
        }
        double least = goal;
        if (all && goal >= 0 && sequences.stream().allMatch(of -> of >= least)) {
          return;
        }
        if ((System.nanoTime() - start) / 1e9 > RECOVERY_SECONDS) {
          throw new BenchmarkException(
              "the replicas do not come to commit %.0f: %s".formatted(goal, sequences));
        }
        TimeUnit.MILLISECONDS.sleep(100);
      }
    }

    private List<Double> sequences() throws InterruptedException {
      List<Double> found = new ArrayList<>();
      for (int i = 0; i < REPLICAS; i++) {
        try {
          found.add(replicas.metric(i, "wukong_replica_sequence"));
        } catch (IOException e) {
          return List.of();
        }
      }
      return found;
    }
  }
}
