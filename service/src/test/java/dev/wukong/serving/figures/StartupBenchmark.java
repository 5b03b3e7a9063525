package dev.wukong.serving.figures;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.Figure;
import dev.wukong.figures.LoadModel;
import dev.wukong.proto.v1.Criticality;
import dev.wukong.proto.v1.PredictRequest;
import dev.wukong.proto.v1.RankingServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** From the start of the process until it says that it is ready, and answers. */
public final class StartupBenchmark implements Benchmark {
  private static final String EMPTY = "empty-store";
  private static final int ROUNDS = 7;

  /** Less than the rows take, so that they stay in the store. */
  private static final String FEW = "wukong.rows.resident=16MB";

  /** How rows come to a start. */
  private enum Rows {
    /** From the row store, where the first start has put them. */
    STORE,
    /** All in memory, read from the bundle at each start: as the service is set by default. */
    MEMORY
  }

  @Override
  public String name() {
    return "startup";
  }

  @Override
  public String summary() {
    return "process start to ready: extracted jar, ahead-of-time cache, rows already in the store;"
        + " 2 minutes; options rows=N, rounds=N";
  }

  @Override
  public List<String> bugs() {
    return List.of(EMPTY);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    long rows = context.option("rows", 1_000_000);
    int rounds = Math.toIntExact(context.option("rounds", ROUNDS));
    LoadModel model = LoadModel.SMALL;
    Path bundles = context.makeParts().resolve("bundles-" + rows);
    model.write(bundles, 1, rows);
    PredictRequest request =
        LoadRequests.of(model, rows, 1, Criticality.CRITICALITY_NORMAL).getFirst();
    Path own = Files.createTempDirectory(context.parts(), "run-");
    context.progress().println("extracting the jar and making the cache");
    InstalledService installed = InstalledService.in(own, context.jar("service"));

    double[] first = new double[Math.min(rounds, 3)];
    for (int i = 0; i < first.length; i++) {
      first[i] = ready(installed, bundles, own.resolve("first-" + i), Rows.STORE, request);
      tell(context, "first start, rows go to the store", first[i]);
    }
    double[] store = new double[rounds];
    double[] memory = new double[rounds];
    double[] plain = new double[rounds];
    for (int i = 0; i < rounds; i++) {
      Path kept = own.resolve(context.planted(EMPTY) ? "emptied-" + i : "first-0");
      store[i] = ready(installed, bundles, kept, Rows.STORE, request);
      tell(context, "rows in the store", store[i]);
      memory[i] = ready(installed, bundles, own.resolve("memory"), Rows.MEMORY, request);
      tell(context, "rows in memory", memory[i]);
      plain[i] =
          ready(
              new InstalledService(context.jar("service"), List.of()),
              bundles,
              own.resolve("first-0"),
              Rows.STORE,
              request);
      tell(context, "rows in the store, plain java -jar", plain[i]);
    }
    return List.of(
        figure("ready_seconds_1m_rows", store, "<=3", "rows in the store"),
        figure("ready_seconds_1m_rows_in_memory", memory, "<=3", "read from the bundle each time"),
        figure("ready_seconds_1m_rows_plain_jar", plain, "-", "no extraction, no cache"),
        figure("import_seconds_1m_rows", first, "-", "the whole first start"));
  }

  private static void tell(BenchmarkContext context, String what, double seconds) {
    context.progress().printf("%s: ready after %.2f s%n", what, seconds);
  }

  private static Figure figure(String name, double[] seconds, String target, String what) {
    double[] sorted = seconds.clone();
    Arrays.sort(sorted);
    String note =
        "%s; median of %d starts, %.2f to %.2f"
            .formatted(what, sorted.length, sorted[0], sorted[sorted.length - 1]);
    return Figure.of(name, Figure.median(seconds), "s", target, note);
  }

  /**
   * Seconds until a start is ready; then one request must be answered, and it is stopped.
   *
   * @throws StatusRuntimeException if it is not
   */
  private static double ready(
      InstalledService installed, Path bundles, Path work, Rows rows, PredictRequest request)
      throws IOException {
    List<String> flags = new ArrayList<>(installed.flags());
    flags.add("-Xmx1g");
    List<String> settings = new ArrayList<>(List.of("wukong.models=" + LoadModel.SMALL.title()));
    if (rows == Rows.STORE) {
      settings.add(FEW);
    }
    ServerUnderTest.Options options = new ServerUnderTest.Options("", flags, settings);
    long began = System.nanoTime();
    try (ServerUnderTest server = ServerUnderTest.start(installed.jar(), bundles, work, options)) {
      server.awaitReady();
      double seconds = (System.nanoTime() - began) / (double) TimeUnit.SECONDS.toNanos(1);
      ManagedChannel channel = server.channel();
      try {
        int scores =
            RankingServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(10, TimeUnit.SECONDS)
                .predict(request)
                .getScores()
                .size();
        if (scores != Float.BYTES * LoadRequests.CANDIDATES) {
          throw new IOException("the first answer has %d bytes of scores".formatted(scores));
        }
      } finally {
        channel.shutdownNow();
      }
      return seconds;
    }
  }
}
