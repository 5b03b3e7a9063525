package dev.wukong.cli;

import dev.wukong.bundle.BatchShape;
import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.GraphInputs;
import dev.wukong.bundle.Precision;
import dev.wukong.profile.GraphProfile;
import dev.wukong.profile.OperatorTime;
import dev.wukong.runtime.CudaOptions;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.device.Accelerator;
import dev.wukong.runtime.device.GraphOptions;
import dev.wukong.terminal.TextTable;
import java.io.PrintWriter;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code profile}. */
@Command(
    name = "profile",
    description =
        "Says where the time of a bundle's predict graph goes: by operator, by part of the network,"
            + " and the dearest nodes. Inputs are made up and lie on the device.",
    mixinStandardHelpOptions = true)
final class ProfileCommand extends BundleCommand {
  private static final int MOST = 1 << 20;

  @Option(names = "--precision", description = "fp32 or fp16 (${DEFAULT-VALUE}).")
  private String precision = "fp32";

  @Option(names = "--candidates", description = "Candidates of a run (${DEFAULT-VALUE}).")
  private int candidates = 512;

  @Option(names = "--contexts", description = "Contexts of a run (${DEFAULT-VALUE}).")
  private int contexts = 1;

  @Option(names = "--runs", description = "Measured runs (${DEFAULT-VALUE}).")
  private int runs = 50;

  @Option(names = "--nodes", description = "The dearest nodes to list (${DEFAULT-VALUE}).")
  private int nodes = 15;

  @Override
  public Integer call() throws Exception {
    within("--candidates", candidates, MOST);
    within("--contexts", contexts, MOST);
    within("--runs", runs, MOST);
    within("--nodes", nodes, MOST);
    Device on = Device.parse(device);
    Precision of = Precision.parse(precision);
    try (Bundle open = open()) {
      boolean hasContext = open.layout().schema().hasContext();
      if (hasContext && contexts > candidates) {
        throw new IllegalArgumentException(
            "--contexts is %d, want 1 to --candidates (%d)".formatted(contexts, candidates));
      }
      BatchShape shape = new BatchShape(candidates, hasContext ? contexts : 0);
      GraphProfile profile =
          GraphProfile.of(
              of.on(on, open.graph(of.file())),
              GraphInputs.of(open.layout(), of),
              open.layout().schema().tasks().size(),
              shape,
              Accelerator.of(on),
              new GraphOptions(threads(), true, CudaOptions.DEFAULT),
              runs);
      print(profile, shape);
    }
    return 0;
  }

  private static void within(String option, int value, int most) {
    if (value < 1 || value > most) {
      throw new IllegalArgumentException("%s is %d, want 1 to %d".formatted(option, value, most));
    }
  }

  private void print(GraphProfile profile, BatchShape shape) {
    PrintWriter out = spec.commandLine().getOut();
    double sum = profile.operators().stream().mapToDouble(OperatorTime::micros).sum();
    out.printf(
        "%s, %s: %d candidates, %d contexts: %.3f ms a run (%.2f us a candidate), %d operators%n",
        device,
        precision,
        shape.candidates(),
        shape.contexts(),
        profile.millis(),
        1000 * profile.millis() / shape.candidates(),
        profile.operators().size());
    if (Device.parse(device) instanceof Device.Cuda) {
      boolean blocking = "1".equals(System.getenv("CUDA_LAUNCH_BLOCKING"));
      out.println(
          blocking
              ? "times are those of the device's work, which launches wait for"
              : "times below are those of launching, after which the device works on; with"
                  + " CUDA_LAUNCH_BLOCKING=1 in the environment they are those of its work");
    }
    out.printf(
        "times below are medians; each operator measured, a run takes %.3f ms%n", sum / 1000);
    out.println();
    grouped("operator", profile, OperatorTime::operator, sum).print(out);
    out.println();
    grouped("part", profile, OperatorTime::part, sum).print(out);
    out.println();
    TextTable dearest = new TextTable("node", "operator", "us", "share");
    profile.operators().stream()
        .sorted(Comparator.comparingDouble(OperatorTime::micros).reversed())
        .limit(nodes)
        .forEach(
            o -> dearest.row(o.node(), o.operator(), micros(o.micros()), share(o.micros(), sum)));
    dearest.print(out);
    out.flush();
  }

  private static TextTable grouped(
      String what, GraphProfile profile, Function<OperatorTime, String> key, double sum) {
    Map<String, double[]> groups = new HashMap<>();
    for (OperatorTime time : profile.operators()) {
      double[] group = groups.computeIfAbsent(key.apply(time), _ -> new double[2]);
      group[0]++;
      group[1] += time.micros();
    }
    TextTable table = new TextTable(what, "count", "us a run", "share");
    List<Map.Entry<String, double[]>> ordered =
        groups.entrySet().stream()
            .sorted(Comparator.comparingDouble(e -> -e.getValue()[1]))
            .toList();
    for (Map.Entry<String, double[]> group : ordered) {
      double[] values = group.getValue();
      table.row(
          group.getKey(),
          Integer.toString((int) values[0]),
          micros(values[1]),
          share(values[1], sum));
    }
    return table;
  }

  private static String micros(double micros) {
    return "%.1f".formatted(micros);
  }

  private static String share(double micros, double sum) {
    return "%.1f %%".formatted(sum == 0 ? 0 : 100 * micros / sum);
  }
}
