package dev.wukong.run;

import dev.wukong.bundle.Provenance;
import dev.wukong.config.ConfigException;
import dev.wukong.data.EncodedDataset;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Progress;
import dev.wukong.data.RawNumber;
import dev.wukong.data.Table;
import dev.wukong.graph.Flops;
import dev.wukong.graph.Graph;
import dev.wukong.metrics.Metrics;
import dev.wukong.ranker.RankerGraphs;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.OnnxRuntime;
import dev.wukong.training.BundleExport;
import dev.wukong.training.Evaluator;
import dev.wukong.training.ExportCheck;
import dev.wukong.training.NotFiniteException;
import dev.wukong.training.OptimizerConfig;
import dev.wukong.training.TrainSession;
import dev.wukong.training.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BooleanSupplier;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * One model on encoded data: trained, measured, exported. It does not close the data. One thread.
 */
public final class ModelRun implements AutoCloseable {
  private static final int GOLDEN_ROWS = 16;

  private final RunConfig config;
  private final EncodedSplits data;
  private final TrainSession session;

  /**
   * How large the model is.
   *
   * @param denseWeights numbers outside of embedding tables
   * @param embeddingRows of all tables, now
   * @param embeddingWeights numbers in them
   * @param grows whether training makes more rows as it meets values: some ids are hashed without a
   *     bound
   * @param flops of one example forward: two for each multiply-add of a product
   */
  public record Size(
      long denseWeights, long embeddingRows, long embeddingWeights, boolean grows, long flops) {
    /** All trained numbers. */
    public long parameters() {
      return denseWeights + embeddingWeights;
    }
  }

  /**
   * A fresh model.
   *
   * @throws ConfigException where it cannot be trained as the configuration says, or no bundle
   *     could hold it
   */
  public ModelRun(RunConfig config, EncodedSplits data, Device device) {
    this.config = config;
    this.data = data;
    InputLayout layout = config.model().layout(config.schema());
    // Now, not when hours of training are over.
    ExportCheck.of(config.model(), layout, config.training());
    this.session =
        new TrainSession(
            config.model(),
            layout,
            config.training(),
            device,
            space ->
                data.encoder()
                    .rowsIn(space)
                    .orElseThrow(
                        () ->
                            new IllegalArgumentException(
                                "training.rows.mode is 'whole_table', want 'touched': id space '"
                                    + space
                                    + "' is hashed without a bound and cannot be enumerated")));
  }

  public RunConfig config() {
    return config;
  }

  public Size size() {
    long dense =
        session.graph().weights().keySet().stream()
            .mapToLong(w -> w.shape().elements().size())
            .sum();
    long rows = 0;
    long weights = 0;
    List<Table> tables = session.layout().tables();
    boolean grows =
        tables.stream().anyMatch(table -> data.encoder().rowsIn(table.idSpace()).isEmpty());
    long[] present = grows ? session.rowCounts() : new long[tables.size()];
    for (int i = 0; i < tables.size(); i++) {
      Table table = tables.get(i);
      long own = data.encoder().rowsIn(table.idSpace()).orElse(present[i]);
      rows += own;
      weights += own * table.width();
    }
    Graph graph = RankerGraphs.straight(config.model(), session.layout());
    // In training every example brings a context of its own.
    long flops = Flops.perExample(graph, "B").products() + Flops.perExample(graph, "R").products();
    return new Size(dense, rows, weights, grows, flops);
  }

  /**
   * Trains, or goes on from the checkpoint in {@code work}; afterwards the model is the best one by
   * the validation data.
   *
   * @param stop asked after every step; once true, training ends after a checkpoint
   * @return whether the end was reached
   * @throws NotFiniteException where a loss or a weight is no finite number
   */
  public boolean train(Path work, BooleanSupplier stop, Trainer.Listener listener)
      throws IOException {
    try {
      return new Trainer(session, data.train(), data.valid(), work, System::nanoTime, stop)
          .run(listener);
    } catch (NotFiniteException e) {
      throw explained(e);
    }
  }

