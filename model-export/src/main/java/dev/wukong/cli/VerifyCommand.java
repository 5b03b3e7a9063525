package dev.wukong.cli;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Precision;
import dev.wukong.runtime.Device;
import dev.wukong.training.BundleScorer;
import java.io.PrintWriter;
import java.util.OptionalDouble;
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
    PrintWriter out = spec.commandLine().getOut();
    try (Bundle open = open()) {
      for (Precision precision : Precision.values()) {
        OptionalDouble tolerance = open.manifest().tolerance(precision);
        if (tolerance.isPresent()) {
          try (BundleScorer scorer =
              new BundleScorer(open, precision, Device.parse(device), threads())) {
            out.printf(
                "%-18s %d golden rows, largest difference %.2g of %.2g allowed%n",
                precision.file(),
                open.manifest().golden().candidate().rows(),
                scorer.checkGolden(open),
                tolerance.getAsDouble());
          }
        }
      }
      out.printf("%s is whole: %d files%n", open.folder(), open.manifest().files().size());
      out.flush();
    }
    return 0;
  }
}
