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
import dev.wukong.graph.Lowering;
import dev.wukong.graph.OnnxWriter;
import dev.wukong.graph.TensorData;
import dev.wukong.objective.TrainGraph;
import dev.wukong.ranker.Network;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.ranker.RankerGraphs;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.OnnxRuntime;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
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

  /** By shard, the tensors in which gradients and new statistics arrive. */
  private final List<Map<String, OnnxTensor>> results = new ArrayList<>();

  private final Map<String, Floats> lookupGradients = new LinkedHashMap<>();
  private final Shards trainShards;
  private final Shards scoreShards;
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
    this.layout = layout;
    this.config = config;
    this.train = TrainGraph.of(model, layout);
    this.workers = new Workers(config.threads());
    this.scoreShards = device instanceof Device.Cpu ? Shards.of(config.threads()) : new Shards(1);
    // Batch normalization looks at the batch as a whole.
    this.trainShards = train.statistics().isEmpty() ? scoreShards : new Shards(1);
    this.weights =
        new WeightState(
            arena,
            train.weights(),
            HostOptimizer.of(config.dense()),
            workers,
            trainShards.most(),
            config.seed());
    this.statistics =
        new WeightState(
            arena, train.statistics(), new HostOptimizer.Sgd(), workers, 1, config.seed());
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
      this.trainer = session(train.graph(), device, trainShards);
      this.scorer = session(RankerGraphs.predict(model, layout), device, scoreShards);
      makeTensors();
    } catch (OrtException e) {
      throw new IllegalStateException("the training graph does not load: " + e.getMessage(), e);
    }
  }

  private OrtSession session(Graph graph, Device device, Shards shards) throws OrtException {
    Lowering lowering =
        switch (device) {
          case Device.Cpu() -> Lowering.CPU;
          case Device.Cuda _ -> Lowering.CUDA;
        };
    byte[] model = OnnxWriter.write(graph, lowering, Map.of(), Map.of()).toByteArray();
    // A run's own thread counts; those beyond the shards help whoever has work for them.
    int threads = config.threads() - shards.most() + 1;
    try (OrtSession.SessionOptions options = OnnxRuntime.options(device, threads, true)) {
      return environment.createSession(model, options);
    }
  }

  private void makeTensors() throws OrtException {
    for (WeightState state : List.of(weights, statistics)) {
      for (Map.Entry<String, WeightState.Place> e : state.places().entrySet()) {
        long[] shape = e.getValue().shape().sizes();
        weightTensors.put(e.getKey(), keep(tensor(state.buffer(e.getKey()), shape)));
      }
    }
    for (int shard = 0; shard < trainShards.most(); shard++) {
      Map<String, OnnxTensor> own = new LinkedHashMap<>();
      for (Map.Entry<String, WeightState.Place> e : weights.places().entrySet()) {
        FloatBuffer gradient = weights.gradient(shard, e.getKey());
        own.put("grad/" + e.getKey(), keep(tensor(gradient, e.getValue().shape().sizes())));
      }
      results.add(own);
    }
    // The new statistics land where gradients would; a step takes them over.
    for (Map.Entry<String, WeightState.Place> e : statistics.places().entrySet()) {
      FloatBuffer landing = statistics.gradient(0, e.getKey());
      results
          .getFirst()
          .put("new/" + e.getKey(), keep(tensor(landing, e.getValue().shape().sizes())));
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
    int shards = trainShards.count(count);
    List<RowBlock> inputs = inputs(batch);
    addLabels(inputs, batch);
    addMasks(inputs, count, next);
    List<RowBlock> outputs = new ArrayList<>();
    ByteBuffer probabilities = buffers.bytes("probabilities", count * tasks() * Float.BYTES);
    outputs.add(new RowBlock("probabilities", probabilities, OnnxJavaType.FLOAT, tasks()));
    for (String slots : train.lookups()) {
      long[] tail = lookupTail(slots);
      Floats gradients =
          lookupGradients.computeIfAbsent(
              slots, s -> new Floats(arena, tail[0] * tail[1] * config.batch()));
      ByteBuffer bytes = gradients.bytes(0, count * tail[0] * tail[1]);
      outputs.add(new RowBlock("grad/" + slots, bytes, OnnxJavaType.FLOAT, tail));
    }
    FloatBuffer losses = buffers.floats("loss", shards);
    run(
        "training step " + next,
        trainer,
        count,
        shards,
        inputs,
        outputs,
        (run, shard) -> {
          run.output("loss", tensor(losses.slice(shard, 1)));
          results.get(shard).forEach(run::shared);
        });
    double sum = 0;
    for (int shard = 0; shard < shards; shard++) {
      sum += losses.get(shard);
    }
    float loss = (float) sum;
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
        .forEach(name -> statistics.buffer(name).put(statistics.gradient(0, name)));
    rows.clearGradients();
    for (String slots : train.lookups()) {
      int positions = Math.toIntExact(count * lookupTail(slots)[0]);
      rows.add(group(slots), buffers.slots(slots), positions, gradients(slots));
    }
    double norm = rows.finishGradients();
    double scale = 1;
    if (config.clipNorm() > 0) {
      // As PyTorch's clip_grad_norm_, which the published configurations use.
      scale =
          Math.min(1, config.clipNorm() / (Math.sqrt(norm + weights.squaredNorm(shards)) + 1e-6));
    }
    weights.update(shards, scale, config.dense().learningRate() * factor * warmUp, next);
    rows.update(scale, config.rows().optimizer().learningRate() * factor * warmUp, next);
    step = next;
    return new Step(loss, copied(probabilities));
  }

  /** Probabilities [B, tasks] of {@code batch} by the weights as they are, without training. */
  public float[] score(EncodedExamples batch) {
    rows.bind(batch, false);
    int count = batch.rows();
    int shards = scoreShards.count(count);
    List<RowBlock> inputs = inputs(batch);
    if (scorer.getInputNames().contains("context_of")) {
      // Each range brings its own contexts, counted from 0.
      int[] own = new int[count];
      for (int i = 0, shard = 0; i < count; i++) {
        shard += shard + 1 < shards && i == Shards.first(count, shards, shard + 1) ? 1 : 0;
        own[i] = i - Shards.first(count, shards, shard);
      }
      inputs.add(
          new RowBlock("context_of", buffers.ints("context_of", own, count), OnnxJavaType.INT32));
    }
    ByteBuffer out = buffers.bytes("probabilities", count * tasks() * Float.BYTES);
    RowBlock probabilities = new RowBlock("probabilities", out, OnnxJavaType.FLOAT, tasks());
    run("scoring", scorer, count, shards, inputs, List.of(probabilities), (_, _) -> {});
    return copied(out);
  }

  private static float[] copied(ByteBuffer floats) {
    float[] values = new float[floats.capacity() / Float.BYTES];
    floats.asFloatBuffer().get(0, values);
    return values;
  }

  /** What a run takes beside its rows. */
  private interface Extra {
    void addTo(Run run, int shard) throws OrtException;
  }

  /** Runs every range of the batch's rows, each on a thread of its own. */
  private void run(
      String what,
      OrtSession session,
      int count,
      int shards,
      List<RowBlock> inputs,
      List<RowBlock> outputs,
      Extra extra) {
    workers.run(
        part -> {
          if (part >= shards) {
            return;
          }
          int from = Shards.first(count, shards, part);
          int to = Shards.first(count, shards, part + 1);
          try (Run run = new Run()) {
            weightTensors.forEach(run::sharedInput);
            for (int group = 0; group < layout.groups().size(); group++) {
              int width = layout.groups().get(group).width();
              run.input(
                  "rows." + layout.groups().get(group).name(),
                  tensor(rows.rows(group), rows.size(group), width));
            }
            for (RowBlock input : inputs) {
              run.input(input.name(), input.rows(environment, from, to));
            }
            for (RowBlock output : outputs) {
              run.output(output.name(), output.rows(environment, from, to));
            }
            extra.addTo(run, part);
            run.execute(session);
          } catch (OrtException e) {
            throw new IllegalStateException(what + " failed: " + e.getMessage(), e);
          }
        });
  }

  private void addLabels(List<RowBlock> inputs, EncodedExamples batch) {
    int tasks = tasks();
    int length = batch.rows() * tasks;
    ByteBuffer labels = buffers.floats("labels", batch.labels(), length);
    inputs.add(new RowBlock("labels", labels, OnnxJavaType.FLOAT, tasks));
    double[] totals = new double[tasks];
    for (int i = 0; i < length; i++) {
      totals[i % tasks] += batch.labelWeights()[i];
    }
    ByteBuffer shares = buffers.bytes("label_shares", length * Float.BYTES);
    for (int i = 0; i < length; i++) {
      // A task without any example in the batch has no share.
      double total = totals[i % tasks];
      shares.putFloat(i * Float.BYTES, total == 0 ? 0 : (float) (batch.labelWeights()[i] / total));
    }
    inputs.add(new RowBlock("label_shares", shares, OnnxJavaType.FLOAT, tasks));
  }

  private void addMasks(List<RowBlock> inputs, int count, long next) {
    for (int i = 0; i < train.masks().size(); i++) {
      Network.DropoutMask mask = train.masks().get(i);
      String name = mask.mask().name();
      int width = (int) mask.mask().dim(1).size();
      ByteBuffer bytes = buffers.bytes(name, count * width);
      Dropout.fill(workers, bytes, count * width, mask.rate(), config.seed(), next, i);
      inputs.add(new RowBlock(name, bytes, OnnxJavaType.BOOL, width));
    }
  }

  private List<RowBlock> inputs(EncodedExamples batch) {
    List<RowBlock> inputs = new ArrayList<>();
    for (Scope scope : Scope.values()) {
      EncodedRows encoded = scope == Scope.CONTEXT ? batch.context() : batch.candidate();
      for (int group = 0; group < layout.groups().size(); group++) {
        if (layout.slotWidth(scope, group) > 0) {
          addSlots(inputs, scope, group, encoded);
        }
      }
      int width = layout.denseWidth(scope);
      if (width > 0) {
        String name = "dense." + suffix(scope);
        ByteBuffer dense = buffers.floats(name, encoded.dense(), encoded.rows() * width);
        inputs.add(new RowBlock(name, dense, OnnxJavaType.FLOAT, width));
      }
    }
    return inputs;
  }

  private void addSlots(List<RowBlock> inputs, Scope scope, int group, EncodedRows encoded) {
    String name = suffix(scope) + "." + layout.groups().get(group).name();
    int columns = layout.slotWidth(scope, group);
    int count = encoded.rows() * columns;
    int[] slots = buffers.slots("slots." + name, count);
    rows.slots(scope, group, encoded, slots);
    ByteBuffer direct = buffers.ints("slots." + name, slots, count);
    inputs.add(new RowBlock("slots." + name, direct, OnnxJavaType.INT32, columns));
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
      ByteBuffer weighted = buffers.floats("weights." + name, factors, count);
      inputs.add(new RowBlock("weights." + name, weighted, OnnxJavaType.FLOAT, columns));
    }
  }

  /** The shape of a looked-up example's rows: its id positions and their width. */
  private long[] lookupTail(String slots) {
    int group = group(slots);
    Scope scope =
        slots.startsWith("slots." + suffix(Scope.CONTEXT) + ".") ? Scope.CONTEXT : Scope.CANDIDATE;
    return new long[] {layout.slotWidth(scope, group), layout.groups().get(group).width()};
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
