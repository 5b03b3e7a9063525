package dev.wukong.training;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.FloatTensor;
import dev.wukong.bundle.Manifest;
import dev.wukong.bundle.Precision;
import dev.wukong.config.Section;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.InputLayout;
import dev.wukong.objective.StepGraph;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.runtime.Device;
import dev.wukong.training.TrainSession.Purpose;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The model of a bundle, trained further by the bundle's own {@code train.onnx}: dense weights
 * here, rows wherever their origin keeps them. What it makes of the same examples is the same, bit
 * for bit. One thread at a time.
 */
public final class OnlineSession implements AutoCloseable {
  /** The rate where the bundle does not say of how many examples its minibatches were. */
  private static final double UNKNOWN_RATE = 0.2;

  private final RankerConfig model;
  private final TrainSession session;
  private final TouchedRows rows;
  private final LearnedGraph predict;

  private OnlineSession(
      RankerConfig model, TrainSession session, TouchedRows rows, LearnedGraph predict) {
    this.model = model;
    this.session = session;
    this.rows = rows;
    this.predict = predict;
  }

  /**
   * How it is trained.
   *
   * @param batch rows of a minibatch at most
   * @param threads of a step
   * @param device where steps are made
   * @param precision of the graph that serves
   */
  public record Options(int batch, int threads, Device device, Precision precision) {}

  /**
   * The model with the weights, and their optimizer's state, that {@code bundle} has. The bundle
   * may be closed afterwards.
   *
   * @throws IOException where it cannot be trained further; the message says why
   */
  public static OnlineSession of(Bundle bundle, Options options, RowOrigin origin)
      throws IOException {
    return of(bundle, options, origin, Purpose.TRAINS);
  }

  /**
   * The same, to score alone: it takes no memory for steps, on the device neither.
   *
   * @throws IOException where its weights cannot be scored with; the message says why
   */
  public static OnlineSession scoring(Bundle bundle, Options options, RowOrigin origin)
      throws IOException {
    return of(bundle, options, origin, Purpose.SCORES);
  }

  private static OnlineSession of(Bundle bundle, Options options, RowOrigin origin, Purpose purpose)
      throws IOException {
    Manifest manifest = bundle.manifest();
    InputLayout layout = bundle.layout();
    try {
      LearnedGraph predict = LearnedGraph.of(manifest, options.precision());
      RankerConfig model = predict.model();
      TrainingConfig config = config(manifest, options);
      List<TouchedRows> made = new ArrayList<>();
      TrainSession session =
          new TrainSession(
              model,
              layout,
              config,
              options.device(),
              (_, workers) -> {
                made.add(new TouchedRows(layout, config.rows().optimizer(), origin, workers));
                return made.getFirst();
              },
              Optional.of(bundle.graph(BundleExport.TRAIN)),
              purpose);
      OnlineSession online = new OnlineSession(model, session, made.getFirst(), predict);
      boolean ready = false;
      try {
        online.restore(tensors(bundle.dense()));
        ready = true;
        return online;
      } finally {
        if (!ready) {
          session.close();
        }
      }
    } catch (IllegalArgumentException | IllegalStateException e) {
      throw new IOException(
          "model '%s' version %d cannot be trained further: %s"
              .formatted(manifest.model(), manifest.version(), e.getMessage()),
          e);
    }
  }

  private static TrainingConfig config(Manifest manifest, Options options) {
    Section training = Section.of("manifest.json: training", null);
    Section dense = Section.of("manifest.json: optimizers.dense", manifest.optimizers().dense());
    Section ofRows = Section.of("manifest.json: optimizers.rows", manifest.optimizers().rows());
    // Whole tables do not fit here: what was trained so goes on with the rows that examples have.
    OptimizerConfig rows = OptimizerConfig.read(ofRows, List.of("row_wise_adagrad", "sgd", "adam"));
    return TrainingConfig.read(training)
        .online(
            options.batch(),
            options.threads(),
            OptimizerConfig.read(dense, List.of("adam", "sgd")),
            new TrainingConfig.RowsConfig(
                TrainingConfig.RowMode.TOUCHED, rows, ofRows.number("l2", 0, 0, 1000)),
            manifest.provenance().seed());
  }

  private static Map<String, float[]> tensors(Map<String, FloatTensor> dense) {
    Map<String, float[]> tensors = new LinkedHashMap<>();
    dense.forEach((name, tensor) -> tensors.put(name, tensor.data()));
    return tensors;
  }

  /**
   * Trains on {@code examples}, which are a minibatch.
   *
   * @param factor multiplies the learning rates
   * @return the loss and the probabilities [B, tasks] before the step
   * @throws NotFiniteException where the loss is no finite number: then weights and rows are as
   *     before
   */
  public TrainSession.Step step(EncodedExamples examples, double factor) {
    return session.step(examples, factor);
  }

