package dev.wukong.training;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.wukong.config.ConfigException;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.InputLayout;
import dev.wukong.data.InputNames;
import dev.wukong.graph.Graph;
import dev.wukong.graph.Lowering;
import dev.wukong.graph.OnnxWriter;
import dev.wukong.graph.TensorData;
import dev.wukong.objective.StepGraph;
import dev.wukong.objective.TrainGraph;
import dev.wukong.objective.UpdateRule;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.ranker.RankerGraphs;
import dev.wukong.runtime.CudaOptions;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.OnnxRuntime;
import dev.wukong.runtime.device.Accelerator;
import dev.wukong.runtime.device.GraphOptions;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.IntToDoubleFunction;
import java.util.function.ToLongFunction;

/**
 * A model in training: its weights, rows and optimizer state, and the sessions that compute
 * gradients and scores. Every tensor lies in memory of this class, so that ONNX Runtime copies
 * nothing. One thread at a time.
 */
public final class TrainSession implements AutoCloseable {
  private final RankerConfig model;
  private final InputLayout layout;
  private final TrainingConfig config;
  private final Device device;
  private final TrainGraph train;
  private final TrainState state;
  private final WeightTensors tensors;
  private final BatchInputs inputs;
  private final BatchRunner runner;
  private final Stepper stepper;
  private final OrtSession scorer;
  private final Shards scoreShards;
  private final Opened opened;
  private long step;

  /** What one step gave. */
  public record Step(float loss, float[] probabilities) {}

  /** What a session is for. */
  enum Purpose {
    /** Steps, and scores. */
    TRAINS,
    /** Scores alone: it takes no memory, nor threads, for steps. */
    SCORES
  }

  /**
   * A fresh model.
   *
   * @param rowsIn the number of ids of an id space; asked for whole-table training only
   */
  public TrainSession(
      RankerConfig model,
      InputLayout layout,
      TrainingConfig config,
      Device device,
      ToLongFunction<String> rowsIn) {
    this(
        model,
        layout,
        config,
        device,
        TrainState.RowsOf.fresh(model, layout, config, rowsIn),
        Optional.empty(),
        Purpose.TRAINS);
  }

  /**
   * A model that starts with fresh weights.
   *
   * @param rows makes the rows' training
   * @param block the file of the steps' graph, where there is one
   * @param purpose whether it makes steps
   */
  TrainSession(
      RankerConfig model,
      InputLayout layout,
      TrainingConfig config,
      Device device,
      TrainState.RowsOf rows,
      Optional<byte[]> block,
      Purpose purpose) {
    this(model, layout, config, device, rows, block, purpose, Accelerator::of);
  }

  /**
   * The same.
   *
   * @param accelerators opens a device on which state stays
   */
  TrainSession(
      RankerConfig model,
      InputLayout layout,
      TrainingConfig config,
      Device device,
      TrainState.RowsOf rows,
      Optional<byte[]> block,
      Purpose purpose,
      Function<Device, Accelerator> accelerators) {
    this.model = model;
    this.layout = layout;
    this.config = config;
    this.device = device;
    check(layout, config, device);
    this.train = TrainGraph.of(model, layout);
    this.scoreShards = device instanceof Device.Cpu ? Shards.of(config.threads()) : new Shards(1);
    // Batch normalization looks at the batch as a whole; so does an optimizer in the graph.
    boolean whole = !train.statistics().isEmpty() || config.steps().inGraph(device);
    Shards trainShards = whole ? new Shards(1) : scoreShards;
    try (Opened parts = new Opened()) {
      Optional<Accelerator> accelerator =
          purpose == Purpose.TRAINS && config.steps().onDevice(device)
              ? Optional.of(accelerators.apply(device))
              : Optional.empty();
      Buffers buffers = accelerator.map(Buffers::of).orElseGet(Buffers::new);
      this.state = TrainState.of(parts, layout, config, train, trainShards, rows, buffers);
      this.inputs = new BatchInputs(state);
      this.tensors = new WeightTensors(parts, state.weights(), state.statistics());
      this.runner = new BatchRunner(state, tensors);
      this.stepper =
          switch (purpose) {
            case TRAINS -> stepper(trainShards, block, accelerator, parts);
            case SCORES -> new NoStepper();
          };
      this.scorer = parts.add(session(RankerGraphs.straight(model, layout), scoreShards));
      this.opened = parts.moved();
    } catch (OrtException e) {
      throw new IllegalStateException("the training graph does not load: " + e.getMessage(), e);
    }
  }

