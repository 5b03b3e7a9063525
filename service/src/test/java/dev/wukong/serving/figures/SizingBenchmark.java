package dev.wukong.serving.figures;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.bundle.BatchShape;
import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.BundleStore;
import dev.wukong.figures.LoadModel;
import dev.wukong.plan.Learning;
import dev.wukong.plan.Machines;
import dev.wukong.plan.ModelSize;
import dev.wukong.plan.Plan;
import dev.wukong.plan.Traffic;
import dev.wukong.profile.GraphProfile;
import dev.wukong.proto.v1.PredictResponse;
import dev.wukong.serving.figures.OpenLoop.Call;
import dev.wukong.serving.figures.OpenLoop.End;
import dev.wukong.serving.figures.OpenLoop.Kind;
import dev.wukong.serving.figures.ReplicaProcesses.Mirrored;
import dev.wukong.serving.testing.KafkaBroker;
import io.grpc.ManagedChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.springframework.util.FileSystemUtils;

/** What a trainer and one to three followers take, beside what is planned for them. */
public final class SizingBenchmark implements Benchmark {
  private static final LoadModel MODEL = LoadModel.SMALL;
  private static final long ROWS = 100_000;
  private static final long DEADLINE_MILLIS = 2000;
  private static final int RUNS = 200;
  private static final double ANSWERED = 0.8;

  /** Requests a second of all followers together: while much is asked, and while little is. */
  private static final double MUCH = 60;

  private static final double LITTLE = 6;

  /** Calls that each follower has answered before anything is measured: compilers are busy then. */
  private static final double WARM_CALLS = 4000;

  private static final double WARM_RATE = 80;

  /** Examples by those that are learned otherwise. */
  private static final double MORE = 3;

  @Override
  public String name() {
    return "sizing";
  }

  @Override
  public String summary() {
    return "a broker, a trainer and one to three followers, each a process: processor time a"
        + " candidate and to follow, bytes a commit, memory, each beside what the command plan"
        + " says; some 14 minutes; options seconds=N, examples=N a second";
  }

  /** What was measured with some followers, and what was planned for them. */
  private record Point(
      int followers,
      Plan plan,
      Plan planOfMore,
      Taken little,
      Taken much,
      Taken more,
      long[] memory) {}

  /**
   * What was taken in a while, the trainer's first.
   *
   * @param cores that each process had busy
   * @param requests a second that a follower has answered
   */
  private record Taken(double[] cores, double requests, double commits, double bytes) {
    double followers() {
      double sum = 0;
      for (int i = 1; i < cores.length; i++) {
        sum += cores[i];
      }
      return sum / (cores.length - 1);
    }
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    Path work = context.makeParts().resolve("work-" + System.nanoTime());
    LearningLoad load = new LearningLoad(MODEL, ROWS);
    Path bundles = work.resolve("bundles");
    load.write(bundles);
    List<Figure> figures = new ArrayList<>();
    for (int followers = 1; followers <= 3; followers++) {
      Path own = work.resolve("followers" + followers);
      try (KafkaBroker broker = KafkaBroker.start(own.resolve("broker"));
          ReplicaProcesses replicas =
              new ReplicaProcesses(
                  context,
                  own,
                  bundles,
                  load.title(),
                  broker,
                  Collections.nCopies(followers + 1, broker.address()),
                  ClusterBenchmark.settings(),
                  Mirrored.NONE)) {
        figures.addAll(figures(point(context, load, bundles, replicas)));
      }
    }
    boolean _ = FileSystemUtils.deleteRecursively(work); // What has failed stays.
    return figures;
  }

  private static Point point(
      BenchmarkContext context, LearningLoad load, Path bundles, ReplicaProcesses replicas)
      throws Exception {
    double seconds = context.option("seconds", 40);
    double examples = context.option("examples", 400);
    int trainer = replicas.awaitTrainer();
    int followers = replicas.servers().size() - 1;
    List<ManagedChannel> channels = new ArrayList<>();
    for (int i = 0; i <= followers; i++) {
      if (i != trainer) {
        channels.add(replicas.server(i).channel());
      }
    }
    try (UserReactions users = new UserReactions(channels.getFirst())) {
      OpenLoop loop =
          new OpenLoop(
              channels,
              List.of(new Kind(load.requests(), 1)),
              DEADLINE_MILLIS,
              (PredictResponse answer) -> users.answered(answer));
      users.see((int) Math.ceil(examples / WARM_RATE));
      List<Call> _ = loop.run(WARM_RATE, WARM_CALLS * followers / WARM_RATE).all();
      users.see((int) Math.ceil(examples / LITTLE));
      List<Call> _ = loop.run(LITTLE, 10).all();
      Taken little = taken(replicas, trainer, loop, LITTLE, seconds);
      users.see((int) Math.ceil(examples / MUCH));
      List<Call> _ = loop.run(MUCH, 10).all();
      Taken much = taken(replicas, trainer, loop, MUCH, seconds);
      users.see((int) Math.ceil(MORE * examples / MUCH));
      List<Call> _ = loop.run(MUCH, 10).all();
      Taken more = taken(replicas, trainer, loop, MUCH, seconds);
      users.see(0);
      channels.forEach(ManagedChannel::shutdownNow);
      long[] memory = new long[followers + 1];
      for (int i = 0; i <= followers; i++) {
        memory[place(i, trainer)] = replicas.server(i).residentBytes();
      }
      double micros = micros(bundles, load);
      return new Point(
          followers,
          plan(bundles, load, micros, Math.ceil(examples / MUCH)),
          plan(bundles, load, micros, Math.ceil(MORE * examples / MUCH)),
          little,
          much,
          more,
          memory);
    }
  }

