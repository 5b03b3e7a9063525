package dev.wukong.training;

import dev.wukong.bundle.BundleWriter;
import dev.wukong.bundle.FloatTensor;
import dev.wukong.bundle.GoldenRows;
import dev.wukong.bundle.ManifestDraft;
import dev.wukong.bundle.Network;
import dev.wukong.bundle.Optimizers;
import dev.wukong.bundle.Precision;
import dev.wukong.bundle.Provenance;
import dev.wukong.bundle.ReducedGraph;
import dev.wukong.data.EncodedDataset;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.Table;
import dev.wukong.data.Vocabulary;
import dev.wukong.graph.DataType;
import dev.wukong.graph.Lowering;
import dev.wukong.graph.OnnxWriter;
import dev.wukong.graph.TensorData;
import dev.wukong.metrics.Metrics;
import dev.wukong.objective.StepGraph;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.ranker.RankerGraphs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import tools.jackson.databind.JsonNode;

/** Writes a trained model as a bundle. */
public final class BundleExport {
  /**
   * Largest difference that another machine's arithmetic may make to a golden row's probability.
   */
  private static final double TOLERANCE = 1e-4;

  static final String TRAIN = "train.onnx";

  /** In what the manifest says of the dense weights' optimizer: rows of a minibatch. */
  public static final String BATCH = "batch";

  private BundleExport() {}

  /**
   * What the bundle says of itself beside the weights.
   *
   * @param model the name under which it is served
   * @param metrics by split, then task
   */
  public record About(
      String model,
      String kind,
      JsonNode hyperparameters,
      JsonNode denseOptimizer,
      JsonNode rowOptimizer,
      Provenance provenance,
      Map<String, Map<String, Metrics>> metrics,
      Instant created) {}

  /**
   * The data on which the graph in half precision is compared.
   *
   * @param split its name
   * @param batches one after the other; each may use the arrays of the one before
   * @param threads of the graph
   */
  public record Comparison(String split, Iterable<EncodedExamples> batches, int threads) {
    /** Rows that are compared at most. */
    private static final long ROWS = 16_384;

    /** The first rows of {@code data} in batches of {@code batch}. */
    public static Comparison of(String split, EncodedDataset data, int batch, int threads) {
      long rows = Math.min(ROWS, data.rows());
      return new Comparison(
          split,
          () -> {
            EncodedExamples room = data.allocate(batch);
            return LongStream.iterate(0, first -> first < rows, first -> first + batch)
                .mapToObj(first -> data.range(first, (int) Math.min(batch, rows - first), room))
                .iterator();
          },
          threads);
    }
  }

  /**
   * What was written.
   *
   * @param half what half precision loses; empty where it loses too much and the bundle has no such
   *     graph
   */
  public record Written(Path folder, Optional<ReducedGraph> half) {}

  /**
   * Writes the next version of the model.
   *
   * @param golden examples whose scores the bundle must repeat
   * @throws NotFiniteException where a weight or a score is no finite number
   */
  public static Written write(
      Path root,
      TrainSession session,
      RankerConfig config,
      FeatureEncoder encoder,
      EncodedExamples golden,
      Comparison comparison,
      About about)
      throws IOException {
    session.checkFinite();
    GoldenRows repeated = golden(session, golden);
    try (BundleWriter writer = BundleWriter.create(root, about.model())) {
      Map<String, TensorData> weights = session.snapshot();
      Map<String, String> metadata = Map.of("model", about.model(), "kind", about.kind());
      writer.file(
          Precision.FP32.file(),
          OnnxWriter.write(
                  RankerGraphs.predict(config, session.layout()), Lowering.CUDA, weights, metadata)
              .toByteArray());
      Optional<ReducedGraph> half =
          half(writer, session, config, weights, metadata, golden, comparison);
      writer.file(
          TRAIN,
          OnnxWriter.write(
                  StepGraph.of(config, session.layout(), session.config().rule()).block(),
                  Lowering.CPU,
                  Map.of(),
                  metadata)
              .toByteArray());
      writer.dense(dense(session, weights));
      Map<String, float[]> defaults = rows(writer, session);
      Map<String, List<String>> vocabularies = new LinkedHashMap<>();
      encoder
          .vocabularies()
          .forEach((space, vocabulary) -> vocabularies.put(space, values(vocabulary)));
      writer.vocabularies(vocabularies);
      Path folder =
          writer.finish(
              new ManifestDraft(
                  about.created(),
                  session.layout().schema(),
                  config.widths(session.layout().schema()),
                  new Network(about.kind(), about.hyperparameters()),
                  OnnxWriter.OPSET,
                  new Optimizers(about.denseOptimizer(), about.rowOptimizer()),
                  about.provenance(),
                  numbers(about.metrics()),
                  defaults,
                  repeated,
                  half.map(graph -> Map.of(Precision.FP16, graph)).orElse(Map.of())));
      return new Written(folder, half);
    }
  }