  /**
   * Refuses what cannot be trained on {@code device}, as the constructor does, but without a
   * model's memory.
   *
   * @throws ConfigException where it cannot; the message names the key and what it may be
   */
  public static void check(InputLayout layout, TrainingConfig config, Device device) {
    int perRun = config.steps().perRun(device);
    boolean _ = config.steps().rowsOnDevice(device);
    if (!config.steps().inGraph(device)) {
      HostStepper.check(layout, config);
    }
    BatchInputs.check(layout, config.batch(), perRun);
  }

  private Stepper stepper(
      Shards shards, Optional<byte[]> block, Optional<Accelerator> accelerator, Opened parts)
      throws OrtException {
    if (accelerator.isPresent()) {
      return parts.add(deviceStepper(block, accelerator.get()));
    }
    if (config.steps().inGraph(device)) {
      UpdateRule rule = config.rule();
      StepGraph graph = StepGraph.of(model, layout, rule);
      OrtSession session =
          parts.add(
              block.isPresent() ? session(block.get(), shards) : session(graph.block(), shards));
      return new GraphStepper(graph, rule, state, session, tensors, runner, inputs);
    }
    OrtSession session = parts.add(session(train.graph(), shards));
    return new HostStepper(train, state, session, shards, runner, inputs, parts);
  }

  private DeviceStepper deviceStepper(Optional<byte[]> block, Accelerator accelerator) {
    StepGraph graph = StepGraph.of(model, layout, config.rule());
    StepBody body = block.map(StepBody::of).orElseGet(() -> StepBody.of(graph));
    GraphOptions options = new GraphOptions(config.threads(), true, CudaOptions.DEFAULT);
    List<String> weights = List.copyOf(state.weights().places().keySet());
    Optional<FlatUpdate> flat = FlatUpdate.of(body, weights, state.weights().stateSlots());
    try (Opened parts = new Opened()) {
      DeviceSteps steps = parts.add(new DeviceSteps(body, flat, accelerator, options));
      BlockRows rows =
          state.rows() instanceof TouchedRows touched && config.steps().rowsOnDevice(device)
              ? new ResidentRows(state, touched, config.rule(), accelerator, steps, steps.bus())
              : new StreamedRows(state, config.rule(), steps);
      Opened _ = parts.moved();
      return new DeviceStepper(graph.masks(), config.rule(), state, inputs, steps, rows);
    }
  }

  private OrtSession session(Graph graph, Shards shards) throws OrtException {
    Lowering lowering =
        switch (device) {
          case Device.Cpu() -> Lowering.CPU;
          case Device.Cuda _ -> Lowering.CUDA;
        };
    return session(OnnxWriter.write(graph, lowering, Map.of(), Map.of()).toByteArray(), shards);
  }

  private OrtSession session(byte[] file, Shards shards) throws OrtException {
    // A run's own thread counts; those beyond the shards help whoever has work for them.
    int threads = config.threads() - shards.most() + 1;
    try (OrtSession.SessionOptions options = OnnxRuntime.options(device, threads, true)) {
      return OnnxRuntime.environment().createSession(file, options);
    }
  }

  public TrainGraph graph() {
    return train;
  }

  /** Steps made so far. */
  public long steps() {
    return step;
  }

  /** Dense weights and running statistics by name, copied. */
  public Map<String, TensorData> snapshot() {
    stepper.settle();
    Map<String, TensorData> result = new LinkedHashMap<>(state.weights().snapshot());
    result.putAll(state.statistics().snapshot());
    return result;
  }

  /**
   * Looks at every dense weight and running statistic.
   *
   * @throws NotFiniteException where one is no finite number; the message names it
   */
  void checkFinite() {
    stepper.settle();
    for (WeightState of : List.of(state.weights(), state.statistics())) {
      for (String name : of.places().keySet()) {
        FloatBuffer values = of.buffer(name);
        for (int i = 0; i < values.remaining(); i++) {
          float value = values.get(values.position() + i);
          if (!Float.isFinite(value)) {
            throw new NotFiniteException(
                "after step %d a weight of '%s' is %s".formatted(step, name, value));
          }
        }
      }
    }
  }

  /** Who asks for weights or statistics next changes them, before the next step. */
  void changing() {
    stepper.changed();
  }

  /** To be read before the next step. */
  WeightState weights() {
    stepper.settle();
    return state.weights();
  }

  /** The same of running statistics. */
  WeightState statistics() {
    stepper.settle();
    return state.statistics();
  }

