package dev.wukong.training;

import ai.onnxruntime.OrtException;
import dev.wukong.bundle.BundleException;
import dev.wukong.bundle.Precision;
import dev.wukong.bundle.ReducedGraph;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.Task;
import dev.wukong.metrics.TaskMetrics;
import dev.wukong.runtime.Device;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Compares a model's graph in half precision with the one that training scores with, on the CPU. A
 * graph that is too far off is none: a model whose numbers half precision cannot hold is exported
 * without it.
 */
final class HalfPrecision implements AutoCloseable {
  /** A graph that moves a probability further than this is another model. */
  private static final double FURTHEST = 0.05;

  /**
   * How much further off another device may be: the CPU computes in single precision between
   * rounded numbers, others round every product.
   */
  private static final double ROOM = 10;

  private static final double LEAST_TOLERANCE = 0.01;

  private final TrainSession session;
  private final GraphScorer graph;

  /**
   * Loads the graph.
   *
   * @param model its bytes
   */
  HalfPrecision(byte[] model, TrainSession session, int threads) {
    this.session = session;
    try {
      Device cpu = new Device.Cpu();
      byte[] loadable = Precision.FP16.on(cpu, model);
      this.graph = new GraphScorer(loadable, session.layout(), Precision.FP16, cpu, threads);
    } catch (OrtException | BundleException e) {
      throw new IllegalStateException(
          "%s does not load: %s".formatted(Precision.FP16.file(), e.getMessage()), e);
    }
  }

  /**
   * Compares.
   *
   * @return what was found; empty where the graph must not be used
   */
  Optional<ReducedGraph> compare(EncodedExamples golden, BundleExport.Comparison data) {
    double goldenDifference = difference(session.score(golden), half(golden));
    if (!(goldenDifference <= FURTHEST)) {
      return Optional.empty();
    }
    List<String> tasks = session.layout().schema().tasks().stream().map(Task::name).toList();
    TaskMetrics full = new TaskMetrics(tasks);
    TaskMetrics reduced = new TaskMetrics(tasks);
    long rows = 0;
    double largest = 0;
    for (EncodedExamples batch : data.batches()) {
      float[] right = session.score(batch);
      float[] found = half(batch);
      largest = Math.max(largest, difference(right, found));
      if (!(largest <= FURTHEST)) {
        return Optional.empty();
      }
      full.add(right, batch.labels(), batch.labelWeights(), batch.rows());
      reduced.add(found, batch.labels(), batch.labelWeights(), batch.rows());
      rows += batch.rows();
    }
    double worst = Math.max(goldenDifference, largest);
    return Optional.of(
        new ReducedGraph(
            Math.min(ReducedGraph.WIDEST, Math.max(LEAST_TOLERANCE, ROOM * worst)),
            goldenDifference,
            new ReducedGraph.Measured(
                data.split(), rows, largest, figures(full), figures(reduced))));
  }

  /** Probabilities of the batch that the session scored last, whose rows it still has. */
  private float[] half(EncodedExamples batch) {
    int[] contextOf = IntStream.range(0, batch.rows()).toArray();
    return graph.probabilities(session.rows(), batch.context(), batch.candidate(), contextOf);
  }

  /** The largest absolute difference; NaN where a value is. */
  private static double difference(float[] a, float[] b) {
    double largest = 0;
    for (int i = 0; i < a.length; i++) {
      largest = Math.max(largest, Math.abs((double) a[i] - b[i]));
    }
    return largest;
  }

  private static Map<String, Map<String, Double>> figures(TaskMetrics collected) {
    Map<String, Map<String, Double>> result = new LinkedHashMap<>();
    collected
        .metrics()
        .forEach(
            (task, metrics) -> {
              Map<String, Double> values = new LinkedHashMap<>();
              values.put("auc", metrics.auc());
              values.put("logloss", metrics.logLoss());
              values.values().removeIf(value -> !Double.isFinite(value));
              result.put(task, values);
            });
    return result;
  }

  @Override
  public void close() {
    graph.close();
  }
}
