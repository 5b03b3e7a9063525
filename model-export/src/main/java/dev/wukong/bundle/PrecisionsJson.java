package dev.wukong.bundle;

import dev.wukong.data.Schema;
import dev.wukong.data.Task;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import tools.jackson.databind.node.ObjectNode;

/**
 * The section {@code precisions} of a manifest: the graphs of lower precision by {@link Precision}.
 */
final class PrecisionsJson {
  private PrecisionsJson() {}

  static void write(Map<Precision, ReducedGraph> graphs, ObjectNode to) {
    new TreeMap<>(graphs)
        .forEach(
            (precision, graph) -> {
              ObjectNode node = to.putObject(precision.toString());
              node.put("file", precision.file());
              node.put("rows", precision.rows().name());
              node.put("tolerance", graph.tolerance());
              node.put("goldenDifference", graph.goldenDifference());
              ReducedGraph.Measured measured = graph.measured();
              ObjectNode loss = node.putObject("measured");
              loss.put("split", measured.split());
              loss.put("rows", measured.rows());
              loss.put("largestDifference", measured.largestDifference());
              writeMetrics(measured.full(), loss.putObject(Precision.FP32.toString()));
              writeMetrics(measured.reduced(), loss.putObject(precision.toString()));
            });
  }

  private static void writeMetrics(Map<String, Map<String, Double>> metrics, ObjectNode to) {
    new TreeMap<>(metrics)
        .forEach(
            (task, values) -> {
              ObjectNode ofTask = to.putObject(task);
              new TreeMap<>(values).forEach((name, value) -> ofTask.put(name, value));
            });
  }

  /**
   * The graphs in {@code fields}.
   *
   * @param files those of the manifest
   * @throws BundleException if a value is out of range, or a file of one is without the other
   */
  static Map<Precision, ReducedGraph> read(
      StrictFields fields, Schema schema, List<FileEntry> files) throws BundleException {
    Map<Precision, ReducedGraph> graphs = new EnumMap<>(Precision.class);
    for (String name : fields.names()) {
      Precision precision = reduced(fields, name);
      StrictFields own = fields.object(name);
      expect(own, "file", precision.file());
      expect(own, "rows", precision.rows().name());
      if (!has(files, precision)) {
        throw new BundleException(
            "field '%s.file' is '%s', which field 'files' lacks"
                .formatted(own.path(), precision.file()));
      }
      double tolerance = number(own, "tolerance", ReducedGraph.WIDEST);
      double golden = number(own, "goldenDifference", tolerance);
      StrictFields measured = own.object("measured");
      graphs.put(
          precision,
          new ReducedGraph(
              tolerance,
              golden,
              new ReducedGraph.Measured(
                  measured.string("split"),
                  measured.integer("rows", 1, Long.MAX_VALUE),
                  number(measured, "largestDifference", 1),
                  metrics(measured.object(Precision.FP32.toString()), schema),
                  metrics(measured.object(precision.toString()), schema))));
      measured.end();
      own.end();
    }
    return graphs;
  }

  /** Refuses a graph in {@code files} that the section does not speak of. */
  static void checkComplete(Map<Precision, ReducedGraph> graphs, List<FileEntry> files)
      throws BundleException {
    for (Precision precision : Precision.values()) {
      if (precision != Precision.FP32 && has(files, precision) && !graphs.containsKey(precision)) {
        throw new BundleException(
            "field 'files' names '%s', but field 'precisions.%s' is missing"
                .formatted(precision.file(), precision));
      }
    }
  }

  private static Precision reduced(StrictFields fields, String name) throws BundleException {
    for (Precision precision : Precision.values()) {
      if (precision != Precision.FP32 && precision.toString().equals(name)) {
        return precision;
      }
    }
    throw new BundleException(
        "field '%s.%s' is unknown, allowed are %s"
            .formatted(
                fields.path(),
                name,
                Arrays.stream(Precision.values())
                    .filter(p -> p != Precision.FP32)
                    .map(Precision::toString)
                    .collect(Collectors.joining(", "))));
  }

  private static boolean has(List<FileEntry> files, Precision precision) {
    return files.stream().anyMatch(f -> f.name().equals(precision.file()));
  }

  private static void expect(StrictFields fields, String name, String expected)
      throws BundleException {
    String found = fields.string(name);
    if (!found.equals(expected)) {
      throw new BundleException(
          "field '%s.%s' is '%s', expected '%s'".formatted(fields.path(), name, found, expected));
    }
  }

  private static double number(StrictFields fields, String name, double max)
      throws BundleException {
    double value = fields.number(name);
    if (value < 0 || value > max) {
      throw new BundleException(
          "field '%s.%s' is %s, expected 0 to %s".formatted(fields.path(), name, value, max));
    }
    return value;
  }

  /** AUC and log loss by task; a figure that the data does not define is absent. */
  private static Map<String, Map<String, Double>> metrics(StrictFields fields, Schema schema)
      throws BundleException {
    Map<String, Map<String, Double>> metrics = new LinkedHashMap<>();
    for (Task task : schema.tasks()) {
      StrictFields own = fields.object(task.name());
      Map<String, Double> values = new LinkedHashMap<>();
      if (own.has("auc")) {
        values.put("auc", number(own, "auc", 1));
      }
      if (own.has("logloss")) {
        values.put("logloss", number(own, "logloss", Double.MAX_VALUE));
      }
      own.end();
      metrics.put(task.name(), values);
    }
    fields.end();
    return metrics;
  }
}
