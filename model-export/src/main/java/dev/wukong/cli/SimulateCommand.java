package dev.wukong.cli;

import dev.wukong.data.CsvFile;
import dev.wukong.data.RowSource;
import dev.wukong.simulator.ClickSource;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code simulate}. */
@Command(
    name = "simulate",
    description =
        "Writes the click simulator's candidates as CSV: features, labels, and the exact click"
            + " probability of each.",
    mixinStandardHelpOptions = true)
final class SimulateCommand implements Callable<Integer> {
  private static final long MAX_REQUESTS = 1_000_000_000;

  @Option(
      names = {"-o", "--out"},
      required = true,
      description = "The CSV file to write, packed where its name ends in .gz.")
  private Path out = Path.of("");

  @Option(
      names = "--world",
      description =
          "clicks: products of hidden factors, as in the quickstart; rules: lookups of hidden"
              + " attributes, frozen (${DEFAULT-VALUE}).")
  private String world = ClickSource.CLICKS;

  @Option(
      names = "--requests",
      description = "Requests, of 10 candidates each, 4 in the world of rules (${DEFAULT-VALUE}).")
  private long requests = 10_000;

  @Option(names = "--seed", description = "Everything follows from it (${DEFAULT-VALUE}).")
  private long seed = 1;

  @Option(names = "--no-bars", description = "No progress bar, for logs.")
  private boolean noBars;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws Exception {
    if (requests < 1 || requests > MAX_REQUESTS) {
      throw new IllegalArgumentException(
          "--requests is " + requests + ", want 1 to " + MAX_REQUESTS);
    }
    OutputFile.check(out);
    ClickSource simulator = ClickSource.of(world, seed);
    long rows = requests * simulator.candidates();
    try (RowSource source = simulator.rows(0, requests);
        OutputFile target = OutputFile.create(out);
        ProgressBar bar = noBars ? Bars.silent() : Bars.rows("simulate", rows)) {
      boolean pack = out.toString().endsWith(".gz");
      long written = CsvFile.write(target.stream(), pack, source, Bars.on(bar));
      target.commit();
      bar.stepTo(written);
    }
    spec.commandLine()
        .getOut()
        .printf(
            Locale.ROOT,
            "%s: %,d rows; best normalized entropy of the clicks over the first %,d requests"
                + " %.5f%n",
            out,
            rows,
            Math.min(requests, 10_000),
            simulator.bestNormalizedEntropy(0, Math.min(requests, 10_000)));
    spec.commandLine().getOut().flush();
    return 0;
  }
}
