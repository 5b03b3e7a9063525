package dev.wukong.serving.figures;

import dev.wukong.bench.Benchmark;
import dev.wukong.bench.BenchmarkContext;
import dev.wukong.bench.BenchmarkException;
import dev.wukong.bench.Figure;
import dev.wukong.figures.LoadModel;
import dev.wukong.figures.PythonEnvironment;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.proto.v1.RankingServiceGrpc.RankingServiceBlockingStub;
import dev.wukong.serving.testing.TinyModel;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/**
 * Public clients, as their publishers ship them, against the service: a model of 27 id features,
 * and one with every kind of feature, strings among them. What they get is compared with Predict.
 */
public final class ClientsBenchmark implements Benchmark {
  private static final String REFUSED = "refused";
  private static final String SWAPPED = "swapped";
  private static final LoadModel MODEL = LoadModel.SMALL;
  private static final String TINY = "tiny";
  private static final long ROWS = 27_000;
  private static final int CANDIDATES = 50;
  private static final double TOLERANCE = 1e-6;

  @Override
  public String name() {
    return "clients";
  }

  @Override
  public String summary() {
    return "grpcurl, ghz, tritonclient and perf_analyzer, as published, against the service; some 2"
        + " minutes; options grpcurl=COMMAND, ghz=COMMAND, perf-analyzer=COMMAND,"
        + " python=COMMAND (with tritonclient[grpc]; made where it is not given), requests=N";
  }

  @Override
  public List<String> bugs() {
    return List.of(REFUSED, SWAPPED);
  }

  @Override
  public List<Figure> run(BenchmarkContext context) throws Exception {
    ClientProgram grpcurl = ClientProgram.find(context, "grpcurl", "grpcurl", GrpcurlCalls.INSTALL);
    ClientProgram ghz = ClientProgram.find(context, "ghz", "ghz", GhzCalls.INSTALL);
    ClientProgram analyzer =
        ClientProgram.find(context, "perf-analyzer", "perf_analyzer", PerfAnalyzerRuns.INSTALL);
    ClientProgram python = python(context);
    long each = context.option("requests", 1000);
    Path bundles = context.makeParts().resolve("bundles-" + System.nanoTime());
    MODEL.write(bundles, 1, ROWS);
    new TinyModel(1).write(bundles, TINY, 1);
    List<String> settings = new ArrayList<>();
    settings.add("wukong.poll=100ms");
    // Tools go on at full speed whatever they are told: how much is too much is not asked here.
    settings.add("wukong.batching.max-wait=5s");
    if (context.planted(REFUSED)) {
      settings.add("wukong.limits.in-flight=1");
    }
    ServerUnderTest.Options options =
        new ServerUnderTest.Options("", List.of("-Xmx512m"), settings);
    Path work = context.parts().resolve("work-" + System.nanoTime());
    try (ServerUnderTest server = ServerUnderTest.start(context, bundles, work, options)) {
      server.awaitServing(MODEL.title());
      server.awaitVersion(MODEL.title(), 1);
      server.awaitVersion(TINY, 1);
      List<ClientRequest> requests = requests(server);
      if (context.planted(SWAPPED)) {
        MODEL.write(bundles, 2, ROWS);
        server.awaitVersion(MODEL.title(), 2);
      }
      String target = "127.0.0.1:" + server.grpcPort();
      List<ClientTally> tallies = new ArrayList<>();
      tallies.add(told(context, new GrpcurlCalls(grpcurl, target, work).run(requests, TOLERANCE)));
      tallies.add(told(context, new GhzCalls(ghz, target, work, each).run(requests)));
      tallies.add(
          told(context, new TritonClientCalls(python, target, work).run(requests, TOLERANCE)));
      tallies.add(
          told(
              context,
              new PerfAnalyzerRuns(analyzer, target, work, each)
                  .run(requests, context.progress())));
      if (!server.process().isAlive()) {
        throw new BenchmarkException("void: the service ended; its log: " + work);
      }
      return figures(tallies);
    }
  }