  private static Optional<ReducedGraph> half(
      BundleWriter writer,
      TrainSession session,
      RankerConfig config,
      Map<String, TensorData> weights,
      Map<String, String> metadata,
      EncodedExamples golden,
      Comparison comparison)
      throws IOException {
    byte[] graph =
        OnnxWriter.write(
                RankerGraphs.predict(config, session.layout(), DataType.FLOAT16),
                Lowering.CUDA,
                weights,
                metadata)
            .toByteArray();
    Optional<ReducedGraph> found;
    try (HalfPrecision half = new HalfPrecision(graph, session, comparison.threads())) {
      found = half.compare(golden, comparison);
    }
    if (found.isPresent()) {
      writer.file(Precision.FP16.file(), graph);
    }
    return found;
  }

  private static List<String> values(Vocabulary vocabulary) {
    return vocabulary.values();
  }

  /** All dense tensors as a bundle has them. */
  static Map<String, FloatTensor> dense(TrainSession session, Map<String, TensorData> weights) {
    Map<String, FloatTensor> result = new LinkedHashMap<>();
    weights.forEach((name, data) -> result.put(name, tensor(data)));
    for (int i = 0; i < session.weights().stateSlots(); i++) {
      int slot = i;
      session
          .weights()
          .stateSnapshot(i)
          .forEach((name, data) -> result.put(StepGraph.state(slot, name), tensor(data)));
    }
    // The step that training would go on with. A float counts to 16 million; beyond that Adam, the
    // only one to ask, sees no difference any more.
    result.put("step", FloatTensor.of(new float[] {(float) (session.steps() + 1)}, List.of()));
    return result;
  }

  private static FloatTensor tensor(TensorData data) {
    return switch (data) {
      case TensorData.Floats(var shape, var values) ->
          FloatTensor.of(values, Arrays.stream(shape.sizes()).boxed().toList());
      case TensorData.Numbers numbers ->
          throw new IllegalArgumentException(numbers + " is no weight");
    };
  }

  /** Writes all rows with their state; returns each table's default row. */
  private static Map<String, float[]> rows(BundleWriter writer, TrainSession session)
      throws IOException {
    Map<String, float[]> defaults = new LinkedHashMap<>();
    List<Table> tables = session.layout().tables();
    TableBlock block = new TableBlock(writer, tables);
    MeanRows means = new MeanRows(tables);
    try {
      session
          .rows()
          .forEach(
              (table, id, row, state) -> {
                means.add(table, id, row);
                block.add(table, id, row, state);
              });
      block.flush();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    List<float[]> mean = means.rows();
    for (Table table : tables) {
      defaults.put(table.name(), mean.get(table.ordinal()));
    }
    return defaults;
  }

  private static GoldenRows golden(TrainSession session, EncodedExamples examples) {
    boolean contexts = session.layout().schema().hasContext();
    float[] probabilities = session.score(examples);
    for (float probability : probabilities) {
      if (!Float.isFinite(probability)) {
        throw new NotFiniteException("the probability of a golden row is " + probability);
      }
    }
    return new GoldenRows(
        examples.context().first(contexts ? examples.rows() : 0),
        examples.candidate(),
        contexts ? IntStream.range(0, examples.rows()).toArray() : new int[0],
        probabilities,
        TOLERANCE);
  }

  private static Map<String, Map<String, Map<String, Double>>> numbers(
      Map<String, Map<String, Metrics>> metrics) {
    Map<String, Map<String, Map<String, Double>>> result = new LinkedHashMap<>();
    metrics.forEach(
        (split, tasks) -> {
          Map<String, Map<String, Double>> byTask = new LinkedHashMap<>();
          tasks.forEach((task, m) -> byTask.put(task, numbers(m)));
          result.put(split, byTask);
        });
    return result;
  }

  /** A figure that the split does not define (the AUC of one class) is left out. */
  private static Map<String, Double> numbers(Metrics metrics) {
    Map<String, Double> result = new LinkedHashMap<>();
    result.put("auc", metrics.auc());
    result.put("logloss", metrics.logLoss());
    result.put("normalized_entropy", metrics.normalizedEntropy());
    result.put("calibration", metrics.calibration());
    result.values().removeIf(value -> !Double.isFinite(value));
    return result;
  }
}
