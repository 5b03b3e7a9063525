package dev.wukong.cli;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Precision;
import dev.wukong.data.Progress;
import dev.wukong.runtime.Device;
import dev.wukong.standalone.StandaloneExport;
import dev.wukong.training.BundleScorer;
import dev.wukong.training.Evaluator;
import dev.wukong.training.StandaloneScorer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code export}. */
@Command(
    name = "export",
    description = {
      "Writes a bundle as one ONNX file with its embedding tables inside, for other servers.",
      "Its inputs are row positions; the JSON beside it says how values become positions."
    },
    mixinStandardHelpOptions = true)
final class ExportCommand extends BundleCommand {
  private static final int BATCH = 4096;

  @Option(
      names = {"-o", "--out"},
      required = true,
      description = "The file to write; its name ends in .onnx.")
  private Path out = Path.of("");

  @Option(
      names = "--batch-context",
      description =
          "Each candidate brings its own context, so that all inputs have as many rows: for servers"
              + " that batch along the first axis.")
  private boolean batchContext;

  @Option(
      names = "--cpu",
      description =
          "Writes it for servers that run it on a CPU: quicker there, slower on a GPU. Default: for"
              + " any device.")
  private boolean cpu;

  @Option(
      names = "--precision",
      description = "fp32, or fp16 for tables and products in half precision (${DEFAULT-VALUE}).")
  private String precision = Precision.FP32.toString();

  @Option(
      names = "--check",
      description = "A data file to score through the written file and through the bundle.")
  private @Nullable Path check;

  @Override
  public Integer call() throws Exception {
    Precision of = Precision.parse(precision);
    PrintWriter print = spec.commandLine().getOut();
    try (Bundle open = open()) {
      StandaloneExport.Written written = StandaloneExport.write(open, of, out, batchContext, cpu);
      print.printf(
          "%s %,d bytes, %s %,d bytes%n",
          written.model(), Files.size(written.model()), written.ids(), Files.size(written.ids()));
      boolean same = check == null || same(open, of, written, check);
      print.flush();
      return same ? 0 : 1;
    }
  }

  private boolean same(Bundle open, Precision of, StandaloneExport.Written written, Path file)
      throws IOException {
    try (BundleScorer bundle = BundleScorer.asWritten(open, of, Device.parse(device), threads());
        StandaloneScorer standalone =
            new StandaloneScorer(
                written.model(), written.inputs(), Device.parse(device), threads())) {
      double[] largest = {0};
      long[] rows = {0};
      withData(
          file,
          bundle,
          data ->
              Evaluator.score(
                  bundle::score,
                  data,
                  BATCH,
                  Progress.NONE,
                  (examples, right) -> {
                    float[] found = standalone.score(examples);
                    for (int i = 0; i < right.length; i++) {
                      double difference = Math.abs((double) right[i] - found[i]);
                      largest[0] = Math.max(largest[0], difference);
                    }
                    rows[0] += examples.rows();
                  }));
      boolean same = largest[0] <= tolerance(of);
      spec.commandLine()
          .getOut()
          .printf(
              "%,d rows, largest difference to the bundle %.2g of %.2g allowed: %s%n",
              rows[0], largest[0], tolerance(of), same ? "the same" : "DIFFERS");
      return same;
    }
  }

  /** The same arithmetic over the same rows: what is left is the order of sums. */
  private static double tolerance(Precision precision) {
    return switch (precision) {
      case FP32 -> 1e-5;
      case FP16 -> 1e-3;
    };
  }
}
