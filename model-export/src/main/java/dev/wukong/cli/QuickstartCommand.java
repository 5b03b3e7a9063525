package dev.wukong.cli;

import dev.wukong.client.LearningProgress;
import dev.wukong.run.RunConfig;
import dev.wukong.run.Splits;
import dev.wukong.run.Training;
import dev.wukong.runtime.Device;
import dev.wukong.simulator.Simulator;
import dev.wukong.simulator.SimulatorConfig;
import dev.wukong.terminal.Stop;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code quickstart}: the whole way from clicks to answers and on to learning from them, live. */
@Command(
    name = "quickstart",
    description = {
      "Simulates clicks, trains Wukong on them, exports the model and starts the service with it"
          + " twice: one learns from what becomes of its answers, the other is frozen.",
      "Sends traffic whose users change their tastes and shows both models' normalized entropy"
          + " beside the best that any model can reach, until the time is over or Ctrl-C.",
      "With --target and --bundles the service is one that runs already, or the replicas of one;"
          + " with --bundles alone the models are made for one, and that is all."
    },
    mixinStandardHelpOptions = true)
final class QuickstartCommand implements Callable<Integer> {
  private static final long MAX_REQUESTS = 100_000_000;
  private static final long MAX_SECONDS = 7 * 24 * 3600;
  private static final int MAX_DRIFT = 3_600;
  private static final int MAX_RATE = 10_000;
  private static final String BUNDLES = "bundles";

  /** Trained on before the live traffic, whose requests are the first of all. */
  private static final long BEFORE = 1L << 40;

  /** Of a live request: enough to learn from within minutes. */
  private static final int LIVE_CANDIDATES = 30;

  /** Between two lines. */
  private static final Duration SHOW = Duration.ofSeconds(2);

  /** For a service that runs already to load the models. */
  private static final Duration LOAD = Duration.ofMinutes(5);

  /** For the replicas of a service to answer again. */
  private static final Duration OUTAGE = Duration.ofMinutes(1);

  @Option(names = "--service", description = "The service's jar, to start it.")
  private @Nullable Path service;

  @Option(
      names = "--bundles",
      description =
          "Instead of --service: the folder of all models of a service that is not started here. It"
              + " gets the models '"
              + LiveModels.LEARNS
              + "' and '"
              + LiveModels.FROZEN
              + "', if it has them not.")
  private @Nullable Path bundles;

  @Option(
      names = "--target",
      description =
          "host:port of that service; where the host has several addresses, these are asked in"
              + " turn.")
  private @Nullable String target;

  @Option(names = "--folder", description = "For bundles, store and logs (${DEFAULT-VALUE}).")
  private Path folder = Path.of("target/quickstart");

  @Option(
      names = "--requests",
      description = "Simulated requests to train on, of 10 candidates each (${DEFAULT-VALUE}).")
  private long requests = 40_000;

  @Option(
      names = "--seconds",
      description = "Ends the traffic by itself; 0: only Ctrl-C does (${DEFAULT-VALUE}).")
  private int seconds = 240;

  @Option(
      names = "--rate",
      description =
          "Requests a second, of 30 candidates each, as far as the machine can (${DEFAULT-VALUE}).")
  private int rate = 100;

  @Option(
      names = "--drift",
      description =
          "Degrees by which tastes turn in as many requests as are meant for a minute; 0: they"
              + " stay (${DEFAULT-VALUE}).")
  private int drift = 20;

  @Option(names = "--no-bars", description = "No progress bars, for logs.")
  private boolean noBars;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws Exception {
    check("--requests", requests, MAX_REQUESTS, 1);
    check("--seconds", seconds, MAX_SECONDS, 0);
    check("--rate", rate, MAX_RATE, 1);
    check("--drift", drift, MAX_DRIFT, 0);
    checkPlace();
    PrintWriter out = spec.commandLine().getOut();
    SimulatorConfig still = SimulatorConfig.small(1);
    Path jar = service;
    return jar == null ? elsewhere(still, out) : here(still, jar, out);
  }

  private void checkPlace() {
    if ((service == null) == (bundles == null)) {
      throw new IllegalArgumentException(
          service == null
              ? "--service is missing, want the service's jar, or --bundles"
              : "--service and --bundles are both given, want one of them");
    }
    if (target != null) {
      if (bundles == null) {
        throw new IllegalArgumentException(
            "--target is '%s' without --bundles, want the folder of its models, too"
                .formatted(target));
      }
      ServiceAddress _ = ServiceAddress.parse(target);
    }
  }

