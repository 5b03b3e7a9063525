package dev.wukong.cli;

import dev.wukong.client.Prediction;
import dev.wukong.client.RankingClient;
import dev.wukong.data.Schema;
import dev.wukong.run.RunConfig;
import dev.wukong.run.Splits;
import dev.wukong.run.Training;
import dev.wukong.runtime.Device;
import dev.wukong.simulator.Request;
import dev.wukong.simulator.Simulator;
import dev.wukong.simulator.SimulatorConfig;
import dev.wukong.terminal.Stop;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code quickstart}: the whole way from clicks to answers, live. */
@Command(
    name = "quickstart",
    description = {
      "Simulates clicks, trains Wukong on them, exports the model, starts the service and sends it"
          + " traffic.",
      "Shows the served model's normalized entropy beside the best that any model can reach, until"
          + " Ctrl-C."
    },
    mixinStandardHelpOptions = true)
final class QuickstartCommand implements Callable<Integer> {
  private static final long VALID_REQUESTS = 4_000;
  private static final long MAX_REQUESTS = 100_000_000;
  private static final long MAX_SECONDS = 7 * 24 * 3600;

  /** Candidates over which the live figures are taken. */
  private static final int WINDOW = 50_000;

  @Option(names = "--service", required = true, description = "The service's jar.")
  private Path service = Path.of("");

  @Option(names = "--folder", description = "For bundles, store and logs (${DEFAULT-VALUE}).")
  private Path folder = Path.of("target/quickstart");

  @Option(
      names = "--requests",
      description = "Simulated requests to train on, of 10 candidates each (${DEFAULT-VALUE}).")
  private long requests = 40_000;

  @Option(
      names = "--seconds",
      description = "Ends the traffic by itself; 0: only Ctrl-C does (${DEFAULT-VALUE}).")
  private int seconds;

  @Option(names = "--no-bars", description = "No progress bars, for logs.")
  private boolean noBars;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws Exception {
    check("--requests", requests, MAX_REQUESTS, 1);
    check("--seconds", seconds, MAX_SECONDS, 0);
    PrintWriter out = spec.commandLine().getOut();
    Simulator simulator = new Simulator(SimulatorConfig.small(1));
    RunConfig config = RunConfig.shipped("quickstart", simulator.schema());
    Path bundles = folder.resolve("bundles");

    out.printf(
        "1. Train Wukong on %,d simulated candidates%n",
        requests * simulator.config().candidates());
    out.flush();
    // A folder of its own for every run: a quickstart starts afresh.
    Path work = Files.createTempDirectory(Files.createDirectories(folder), "run-");
    new Training(config, new Device.Cpu(), out, !noBars)
        .run(
            new Splits(
                () -> simulator.rows(0, requests),
                Optional.of(() -> simulator.rows(requests, requests + VALID_REQUESTS)),
                Optional.empty(),
                List.of("simulated"),
                Optional.empty()),
            work,
            bundles,
            "quickstart");

    out.printf("2. Start the service%n");
    out.flush();
    try (Stop stop = new Stop();
        ServiceProcess process = ServiceProcess.start(service, bundles, work)) {
      try (RankingClient client = process.connect(config.name())) {
        out.printf(
            "   gRPC on %s, health and metrics on %s/actuator/health and %s/actuator/prometheus%n",
            process.target(), process.http(), process.http());
        out.printf("3. Live traffic; Ctrl-C ends it%n");
        out.flush();
        traffic(simulator, client, process, stop, out);
      } catch (IOException | RuntimeException e) {
        if (!stop.comes()) {
          throw e;
        }
      }
      out.printf(
          "%nStopped. To serve the model again:%n%s -jar %s --wukong.bundle-root=%s%n",
          Path.of(System.getProperty("java.home"), "bin", "java"), service, bundles);
      out.flush();
    }
    return 0;
  }

  private static void check(String option, long value, long most, long least) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          option + " is " + value + ", want " + least + " to " + most);
    }
  }

  private void traffic(
      Simulator simulator, RankingClient client, ServiceProcess process, Stop stop, PrintWriter out)
      throws IOException {
    Schema schema = simulator.schema();
    LiveWindow window = new LiveWindow(WINDOW);
    long first = requests + VALID_REQUESTS;
    long start = System.nanoTime();
    long shown = start;
    long spent = 0;
    long sent = 0;
    out.printf(
        "%8s %9s %12s %10s %10s %8s   %s%n",
        "seconds",
        "requests",
        "candidates",
        "NE model",
        "NE best",
        "mean ms",
        "one answer: predicted (true) click probability");
    while (!stop.asked()
        && (seconds == 0 || System.nanoTime() - start < Duration.ofSeconds(seconds).toNanos())) {
      process.check();
      Request request = simulator.request(first + sent);
      List<Map<String, @Nullable Object>> candidates = request.candidateValues(schema);
      long before = System.nanoTime();
      Prediction prediction = client.predict(request.contextValues(schema), candidates);
      spent += System.nanoTime() - before;
      sent++;
      for (int i = 0; i < candidates.size(); i++) {
        Request.Candidate candidate = request.candidates().get(i);
        window.add(prediction.probability(i, 0), candidate.clickProbability(), candidate.clicked());
      }
      long now = System.nanoTime();
      if (now - shown > Duration.ofSeconds(1).toNanos()) {
        shown = now;
        show(out, (now - start) / 1e9, sent, window, spent / 1e6 / sent, prediction, request);
      }
      LockSupport.parkNanos(Duration.ofMillis(2).toNanos());
    }
    out.flush();
  }

  private static void show(
      PrintWriter out,
      double elapsed,
      long sent,
      LiveWindow window,
      double milliseconds,
      Prediction prediction,
      Request request) {
    StringBuilder example = new StringBuilder();
    for (int i = 0; i < Math.min(4, request.candidates().size()); i++) {
      example.append(
          String.format(
              Locale.ROOT,
              "%.3f (%.3f)  ",
              prediction.probability(i, 0),
              request.candidates().get(i).clickProbability()));
    }
    out.printf(
        Locale.ROOT,
        "%8.0f %,9d %,12d %10.4f %10.4f %8.2f   %s%n",
        elapsed,
        sent,
        window.count(),
        window.metrics().normalizedEntropy(),
        window.bestNormalizedEntropy(),
        milliseconds,
        example.toString().strip());
    out.flush();
  }
}
