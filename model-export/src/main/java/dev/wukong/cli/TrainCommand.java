package dev.wukong.cli;

import dev.wukong.run.ConfigTree;
import dev.wukong.run.RunConfig;
import dev.wukong.run.Training;
import dev.wukong.runtime.Device;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code train}. */
@Command(
    name = "train",
    description = {
      "Trains a model and exports it as the next version of its bundle.",
      "Ctrl-C ends it after a checkpoint. Started again with the same --work, an interrupted"
          + " training goes on: where Ctrl-C stopped it, else from its last checkpoint"
          + " (training.checkpoint_every, 10m by default)."
    },
    mixinStandardHelpOptions = true)
final class TrainCommand implements Callable<Integer> {
  /** What a shell says of a process that Ctrl-C ended. */
  private static final int STOPPED = 130;

  /** The names that the help lists. */
  static final class Shipped implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return ConfigTree.SHIPPED.iterator();
    }
  }

  @Option(
      names = {"-c", "--config"},
      required = true,
      completionCandidates = Shipped.class,
      description =
          "A configuration file, or one that ships with the program: ${COMPLETION-CANDIDATES}.")
  private String config = "";

  @Option(
      names = "--data",
      description = "The folder that the configuration's data files lie in (${DEFAULT-VALUE}).")
  private Path data = Path.of(".");

  @Option(names = "--bundles", description = "The folder of all models (${DEFAULT-VALUE}).")
  private Path bundles = Path.of("bundles");

  @Option(
      names = "--work",
      description = "A folder for encoded data and checkpoints (${DEFAULT-VALUE}).")
  private Path work = Path.of("work");

  @Option(names = "--device", description = "cpu or cuda:N (${DEFAULT-VALUE}).")
  private String device = "cpu";

  @Option(names = "--no-bars", description = "No progress bars, for logs.")
  private boolean noBars;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws Exception {
    RunConfig run = RunConfig.read(config);
    Training training =
        new Training(
            run,
            Device.parse(device),
            spec.commandLine().getOut(),
            !noBars,
            Optional.of("Start it again with the same --config, --data and --work to go on."));
    Optional<Training.Outcome> outcome =
        training.run(
            training.splits(data), work.resolve(run.name()), bundles, "train --config " + config);
    return outcome.isPresent() ? 0 : STOPPED;
  }
}
