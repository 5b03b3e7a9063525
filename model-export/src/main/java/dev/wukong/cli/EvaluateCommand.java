package dev.wukong.cli;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.Progress;
import dev.wukong.training.BundleScorer;
import dev.wukong.training.Evaluator;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code evaluate}. */
@Command(
    name = "evaluate",
    description =
        "AUC, LogLoss, normalized entropy and calibration of a bundle on a data file, by task.",
    mixinStandardHelpOptions = true)
final class EvaluateCommand extends BundleCommand {
  private static final int BATCH = 4096;

  @Parameters(index = "1", description = "The data file.")
  private Path file = Path.of("");

  @Override
  public Integer call() throws Exception {
    try (Bundle open = open();
        BundleScorer scorer = scorer(open)) {
      withData(
          file,
          scorer,
          data ->
              Evaluator.evaluate(scorer::score, data, BATCH, Progress.NONE)
                  .forEach(
                      (task, metrics) ->
                          spec.commandLine().getOut().printf("%-12s %s%n", task, metrics)));
    }
    spec.commandLine().getOut().flush();
    return 0;
  }
}
