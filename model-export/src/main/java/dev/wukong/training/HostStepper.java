package dev.wukong.training;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.wukong.config.ConfigException;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import dev.wukong.objective.TrainGraph;
import dev.wukong.ranker.RankerInputs;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The graph gives gradients, and the optimizers are Java: every tensor lies in memory that both
 * sides see, so that nothing is copied and each weight is read once. The quicker way on a CPU. One
 * minibatch a run.
 */
final class HostStepper implements Stepper {
  private final TrainGraph train;
  private final TrainState state;
  private final OrtSession session;
  private final Shards shards;
  private final BatchRunner runner;
  private final BatchInputs inputs;

  /** By shard, the tensors in which gradients and new statistics arrive. */
  private final List<Map<String, OnnxTensor>> results = new ArrayList<>();

  private final Map<RankerInputs.Lookup, Floats> lookupGradients = new LinkedHashMap<>();

  /**
   * Steps on {@code state}.
   *
   * @param session of {@code train}'s graph
   * @param shards of the minibatches; the weights have gradients for so many
   * @param opened closes what this opens
   */
  HostStepper(
      TrainGraph train,
      TrainState state,
      OrtSession session,
      Shards shards,
      BatchRunner runner,
      BatchInputs inputs,
      Opened opened)
      throws OrtException {
    this.train = train;
    this.state = state;
    this.session = session;
    this.shards = shards;
    this.runner = runner;
    this.inputs = inputs;
    for (int shard = 0; shard < shards.most(); shard++) {
      Map<String, OnnxTensor> own = new LinkedHashMap<>();
      for (Map.Entry<String, WeightState.Place> e : state.weights().places().entrySet()) {
        FloatBuffer gradient = state.weights().gradient(shard, e.getKey());
        own.put(
            "grad/" + e.getKey(), opened.add(Run.tensor(gradient, e.getValue().shape().sizes())));
      }
      results.add(own);
    }
    // The new statistics land where gradients would; a step takes them over.
    for (Map.Entry<String, WeightState.Place> e : state.statistics().places().entrySet()) {
      FloatBuffer landing = state.statistics().gradient(0, e.getKey());
      results
          .getFirst()
          .put("new/" + e.getKey(), opened.add(Run.tensor(landing, e.getValue().shape().sizes())));
    }
  }

  /**
   * Refuses a batch whose gradients do not fit into a tensor's memory.
   *
   * @throws ConfigException where they do not; the message says the most that would
   */
  static void check(InputLayout layout, TrainingConfig config) {
    for (int group = 0; group < layout.groups().size(); group++) {
      int width = layout.groups().get(group).width();
      for (Scope scope : Scope.values()) {
        long embeddings = layout.slotWidth(scope, group);
        long most = Integer.MAX_VALUE / Math.max(1, embeddings * width * Float.BYTES);
        if (config.batch() > most) {
          throw new ConfigException(
              "training.batch is %,d, but an example has %,d embeddings of width %d and their gradients must fit into 2 GiB; want at most %,d"
                  .formatted(config.batch(), embeddings, width, most));
        }
      }
    }
  }

  @Override
  public List<TrainSession.Step> run(EncodedExamples batch, Steps steps) {
    if (steps.count() != 1) {
      throw new IllegalArgumentException(steps.count() + " minibatches in a run, want 1");
    }
    state.rows().bind(batch, true);
    int count = shards.count(batch.rows());
    TrainSession.Step result = gradients(batch, count, steps.first());
    Stepper.checkFinite(result.loss(), steps.first());
    update(batch, count, steps.first(), steps.factors()[0]);
    return List.of(result);
  }

  private TrainSession.Step gradients(EncodedExamples batch, int shards, long step) {
    int count = batch.rows();
    List<RowBlock> in = new ArrayList<>(inputs.features(batch));
    addLabels(in, batch);
    in.addAll(inputs.masks(train.masks(), count, 1, step));
    List<RowBlock> out = new ArrayList<>();
    ByteBuffer probabilities =
        state.buffers().bytes("probabilities", count * state.tasks() * Float.BYTES);
    out.add(new RowBlock("probabilities", probabilities, OnnxJavaType.FLOAT, state.tasks()));
    for (RankerInputs.Lookup lookup : train.lookups()) {
      long ids = positions(lookup);
      long width = state.layout().groups().get(lookup.group()).width();
      ByteBuffer bytes = gradients(lookup).bytes(0, count * ids * width);
      out.add(new RowBlock("grad/" + lookup.slots(), bytes, OnnxJavaType.FLOAT, ids, width));
    }
    FloatBuffer losses = state.buffers().floats("loss", shards);
    runner.run(
        "training step " + step,
        session,
        count,
        shards,
        in,
        out,
        (run, shard) -> {
          run.output("loss", Run.tensor(losses.slice(shard, 1)));
          results.get(shard).forEach(run::shared);
        });
    double sum = 0;
    for (int shard = 0; shard < shards; shard++) {
      sum += losses.get(shard);
    }
    return new TrainSession.Step((float) sum, Buffers.copied(probabilities));
  }

  private void addLabels(List<RowBlock> in, EncodedExamples batch) {
    int tasks = state.tasks();
    int length = batch.rows() * tasks;
    in.add(inputs.floats("labels", batch.labels(), batch.rows(), tasks));
    double[] totals = new double[tasks];
    for (int i = 0; i < length; i++) {
      totals[i % tasks] += batch.labelWeights()[i];
    }
    ByteBuffer shares = state.buffers().bytes("label_shares", length * Float.BYTES);
    for (int i = 0; i < length; i++) {
      // A task without any example in the batch has no share.
      double total = totals[i % tasks];
      shares.putFloat(i * Float.BYTES, total == 0 ? 0 : (float) (batch.labelWeights()[i] / total));
    }
    in.add(new RowBlock("label_shares", shares, OnnxJavaType.FLOAT, tasks));
  }

  private void update(EncodedExamples batch, int shards, long step, double factor) {
    WeightState weights = state.weights();
    WeightState statistics = state.statistics();
    RowTrainer rows = state.rows();
    TrainingConfig config = state.config();
    statistics
        .places()
        .keySet()
        .forEach(name -> statistics.buffer(name).put(statistics.gradient(0, name)));
    rows.clearGradients();
    for (RankerInputs.Lookup lookup : train.lookups()) {
      int positions = Math.multiplyExact(batch.rows(), positions(lookup));
      int[] slots = state.buffers().slots(lookup.slots());
      rows.add(lookup.group(), slots, positions, gradients(lookup));
    }
    double norm = rows.finishGradients();
    double scale = 1;
    if (config.clipNorm() > 0) {
      // As PyTorch's clip_grad_norm_, which the published configurations use.
      scale =
          Math.min(1, config.clipNorm() / (Math.sqrt(norm + weights.squaredNorm(shards)) + 1e-6));
    }
    weights.update(shards, scale, config.dense().learningRate() * factor, step);
    rows.update(scale, config.rows().optimizer().learningRate() * factor, step);
  }

  /** Id positions of an example. */
  private int positions(RankerInputs.Lookup lookup) {
    return state.layout().slotWidth(lookup.scope(), lookup.group());
  }

  /** Room for the gradients of every id position of a minibatch. */
  private Floats gradients(RankerInputs.Lookup lookup) {
    long width = state.layout().groups().get(lookup.group()).width();
    long length = positions(lookup) * width * state.config().batch();
    return lookupGradients.computeIfAbsent(lookup, _ -> new Floats(state.arena(), length));
  }
}