  /**
   * The same with examples that are only a share of a minibatch, in a loss in which each weighs as
   * in a whole one: Adam, whose steps are as long whatever gradients are, makes them so much
   * shorter.
   *
   * @param share more than 0, up to 1
   * @throws NotFiniteException as above
   */
  public TrainSession.Step step(EncodedExamples examples, double factor, double share) {
    TrainingConfig config = session.config();
    return session.step(
        examples,
        factor * shortened(config.dense(), share),
        factor * shortened(config.rows().optimizer(), share));
  }

  private static double shortened(OptimizerConfig optimizer, double share) {
    return switch (optimizer) {
      case OptimizerConfig.Adam _ -> share;
      case OptimizerConfig.Sgd _, OptimizerConfig.RowWiseAdaGrad _ -> 1;
    };
  }

  /**
   * The factor of the learning rates that suits minibatches of {@code batch}: as much less as these
   * are smaller than those that the bundle was trained with.
   */
  public static double suitingRate(Manifest manifest, int batch) {
    int before = manifest.optimizers().dense().path(BundleExport.BATCH).asInt(0);
    return before > 0 ? Math.min(1, (double) batch / before) : UNKNOWN_RATE;
  }

  /** Probabilities [B, tasks] by the weights and rows as they are, without training. */
  public float[] score(EncodedExamples examples) {
    return session.score(examples);
  }

  TrainSession session() {
    return session;
  }

  /** Steps made so far, those before the bundle included. */
  public long steps() {
    return session.steps();
  }

  /** How encoded features become the graphs' inputs. */
  public InputLayout layout() {
    return session.layout();
  }

  /** Floats that the optimizer keeps of a row of {@code width}. */
  public int rowStateWidth(int width) {
    return session.config().rows().optimizer().rowState(width);
  }

  /** The model and its hyperparameters. */
  public RankerConfig model() {
    return model;
  }

  /** By group of the layout: rows that have changed since this was last asked, with their state. */
  public List<ChangedRows> changedRows() {
    return IntStream.range(0, layout().groups().size()).mapToObj(rows::changed).toList();
  }

  /** Rows in memory. */
  public int heldRows() {
    return rows.held();
  }

  /** Forgets a row, changed or not: it comes from its origin again. */
  public void forgetRow(long key) {
    rows.forget(key);
  }

  /** Forgets all rows, changed or not: they come from their origin again. */
  public void forgetRows() {
    rows.forget();
  }

  /**
   * Everything trained but rows, by name: dense weights, their optimizer's state, running
   * statistics, and the number of the next step; copied.
   */
  public Map<String, float[]> dense() {
    Map<String, float[]> tensors = new LinkedHashMap<>();
    for (WeightState state : List.of(session.weights(), session.statistics())) {
      for (String name : state.places().keySet()) {
        tensors.put(name, copy(state.buffer(name)));
        for (int i = 0; i < state.stateSlots(); i++) {
          tensors.put(StepGraph.state(i, name), copy(state.state(i, name)));
        }
      }
    }
    return tensors;
  }

  private static float[] copy(FloatBuffer buffer) {
    float[] values = new float[buffer.remaining()];
    buffer.get(values);
    return values;
  }

  /**
   * Puts back what {@link #dense} gave, or a bundle's {@code dense.safetensors}.
   *
   * @throws IllegalArgumentException where something is missing or has another size; then some may
   *     have been put back
   */
  public void restore(Map<String, float[]> tensors) {
    session.changing();
    for (WeightState state : List.of(session.weights(), session.statistics())) {
      for (String name : state.places().keySet()) {
        put(tensors, name, state.buffer(name));
        for (int i = 0; i < state.stateSlots(); i++) {
          put(tensors, StepGraph.state(i, name), state.state(i, name));
        }
      }
    }
    float[] step = tensors.get("step");
    if (step != null) { // A bundle's; whoever keeps more steps than a float counts says so apart.
      restoreSteps((long) step[0] - 1);
    }
  }

  /** Says how many steps were made. */
  public void restoreSteps(long steps) {
    session.restoreSteps(steps);
  }

  private static void put(Map<String, float[]> tensors, String name, FloatBuffer to) {
    float[] values = tensors.get(name);
    if (values == null || values.length != to.remaining()) {
      throw new IllegalArgumentException(
          "tensor '%s' is %s, want %d floats"
              .formatted(
                  name, values == null ? "missing" : values.length + " floats", to.remaining()));
    }
    to.put(values);
  }

  /**
   * The graph that serves, with the weights as they are.
   *
   * @throws NotFiniteException where a weight is no finite number
   */
  public byte[] predictGraph() {
    return predictGraph(dense());
  }

  /**
   * The same from what {@link #dense} has just given.
   *
   * @throws NotFiniteException as above
   */
  public byte[] predictGraph(Map<String, float[]> dense) {
    session.checkFinite();
    return predict.file(dense);
  }

  @Override
  public void close() {
    session.close();
  }
}
