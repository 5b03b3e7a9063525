package dev.wukong.run;

import dev.wukong.bundle.Precision;
import dev.wukong.bundle.ReducedGraph;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** What a graph of lower precision loses, in one line. */
public final class Precisions {
  private Precisions() {}

  public static String line(Precision precision, ReducedGraph graph) {
    ReducedGraph.Measured measured = graph.measured();
    StringBuilder line = new StringBuilder();
    line.append(
        String.format(
            Locale.ROOT,
            "%s against %s on %,d rows of %s: largest difference %.2g",
            precision,
            Precision.FP32,
            measured.rows(),
            measured.split(),
            measured.largestDifference()));
    new TreeMap<>(measured.full())
        .forEach(
            (task, full) ->
                new TreeMap<>(full)
                    .forEach(
                        (metric, value) ->
                            line.append(
                                String.format(
                                    Locale.ROOT,
                                    ", %s %s %+.1e",
                                    task,
                                    metric,
                                    reduced(measured, task, metric) - value))));
    return line.toString();
  }

  private static double reduced(ReducedGraph.Measured measured, String task, String metric) {
    return measured.reduced().getOrDefault(task, Map.of()).getOrDefault(metric, Double.NaN);
  }
}