  /** With a service that is started for it. */
  private int here(SimulatorConfig still, Path jar, PrintWriter out) throws IOException {
    Path work = work();
    Optional<Training.Outcome> trained = train(new Simulator(still), work, out);
    if (trained.isEmpty()) {
      return 0;
    }
    out.printf("2. Start the service: the model twice, one learns, one is frozen%n");
    out.flush();
    try (Stop stop = new Stop()) {
      try (LiveService live = LiveService.start(jar, trained.get().bundle(), work)) {
        out.printf(
            "   gRPC on %s, status page on %s, metrics on %s/actuator/prometheus%n",
            live.process().target(), live.process().http(), live.process().http());
        traffic(still, live.models(), live.process()::check, Duration.ZERO, stop, out);
      } catch (IOException | RuntimeException e) {
        if (!stop.comes()) {
          throw e;
        }
      }
      out.printf(
          "%nStopped. To serve the model again:%n%s -jar %s --wukong.bundle-root=%s%n",
          Path.of(System.getProperty("java.home"), "bin", "java"), jar, folder.resolve(BUNDLES));
      out.flush();
    }
    return 0;
  }

  /** With a service that runs, or will. */
  private int elsewhere(SimulatorConfig still, PrintWriter out) throws IOException {
    Path place = Objects.requireNonNull(bundles);
    if (LiveModels.in(place)) {
      out.printf("1. '%s' has the models%n", place);
    } else {
      Optional<Training.Outcome> trained = train(new Simulator(still), work(), out);
      if (trained.isEmpty()) {
        return 0;
      }
      LiveModels.write(trained.get().bundle(), place);
    }
    String where = target;
    if (where == null) {
      return 0;
    }
    out.printf("2. Wait until '%s' serves them%n", where);
    out.flush();
    try (Stop stop = new Stop()) {
      try (LiveModels live = LiveModels.at(where, LOAD, () -> {})) {
        traffic(still, live, () -> {}, OUTAGE, stop, out);
      } catch (IOException | RuntimeException e) {
        if (!stop.comes()) {
          throw e;
        }
      }
    }
    return 0;
  }

  /** A folder of its own for every run: a quickstart starts afresh. */
  private Path work() throws IOException {
    return Files.createTempDirectory(Files.createDirectories(folder), "run-");
  }

  private static void check(String option, long value, long most, long least) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          option + " is " + value + ", want " + least + " to " + most);
    }
  }

  private String end() {
    return seconds == 0 ? "Ctrl-C" : "Ctrl-C, or " + seconds + " seconds,";
  }

  private Optional<Training.Outcome> train(Simulator simulator, Path work, PrintWriter out)
      throws IOException {
    out.printf(
        "1. Train Wukong on %,d simulated candidates%n",
        requests * simulator.config().candidates());
    out.flush();
    RunConfig config = RunConfig.shipped("quickstart", simulator.schema());
    long valid = BEFORE + requests;
    return new Training(config, new Device.Cpu(), out, !noBars)
        .run(
            new Splits(
                () -> simulator.rows(BEFORE, valid),
                Optional.of(() -> simulator.rows(valid, valid + Math.max(1, requests / 10))),
                Optional.empty(),
                List.of("simulated"),
                Optional.empty()),
            work,
            folder.resolve(BUNDLES),
            "quickstart");
  }

  private void traffic(
      SimulatorConfig still,
      LiveModels models,
      LiveModels.Alive alive,
      Duration patience,
      Stop stop,
      PrintWriter out)
      throws IOException {
    out.printf("3. Live traffic of users whose tastes change; %s ends it%n", end());
    out.flush();
    Simulator drifting =
        new Simulator(
            still
                .withCandidates(LIVE_CANDIDATES)
                .withDrift(Math.toRadians(drift) * 1e6 / (60.0 * rate)));
    LiveTraffic traffic = models.traffic(drifting);
    LiveTable table = new LiveTable(out);
    table.header();
    long start = System.nanoTime();
    LiveOutages outages = new LiveOutages(patience, out, start);
    long shown = start;
    long now = start;
    try {
      while (!stop.asked() && (seconds == 0 || now - start < seconds * 1_000_000_000L)) {
        long before = now;
        alive.check();
        try {
          traffic.send();
          now = System.nanoTime();
          outages.answered(now);
          if (now - shown > SHOW.toNanos()) {
            shown = now;
            LearningProgress training = models.training();
            table.line((now - start) / 1e9, degrees(traffic), traffic, training);
            outages.tell();
          }
        } catch (StatusRuntimeException e) {
          outages.failed(e, System.nanoTime());
        }
        // What is late is not caught up on: the world drifts by requests.
        LockSupport.parkNanos(1_000_000_000L / rate - (System.nanoTime() - before));
        now = System.nanoTime();
      }
    } catch (IOException | RuntimeException e) {
      if (!stop.comes()) {
        throw e;
      }
    }
    table.summary(degrees(traffic), traffic);
  }

  private double degrees(LiveTraffic traffic) {
    return traffic.requests() * drift / (60.0 * rate);
  }
}