  /** The trainer's is the first. */
  private static int place(int replica, int trainer) {
    return replica == trainer ? 0 : replica < trainer ? replica + 1 : replica;
  }

  private static Taken taken(
      ReplicaProcesses replicas, int trainer, OpenLoop loop, double rate, double seconds)
      throws Exception {
    int processes = replicas.servers().size();
    double[] cores = new double[processes];
    for (int i = 0; i < processes; i++) {
      cores[place(i, trainer)] = -replicas.server(i).cpuSeconds();
    }
    double commits = -replicas.metric(trainer, "wukong_replica_commit_bytes_count");
    double bytes = -replicas.metric(trainer, "wukong_replica_commit_bytes_sum");
    List<Call> calls = loop.run(rate, seconds).all();
    for (int i = 0; i < processes; i++) {
      cores[place(i, trainer)] += replicas.server(i).cpuSeconds();
      cores[place(i, trainer)] /= seconds;
    }
    commits += replicas.metric(trainer, "wukong_replica_commit_bytes_count");
    bytes += replicas.metric(trainer, "wukong_replica_commit_bytes_sum");
    CallFigures.requireSent(calls, rate * seconds);
    long answered = CallFigures.count(calls, End.ANSWERED);
    if (answered < ANSWERED * calls.size() || commits < 1) {
      throw new BenchmarkException(
          "void: %d of %d calls were answered, there were %.0f commits"
              .formatted(answered, calls.size(), commits));
    }
    return new Taken(cores, answered / seconds / (processes - 1), commits, bytes);
  }

  private static double micros(Path bundles, LearningLoad load) throws Exception {
    try (Bundle bundle = open(bundles, load)) {
      return 1000
          * GraphProfile.millis(bundle, new BatchShape(LoadRequests.CANDIDATES, 1), RUNS)
          / LoadRequests.CANDIDATES;
    }
  }

  private static Bundle open(Path bundles, LearningLoad load) throws Exception {
    return Bundle.open(new BundleStore(bundles).path(load.title(), 1));
  }

  private static Plan plan(Path bundles, LearningLoad load, double micros, double seen)
      throws Exception {
    try (Bundle bundle = open(bundles, load)) {
      return Plan.of(
          // Within the window a label and its candidate are one example.
          new Traffic(MUCH, LoadRequests.CANDIDATES, seen, 0, 1),
          ModelSize.of(bundle, micros, 1),
          new Learning(1, LoadRequests.SKEW, 60),
          new Machines(2, 0.9, 0, 1, 1, 1));
    }
  }

  private static List<Figure> figures(Point point) {
    Taken much = point.much();
    Taken little = point.little();
    Taken more = point.more();
    double rows = (much.requests() - little.requests()) * LoadRequests.CANDIDATES;
    double micros = 1e6 * (much.followers() - little.followers()) / rows;
    double answering = much.requests() * LoadRequests.CANDIDATES * micros / 1e6;
    double follower = 0;
    for (int i = 1; i < point.memory().length; i++) {
      follower += (double) point.memory()[i] / point.followers();
    }
    Plan plan = point.plan();
    Plan of3 = point.planOfMore();
    String of = "_" + point.followers();
    return List.of(
        beside("cpu_us_per_row" + of, micros, plan.rowMicros(), "us"),
        beside("follow_cores" + of, much.followers() - answering, plan.followingCores(), "1"),
        beside("follow_cores_more" + of, more.followers() - answering, of3.followingCores(), "1"),
        beside("trainer_cores" + of, much.cores()[0], plan.trainingCores(), "1"),
        beside("trainer_cores_more" + of, more.cores()[0], of3.trainingCores(), "1"),
        beside("commit_bytes" + of, much.bytes() / much.commits(), plan.commit().bytes(), "B"),
        beside("commit_bytes_more" + of, more.bytes() / more.commits(), of3.commit().bytes(), "B"),
        beside("follower_bytes" + of, follower, plan.replicaBytes(), "B"),
        beside("trainer_bytes" + of, (double) point.memory()[0], plan.trainerBytes(), "B"));
  }

  private static Figure beside(String name, double measured, double planned, String unit) {
    return Figure.of(
        name,
        measured,
        unit,
        "-",
        "planned %.4g, %.2f of that".formatted(planned, measured / planned));
  }
}