  private static ClientProgram python(BenchmarkContext context)
      throws IOException, InterruptedException, BenchmarkException {
    if (context.options().containsKey("python")) {
      return ClientProgram.find(
          context, "python", "python3", "it needs the package " + TritonClientCalls.PACKAGE);
    }
    PythonEnvironment made =
        PythonEnvironment.of(
            context.makeParts().resolve("venv"),
            List.of(TritonClientCalls.PACKAGE),
            context.progress());
    return new ClientProgram("python", List.of(made.python().toString()));
  }

  private static List<ClientRequest> requests(ServerUnderTest server) {
    ManagedChannel channel = server.channel();
    try {
      RankingServiceBlockingStub stub =
          RankingServiceGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS);
      SplittableRandom random = new SplittableRandom(1);
      List<Map<String, Object>> ids = new ArrayList<>();
      for (int i = 0; i < CANDIDATES; i++) {
        ids.add(ids("c", LoadModel.CONTEXT_FEATURES, LoadModel.CANDIDATE_FEATURES, random));
      }
      List<Map<String, Object>> tiny = new ArrayList<>();
      for (int i = 0; i < CANDIDATES; i++) {
        tiny.add(tiny(i, random));
      }
      List<ClientRequest> requests = new ArrayList<>();
      requests.add(
          ClientRequest.of(
              MODEL.title(),
              LoadModel.schemaOf(ROWS),
              ids("u", 0, LoadModel.CONTEXT_FEATURES, random),
              ids,
              stub::predict));
      requests.add(
          ClientRequest.of(
              TINY, TinyModel.schema(), Map.of("user", 117, "age", 0.5), tiny, stub::predict));
      return requests;
    } finally {
      channel.shutdownNow();
    }
  }

  private static Map<String, Object> ids(
      String prefix, int first, int count, SplittableRandom random) {
    Map<String, Object> values = new HashMap<>();
    for (int i = first; i < first + count; i++) {
      values.put(prefix + i, random.nextLong(LoadModel.values(ROWS)));
    }
    return values;
  }

  private static Map<String, Object> tiny(int i, SplittableRandom random) {
    Map<String, Object> values = new HashMap<>();
    values.put("item", random.nextLong(TinyModel.ITEMS * 2L));
    values.put("picture", List.of(random.nextDouble() - 0.5, random.nextDouble() - 0.5));
    if (i % 4 > 0) {
      values.put("tags", i % 4 == 1 ? List.of("größe") : List.of("red", "日本", "new" + i));
      values.put("tag_weights", i % 4 == 1 ? List.of(2) : List.of(1, 0.5, 0.25));
    }
    if (i % 3 > 0) {
      values.put("price", random.nextDouble() * 20);
    }
    return values;
  }

  private static ClientTally told(BenchmarkContext context, ClientTally tally) {
    context
        .progress()
        .printf(
            "%-14s %-24s %,8d calls %,6d failed%n",
            tally.client(), tally.version(), tally.calls(), tally.failed());
    tally.failures().forEach(failure -> context.progress().println("  " + failure));
    context.progress().flush();
    return tally;
  }

  private static List<Figure> figures(List<ClientTally> tallies) {
    List<String> each =
        tallies.stream()
            .map(t -> "%s %s: %d of %d".formatted(t.client(), t.version(), t.failed(), t.calls()))
            .toList();
    long working = tallies.stream().filter(ClientTally::works).count();
    long calls = tallies.stream().mapToLong(ClientTally::calls).sum();
    long failed = tallies.stream().mapToLong(ClientTally::failed).sum();
    double difference = tallies.stream().mapToDouble(ClientTally::difference).max().orElse(1);
    return List.of(
        Figure.of("clients_working", (double) working, "1", "4", String.join("; ", each)),
        Figure.of("calls", (double) calls, "1", ">=1000", "two models, 50 candidates a request"),
        Figure.of("failures", (double) failed, "1", "<=0", "failed calls and wrong answers"),
        Figure.of(
            "max_difference",
            Math.min(difference, 1),
            "1",
            "<=1e-6",
            "of a probability in grpcurl and tritonclient to that of Predict; 1: a wrong count"));
  }
}
