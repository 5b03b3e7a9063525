package dev.wukong.cli;

import dev.wukong.bundle.Bundle;
import dev.wukong.training.BundleScorer;
import picocli.CommandLine.Command;

/** {@code verify}. */
@Command(
    name = "verify",
    description =
        "Checks a bundle as the service does before it serves: sizes, hashes, operators, golden"
            + " rows.",
    mixinStandardHelpOptions = true)
final class VerifyCommand extends BundleCommand {
  @Override
  public Integer call() throws Exception {
    try (Bundle open = open();
        BundleScorer scorer = scorer(open)) {
      var golden = open.manifest().golden();
      double difference =
          scorer.checkGolden(golden, open.manifest().model() + " " + open.manifest().version());
      spec.commandLine()
          .getOut()
          .printf(
              "%s is whole: %d files, %d golden rows, largest difference %.2g of %.2g allowed%n",
              open.folder(),
              open.manifest().files().size(),
              golden.candidate().rows(),
              difference,
              golden.tolerance());
      spec.commandLine().getOut().flush();
    }
    return 0;
  }
}
