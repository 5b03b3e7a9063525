package dev.wukong.bench;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs a benchmark by name, or lists them; a command of its own and a subcommand. */
@Command(
    name = "bench",
    description = "Measures figures on this machine and writes them to target/bench/NAME.json.",
    mixinStandardHelpOptions = true,
    exitCodeOnInvalidInput = BenchmarkRunner.NO_FIGURES,
    exitCodeListHeading = "Exit status:%n",
    exitCodeList = {
      "0:every figure reaches its target",
      "1:no figures: something is missing, or the run is void",
      "2:a figure misses its target"
    })
public final class BenchCommand implements Callable<Integer> {
  @Parameters(
      description = "A benchmark's name, or several with commas between, or list.",
      defaultValue = "list")
  private String name = "list";

  @Option(names = "--root", description = "The project's folder (${DEFAULT-VALUE}).")
  private Path root = Path.of("");

  @Option(names = "--data", description = "The folder with the data sets (${DEFAULT-VALUE}).")
  private Path data = Path.of("../shared/data");

  @Option(
      names = "--seed-bug",
      description = "Plant a defect, which must turn the benchmark red or void.")
  private String seedBug = "";

  @Option(
      names = {"-o", "--options"},
      description = "What else a benchmark takes, as NAME=VALUE,NAME=VALUE.")
  private String options = "";

  @Spec private CommandSpec spec = CommandSpec.create();

  /** Runs without the rest of the command line. */
  public static void main(String[] args) {
    Locale.setDefault(Locale.ROOT);
    System.exit(new CommandLine(new BenchCommand()).execute(args));
  }

  @Override
  public Integer call() throws Exception {
    var benchmarks =
        ServiceLoader.load(Benchmark.class).stream().map(ServiceLoader.Provider::get).toList();
    CommandLine line = spec.commandLine();
    var runner =
        new BenchmarkRunner(benchmarks, root, line.getOut(), line.getErr(), System::nanoTime);
    if (name.equals("list")) {
      return runner.list();
    }
    Optional<String> planted = Optional.of(seedBug).filter(bug -> !bug.isBlank());
    int worst = 0;
    for (String each : name.split(",", -1)) {
      int status = runner.run(each.strip(), data, planted, options(options));
      // No figures at all is worse than one that misses its target.
      worst = worst == 1 || status == 1 ? 1 : Math.max(worst, status);
    }
    return worst;
  }

  /** Names and values of {@code NAME=VALUE,NAME=VALUE}; blank text has none. */
  private Map<String, String> options(String text) {
    var options = new LinkedHashMap<String, String>();
    for (String part : text.isBlank() ? new String[0] : text.split(",", -1)) {
      int equals = part.indexOf('=');
      if (equals < 1) {
        throw new ParameterException(
            spec.commandLine(), "option '" + part + "' must be written NAME=VALUE");
      }
      options.put(part.substring(0, equals).strip(), part.substring(equals + 1).strip());
    }
    return options;
  }
}