  /** How many rows each table of the layout has now. */
  public long[] rowCounts() {
    return state.rows().counts();
  }

  RowTrainer rows() {
    return state.rows();
  }

  Buffers buffers() {
    return state.buffers();
  }

  int rowWidth(int table) {
    return layout.tables().get(table).width();
  }

  /** Floats of optimizer state that a row of {@code table} has. */
  int rowStateWidth(int table) {
    return config.rows().optimizer().rowState(rowWidth(table));
  }

  RankerConfig model() {
    return model;
  }

  public InputLayout layout() {
    return layout;
  }

  public TrainingConfig config() {
    return config;
  }

  void restoreSteps(long steps) {
    this.step = steps;
  }

  /** The most minibatches that a run of the graph takes. */
  public int stepsPerRun() {
    return config.steps().perRun(device);
  }

  /**
   * One minibatch: gradients, then one step of every optimizer.
   *
   * @param factor multiplies the configured learning rates
   * @return the loss and the probabilities [B, tasks] before the step
   */
  public Step step(EncodedExamples batch, double factor) {
    return steps(batch, new double[] {factor * warmth(0)}).getFirst();
  }

  /**
   * The same with one factor for dense weights and one for rows, where optimizers are in the graph.
   */
  Step step(EncodedExamples batch, double factor, double rowFactor) {
    double warmth = warmth(0);
    return steps(batch, new double[] {factor * warmth}, new double[] {rowFactor * warmth})
        .getFirst();
  }

  /** The same with one factor of the learning rates for all. */
  public List<Step> steps(EncodedExamples block, double factor) {
    return steps(block, _ -> factor);
  }

  /**
   * A step for each minibatch of {@code block}, in its order, in as few runs as {@link
   * #stepsPerRun} allows.
   *
   * @param block minibatches of the configured size one after the other; the last may be smaller
   * @param factor what multiplies the configured learning rates, by the rows of {@code block}
   *     before a minibatch
   */
  public List<Step> steps(EncodedExamples block, IntToDoubleFunction factor) {
    List<Step> result = new ArrayList<>();
    for (int from = 0; from < block.rows(); ) {
      int left = block.rows() - from;
      int count = Math.clamp(left / config.batch(), 1, stepsPerRun());
      int rows = Math.min(left, Math.multiplyExact(count, config.batch()));
      double[] factors = new double[count];
      for (int k = 0; k < count; k++) {
        factors[k] = factor.applyAsDouble(from + k * config.batch()) * warmth(k);
      }
      result.addAll(steps(Minibatches.range(layout, block, from, rows), factors));
      from += rows;
    }
    return List.copyOf(result);
  }

  /** How far the learning rates have risen {@code ahead} steps from now. */
  private double warmth(int ahead) {
    return Math.min(1, (step + 1.0 + ahead) / Math.max(1, config.warmUp()));
  }

  private List<Step> steps(EncodedExamples block, double[] factors) {
    return steps(block, factors, factors);
  }

  private List<Step> steps(EncodedExamples block, double[] factors, double[] rowFactors) {
    List<Step> result = stepper.run(block, new Stepper.Steps(step + 1, factors, rowFactors));
    step += factors.length;
    return result;
  }

  /** Probabilities [B, tasks] of {@code batch} by the weights as they are, without training. */
  public float[] score(EncodedExamples batch) {
    stepper.settle();
    state.rows().bind(batch, false);
    int count = batch.rows();
    int shards = scoreShards.count(count);
    List<RowBlock> in = inputs.features(batch);
    String contextOf = InputNames.CONTEXT_OF;
    if (scorer.getInputNames().contains(contextOf)) {
      // Each range brings its own contexts, counted from 0.
      int[] own = new int[count];
      for (int i = 0, shard = 0; i < count; i++) {
        shard += shard + 1 < shards && i == Shards.first(count, shards, shard + 1) ? 1 : 0;
        own[i] = i - Shards.first(count, shards, shard);
      }
      ByteBuffer of = state.buffers().ints(contextOf, own, count);
      in.add(new RowBlock(contextOf, of, OnnxJavaType.INT32));
    }
    ByteBuffer out = state.buffers().bytes("probabilities", count * state.tasks() * Float.BYTES);
    RowBlock probabilities = new RowBlock("probabilities", out, OnnxJavaType.FLOAT, state.tasks());
    runner.run("scoring", scorer, count, shards, in, List.of(probabilities), (_, _) -> {});
    return Buffers.copied(out);
  }

  @Override
  public void close() {
    opened.close();
  }
}
