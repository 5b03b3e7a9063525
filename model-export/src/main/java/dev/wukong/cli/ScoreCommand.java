package dev.wukong.cli;

import dev.wukong.client.Prediction;
import dev.wukong.client.RankingClient;
import dev.wukong.data.DataException;
import dev.wukong.data.FileFormat;
import dev.wukong.data.RowSource;
import dev.wukong.metrics.MetricsCollector;
import dev.wukong.terminal.Bars;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code score}: a data file against a running service. */
@Command(
    name = "score",
    description = {
      "Sends a data file's rows to a running service and says how fast it answers.",
      "Where the file has the tasks' labels, AUC, LogLoss, normalized entropy and calibration too."
    },
    mixinStandardHelpOptions = true)
final class ScoreCommand implements Callable<Integer> {
  private static final int MAX_BATCH = 100_000;

  @Parameters(index = "0", description = "The data file.")
  private Path file = Path.of("");

  @Option(names = "--target", description = "The service's gRPC address (${DEFAULT-VALUE}).")
  private String target = "127.0.0.1:9090";

  @Option(names = "--tls", description = "Encrypt, and trust the authorities that Java trusts.")
  private boolean tls;

  @Option(
      names = "--ca",
      description = "Encrypt, and trust the certificates in this PEM file instead.")
  private Optional<Path> authorities = Optional.empty();

  @Option(names = "--model", description = "Its name; may be left out where only one is served.")
  private String model = "";

  @Option(names = "--format", description = "The file's format; told by its name by default.")
  private String format = "";

  @Option(
      names = {"-o", "--out"},
      description = "A CSV file to write, one row of probabilities for each row of the file.")
  private Optional<Path> out = Optional.empty();

  @Option(names = "--batch", description = "Candidates of a request (${DEFAULT-VALUE}).")
  private int batch = 500;

  @Option(names = "--deadline", description = "Seconds a call may take (${DEFAULT-VALUE}).")
  private int deadline = 10;

  @Option(names = "--no-bars", description = "No progress bar, for logs.")
  private boolean noBars;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws Exception {
    check("--batch", batch, MAX_BATCH);
    check("--deadline", deadline, 3600);
    ServiceAddress address = ServiceAddress.parse(target);
    if (out.isPresent()) {
      OutputFile.check(out.get(), file);
    }
    FileFormat of = format.isEmpty() ? FileFormat.guess(file) : FileFormat.named(format);
    ChannelCredentials credentials = credentials();
    address.checkHost();
    try (RowSource source = of.open(file);
        RankingClient client =
            RankingClient.connect(target, model, Duration.ofSeconds(deadline), credentials);
        ProgressBar bar = noBars ? Bars.silent() : Bars.rows("score", -1)) {
      Labels labels = new Labels(source, client.schema().tasks());
      if (out.isPresent()) {
        score(client, labels, out.get(), bar);
      } else {
        score(client, labels, new PrintWriter(Writer.nullWriter()), bar);
      }
    } catch (StatusRuntimeException e) {
      throw new IOException(address.describe(e), e);
    }
    return 0;
  }

  private ChannelCredentials credentials() throws IOException {
    if (authorities.isPresent()) {
      Path file = authorities.get();
      checkCertificates(file);
      return TlsChannelCredentials.newBuilder().trustManager(file.toFile()).build();
    }
    return tls ? TlsChannelCredentials.create() : InsecureChannelCredentials.create();
  }

  private static void checkCertificates(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      if (CertificateFactory.getInstance("X.509").generateCertificates(in).isEmpty()) {
        throw new IOException("--ca is '" + file + "', which is empty; want certificates in PEM");
      }
    } catch (CertificateException e) {
      throw new IOException("--ca is '" + file + "', want a file of certificates in PEM", e);
    } catch (NoSuchFileException e) {
      throw new IOException("--ca is '" + file + "', which is not there", e);
    }
  }

  private static void check(String option, int value, int max) {
    if (value < 1 || value > max) {
      throw new IllegalArgumentException(option + " is " + value + ", want 1 to " + max);
    }
  }

  private void score(RankingClient client, Labels labels, Path answers, ProgressBar bar)
      throws IOException {
    try (OutputFile target = OutputFile.create(answers)) {
      PrintWriter writer =
          new PrintWriter(
              new BufferedWriter(
                  new OutputStreamWriter(target.stream(), StandardCharsets.UTF_8), 1 << 16));
      score(client, labels, writer, bar);
      if (writer.checkError()) {
        throw new IOException(answers + " cannot be written");
      }
      target.commit();
    }
  }

  private void score(RankingClient client, Labels labels, PrintWriter writer, ProgressBar bar) {
    List<String> tasks = client.tasks();
    List<MetricsCollector> collectors = new ArrayList<>();
    tasks.forEach(task -> collectors.add(new MetricsCollector()));
    List<Long> latencies = new ArrayList<>();
    long[] row = {0};
    writer.println(String.join(",", tasks));
    long start = System.nanoTime();
    long rows =
        client.predictAll(
            labels,
            batch,
            (prediction, nanos) -> {
              latencies.add(nanos);
              for (int i = 0; i < prediction.candidates(); i++) {
                collect(collectors, labels, ++row[0], prediction, i);
                writer.println(line(prediction, i));
              }
              bar.stepTo(row[0]);
            });
    double seconds = (System.nanoTime() - start) / 1e9;
    bar.close();
    PrintWriter console = spec.commandLine().getOut();
    long[] sorted = latencies.stream().mapToLong(Long::longValue).sorted().toArray();
    console.printf(
        Locale.ROOT,
        "%,d rows in %,d requests of up to %d, %.1f s, %,.0f rows/s one request at a time%n",
        rows,
        sorted.length,
        batch,
        seconds,
        rows / seconds);
    if (sorted.length > 0) {
      console.printf(
          Locale.ROOT,
          "latency p50 %.2f ms, p99 %.2f ms, largest %.2f ms%n",
          percentile(sorted, 0.5),
          percentile(sorted, 0.99),
          sorted[sorted.length - 1] / 1e6);
    }
    for (int t = 0; t < tasks.size(); t++) {
      console.printf(
          "%-12s %s%n",
          tasks.get(t),
          collectors.get(t).size() > 0 ? collectors.get(t).metrics() : "no labels in the file");
    }
    console.flush();
  }

  private static void collect(
      List<MetricsCollector> collectors, Labels labels, long row, Prediction prediction, int i) {
    Labels.Row own = labels.take();
    for (int t = 0; t < collectors.size(); t++) {
      float probability = prediction.probability(i, t);
      if (!Float.isFinite(probability)) {
        throw new DataException(
            "%s, row %d: the service answered the probability %s"
                .formatted(labels.name(), row, probability));
      }
      if (own.weights()[t] > 0) {
        collectors.get(t).add(probability, own.labels()[t], own.weights()[t]);
      }
    }
  }

  private static String line(Prediction prediction, int candidate) {
    StringBuilder line = new StringBuilder();
    for (int t = 0; t < prediction.tasks(); t++) {
      line.append(t == 0 ? "" : ",").append(prediction.probability(candidate, t));
    }
    return line.toString();
  }

  /** Milliseconds at or below which the share {@code p} of {@code sorted} nanoseconds lie. */
  private static double percentile(long[] sorted, double p) {
    int place = (int) Math.ceil(p * sorted.length) - 1;
    return sorted[Math.max(0, place)] / 1e6;
  }
}
