package dev.wukong.training;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import dev.wukong.graph.Graph;
import dev.wukong.graph.OnnxWriter;
import dev.wukong.graph.TensorData;
import dev.wukong.objective.TrainGraph;
import dev.wukong.ranker.Network;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.ranker.RankerGraphs;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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
  private final TrainGraph train;
  private final Arena arena = Arena.ofShared();
  private final Workers workers;
  private final WeightState weights;
  private final WeightState statistics;
  private final RowTrainer rows;
  private final OrtEnvironment environment = OnnxRuntime.environment();
  private final OrtSession trainer;
  private final OrtSession scorer;
  private final Buffers buffers;
  private final List<OnnxTensor> own = new ArrayList<>();
  private final Map<String, OnnxTensor> weightTensors = new LinkedHashMap<>();
  private final Map<String, Floats> lookupGradients = new LinkedHashMap<>();
  private long step;

  /** What one step gave. */
  public record Step(float loss, float[] probabilities) {}

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
    this.model = model;
    this.layout = layout;
    this.config = config;
    this.train = TrainGraph.of(model, layout);
    this.workers = new Workers(config.threads());
    this.weights =
        new WeightState(
            arena, train.weights(), HostOptimizer.of(config.dense()), workers, config.seed());
    this.statistics =
        new WeightState(arena, train.statistics(), new HostOptimizer.Sgd(), workers, config.seed());
    double deviation = model.embedding().deviation();
    this.rows =
        switch (config.rows().mode()) {
          case TOUCHED -> new TouchedRows(layout, config.rows(), deviation, workers, config.seed());
          case WHOLE_TABLE ->
              new WholeTableRows(
                  arena, layout, rowsIn, config.rows(), deviation, workers, config.seed());
        };
    this.buffers = new Buffers(config.batch());
    try {
      this.trainer = session(train.graph(), device);
      this.scorer = session(RankerGraphs.predict(model, layout), device);
      for (WeightState state : List.of(weights, statistics)) {
        for (Map.Entry<String, WeightState.Place> e : state.places().entrySet()) {
          long[] shape = e.getValue().shape().sizes();
          weightTensors.put(e.getKey(), keep(tensor(state.buffer(e.getKey()), shape)));
          weightTensors.put("grad/" + e.getKey(), keep(tensor(state.gradient(e.getKey()), shape)));
        }
      }
    } catch (OrtException e) {
      throw new IllegalStateException("the training graph does not load: " + e.getMessage(), e);
    }
  }

  private OrtSession session(Graph graph, Device device) throws OrtException {
    byte[] model = OnnxWriter.write(graph, device.lowering(), Map.of(), Map.of()).toByteArray();
    try (OrtSession.SessionOptions options = OnnxRuntime.options(device, config.threads())) {
      return environment.createSession(model, options);
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
    Map<String, TensorData> result = new LinkedHashMap<>(weights.snapshot());
    result.putAll(statistics.snapshot());
    return result;
  }

  WeightState weights() {
    return weights;
  }

  WeightState statistics() {
    return statistics;
  }

  RowTrainer rows() {
    return rows;
  }

  int rowWidth(int table) {
    return layout.tables().get(table).width();
  }

  /** Floats of optimizer state that a row of {@code table} has. */
  int rowStateWidth(int table) {
    return switch (config.rows().optimizer()) {
      case OptimizerConfig.Sgd _ -> 0;
      case OptimizerConfig.Adam _ -> 2 * rowWidth(table);
      case OptimizerConfig.RowWiseAdaGrad _ -> 1;
    };
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

  /**
   * One minibatch: gradients, then one step of every optimizer.
   *
   * @param factor multiplies the configured learning rates
   * @return the loss and the probabilities [B, tasks] before the step
   */
  public Step step(EncodedExamples batch, double factor) {
    long next = step + 1;
    double warmUp = config.warmUp() > 0 ? Math.min(1, (double) next / config.warmUp()) : 1;
    rows.bind(batch, true);
    int count = batch.rows();
    float loss;
    float[] probabilities = new float[count * layout.schema().tasks().size()];
    try (Run run = new Run()) {
      bindInputs(run, batch);
      run.input(
          "labels",
          tensor(buffers.floats("labels", batch.labels(), count * tasks()), count, tasks()));
      run.input(
          "label_weights",
          tensor(
              buffers.floats("label_weights", batch.labelWeights(), count * tasks()),
              count,
              tasks()));
      for (int i = 0; i < train.masks().size(); i++) {
        Network.DropoutMask mask = train.masks().get(i);
        int width = (int) mask.mask().dim(1).size();
        ByteBuffer bytes = buffers.bytes(mask.mask().name(), count * width);
        Dropout.fill(workers, bytes, count * width, mask.rate(), config.seed(), next, i);
        run.input(
            mask.mask().name(),
            OnnxTensor.createTensor(
                environment, bytes, new long[] {count, width}, OnnxJavaType.BOOL));
      }
      FloatBuffer lossBuffer = buffers.floats("loss", 1);
      FloatBuffer probabilityBuffer = buffers.floats("probabilities", probabilities.length);
      run.output("loss", tensor(lossBuffer));
      run.output("probabilities", tensor(probabilityBuffer, count, tasks()));
      weights.places().keySet().forEach(name -> run.shared("grad/" + name, weight("grad/" + name)));
      // The new statistics land where gradients would; they are taken over below.
      statistics
          .places()
          .keySet()
          .forEach(name -> run.shared("new/" + name, weight("grad/" + name)));
      for (String slots : train.lookups()) {
        long[] shape = lookupShape(slots, count);
        Floats gradients =
            lookupGradients.computeIfAbsent(
                slots, s -> new Floats(arena, shape[1] * shape[2] * config.batch()));
        run.output(
            "grad/" + slots, tensor(gradients.buffer(0, shape[0] * shape[1] * shape[2]), shape));
      }
      run.execute(trainer);
      loss = lossBuffer.get(0);
      probabilityBuffer.get(0, probabilities);
    } catch (OrtException e) {
      throw new IllegalStateException("training step " + next + " failed: " + e.getMessage(), e);
    }
    if (!Float.isFinite(loss)) {
      throw new IllegalStateException(
          "the loss of step "
              + next
              + " is "
              + loss
              + ": lower the learning rates or clip the gradients");
    }
    statistics
        .places()
        .keySet()
        .forEach(name -> statistics.buffer(name).put(statistics.gradient(name)));
    rows.clearGradients();
    for (String slots : train.lookups()) {
      long[] shape = lookupShape(slots, count);
      rows.add(group(slots), buffers.slots(slots), (int) (shape[0] * shape[1]), gradients(slots));
    }
    double norm = rows.finishGradients();
    double scale = 1;
    if (config.clipNorm() > 0) {
      // As PyTorch's clip_grad_norm_, which the published configurations use.
      scale = Math.min(1, config.clipNorm() / (Math.sqrt(norm + weights.squaredNorm()) + 1e-6));
    }
    weights.update(scale, config.dense().learningRate() * factor * warmUp, next);
    rows.update(scale, config.rows().optimizer().learningRate() * factor * warmUp, next);
    step = next;
    return new Step(loss, probabilities);
  }

  /** Probabilities [B, tasks] of {@code batch} by the weights as they are, without training. */
  public float[] score(EncodedExamples batch) {
    rows.bind(batch, false);
    int count = batch.rows();
    float[] probabilities = new float[count * tasks()];
    try (Run run = new Run()) {
      bindInputs(run, batch);
      if (scorer.getInputNames().contains("context_of")) {
        IntBuffer identity = buffers.ints("context_of", count);
        for (int i = 0; i < count; i++) {
          identity.put(i, i);
        }
        run.input("context_of", OnnxTensor.createTensor(environment, identity, new long[] {count}));
      }
      FloatBuffer out = buffers.floats("probabilities", probabilities.length);
      run.output("probabilities", tensor(out, count, tasks()));
      run.execute(scorer);
      out.get(0, probabilities);
    } catch (OrtException e) {
      throw new IllegalStateException("scoring failed: " + e.getMessage(), e);
    }
    return probabilities;
  }

  private void bindInputs(Run run, EncodedExamples batch) throws OrtException {
    int count = batch.rows();
    weights.places().keySet().forEach(name -> run.sharedInput(name, weight(name)));
    statistics.places().keySet().forEach(name -> run.sharedInput(name, weight(name)));
    for (int group = 0; group < layout.groups().size(); group++) {
      int width = layout.groups().get(group).width();
      run.input(
          "rows." + layout.groups().get(group).name(),
          tensor(rows.rows(group), rows.size(group), width));
      for (Scope scope : Scope.values()) {
        int columns = layout.slotWidth(scope, group);
        if (columns > 0) {
          bindSlots(
              run,
              scope,
              group,
              scope == Scope.CONTEXT ? batch.context() : batch.candidate(),
              columns);
        }
      }
    }
    for (Scope scope : Scope.values()) {
      int width = layout.denseWidth(scope);
      if (width > 0) {
        EncodedRows encoded = scope == Scope.CONTEXT ? batch.context() : batch.candidate();
        String name = "dense." + suffix(scope);
        run.input(name, tensor(buffers.floats(name, encoded.dense(), count * width), count, width));
      }
    }
  }

  private void bindSlots(Run run, Scope scope, int group, EncodedRows encoded, int columns)
      throws OrtException {
    String name = suffix(scope) + "." + layout.groups().get(group).name();
    int count = encoded.rows() * columns;
    int[] slots = buffers.slots("slots." + name, count);
    rows.slots(scope, group, encoded, slots);
    IntBuffer direct = buffers.ints("slots." + name, count);
    direct.put(0, slots, 0, count);
    run.input(
        "slots." + name,
        OnnxTensor.createTensor(environment, direct, new long[] {encoded.rows(), columns}));
    if (layout.weighted(scope, group)) {
      float[] factors = new float[count];
      int positions = layout.positions(scope);
      for (var column : layout.columns(scope, group)) {
        for (int row = 0; row < encoded.rows(); row++) {
          System.arraycopy(
              encoded.weights(),
              row * positions + column.position(),
              factors,
              row * columns + column.start(),
              column.width());
        }
      }
      run.input(
          "weights." + name,
          tensor(buffers.floats("weights." + name, factors, count), encoded.rows(), columns));
    }
  }

  private long[] lookupShape(String slots, int count) {
    int group = group(slots);
    Scope scope =
        slots.startsWith("slots." + suffix(Scope.CONTEXT) + ".") ? Scope.CONTEXT : Scope.CANDIDATE;
    return new long[] {count, layout.slotWidth(scope, group), layout.groups().get(group).width()};
  }

  private int group(String slots) {
    String name = slots.substring(slots.lastIndexOf('.') + 1);
    for (int group = 0; group < layout.groups().size(); group++) {
      if (layout.groups().get(group).name().equals(name)) {
        return group;
      }
    }
    throw new IllegalArgumentException("no group '" + name + "'");
  }

  private Floats gradients(String slots) {
    Floats gradients = lookupGradients.get(slots);
    if (gradients == null) {
      throw new IllegalStateException("no gradients for " + slots);
    }
    return gradients;
  }

  private OnnxTensor weight(String name) {
    OnnxTensor tensor = weightTensors.get(name);
    if (tensor == null) {
      throw new IllegalStateException("no weight " + name);
    }
    return tensor;
  }

  private int tasks() {
    return layout.schema().tasks().size();
  }

  private static String suffix(Scope scope) {
    return scope.name().toLowerCase(Locale.ROOT);
  }

  private OnnxTensor tensor(FloatBuffer buffer, long... shape) throws OrtException {
    return OnnxTensor.createTensor(environment, buffer, shape);
  }

  private OnnxTensor keep(OnnxTensor tensor) {
    own.add(tensor);
    return tensor;
  }

  @Override
  public void close() {
    own.forEach(OnnxTensor::close);
    try {
      trainer.close();
      scorer.close();
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    } finally {
      workers.close();
      arena.close();
    }
  }
}