  /** The metrics of every split but the training data, by split and task. */
  public Map<String, Map<String, Metrics>> evaluate() {
    Map<String, Map<String, Metrics>> metrics = new LinkedHashMap<>();
    data.valid().ifPresent(rows -> metrics.put("valid", evaluate(rows, "validation")));
    data.test().ifPresent(rows -> metrics.put("test", evaluate(rows, "test")));
    return metrics;
  }

  private Map<String, Metrics> evaluate(EncodedDataset rows, String split) {
    try {
      return Evaluator.evaluate(session::score, rows, config.training().batch(), Progress.NONE);
    } catch (NotFiniteException e) {
      throw explained(e.in("the " + split + " data"));
    }
  }

  /** Hands every batch of the test split and its probabilities to {@code visitor}, in order. */
  public void scoreTest(Evaluator.BatchVisitor visitor) {
    try {
      Evaluator.score(
          session::score,
          data.test().orElseThrow(),
          config.training().batch(),
          Progress.NONE,
          visitor);
    } catch (NotFiniteException e) {
      throw explained(e.in("the test data"));
    }
  }

  /**
   * Writes the model as the next version of its bundle.
   *
   * @param bundles the root of all models
   */
  public BundleExport.Written export(
      Path bundles, Map<String, Map<String, Metrics>> metrics, String command) throws IOException {
    EncodedDataset golden = data.valid().orElse(data.train());
    BundleExport.Comparison comparison =
        BundleExport.Comparison.of(
            data.valid().isPresent() ? "valid" : "train",
            golden,
            config.training().batch(),
            config.training().threads());
    int count = (int) Math.min(Math.min(GOLDEN_ROWS, golden.rows()), config.training().batch());
    EncodedExamples examples = golden.range(0, count, golden.allocate(count));
    try {
      return BundleExport.write(
          bundles,
          session,
          config.model(),
          data.encoder(),
          examples,
          comparison,
          about(metrics, command));
    } catch (NotFiniteException e) {
      throw explained(e);
    }
  }

  private BundleExport.About about(Map<String, Map<String, Metrics>> metrics, String command) {
    JsonNode model = config.model().toJson();
    return new BundleExport.About(
        config.name(),
        model.path("type").asString(),
        model,
        optimizer(config.trainingJson().path("dense"), config.training().dense())
            .put(BundleExport.BATCH, config.training().batch()),
        optimizer(config.trainingJson().path("rows"), config.training().rows().optimizer())
            .put("mode", config.training().rows().mode().name().toLowerCase(Locale.ROOT)),
        new Provenance(
            config.training().seed(),
            data.splits().files(),
            data.train().rows(),
            command,
            Map.of("java", Runtime.version().toString(), "onnxruntime", OnnxRuntime.version())),
        metrics,
        Clock.systemUTC().instant());
  }

  /** What the configuration says of an optimizer, and what it left to the defaults. */
  private static ObjectNode optimizer(JsonNode given, OptimizerConfig optimizer) {
    ObjectNode result =
        given instanceof ObjectNode object
            ? object.deepCopy()
            : JsonNodeFactory.instance.objectNode();
    String name =
        switch (optimizer) {
          case OptimizerConfig.Sgd _ -> "sgd";
          case OptimizerConfig.Adam _ -> "adam";
          case OptimizerConfig.RowWiseAdaGrad _ -> "row_wise_adagrad";
        };
    return result.put("optimizer", name).put("learning_rate", optimizer.learningRate());
  }

  private NotFiniteException explained(NotFiniteException e) {
    return e.inTraining(
        RawNumber.largest(data.train()),
        "dense %s, rows %s"
            .formatted(
                config.training().dense().learningRate(),
                config.training().rows().optimizer().learningRate()));
  }

  @Override
  public void close() {
    session.close();
  }
}
