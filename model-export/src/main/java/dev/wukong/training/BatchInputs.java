package dev.wukong.training;

import ai.onnxruntime.OnnxJavaType;
import dev.wukong.config.ConfigException;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import dev.wukong.ranker.Network;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Encoded examples as inputs of a graph, but for the embedding rows. The examples of several
 * minibatches lie one after the other. Owned by the training thread.
 */
final class BatchInputs {
  private final TrainState state;
  private final Buffers buffers;
  private final FeatureBlocks features;

  BatchInputs(TrainState state) {
    this.state = state;
    this.buffers = state.buffers();
    this.features = new FeatureBlocks(state.layout(), buffers);
  }

  /**
   * Refuses batches of which an input does not fit into a buffer.
   *
   * @param batch rows of a minibatch
   * @param perRun minibatches of a run
   * @throws ConfigException where one does not; the message says the most rows that would
   */
  static void check(InputLayout layout, int batch, int perRun) {
    for (Scope scope : Scope.values()) {
      for (int group = 0; group < layout.groups().size(); group++) {
        int ids = layout.slotWidth(scope, group);
        check(batch, perRun, ids, "ids of width " + layout.groups().get(group).width());
      }
      check(batch, perRun, layout.denseWidth(scope), "numbers");
    }
    check(batch, perRun, layout.schema().tasks().size(), "labels");
  }

  private static void check(int batch, int perRun, int width, String what) {
    long most = Integer.MAX_VALUE / Math.max(1, (long) width * perRun * Integer.BYTES);
    if (batch > most) {
      String run =
          perRun == 1
              ? ""
              : " and a run of the graph takes %,d (training.steps_per_run)".formatted(perRun);
      throw new ConfigException(
          "training.batch is %,d%s, but an example has %,d %s and those of a run must fit into 2 GiB; want at most %,d"
              .formatted(batch, run, width, what, most));
    }
  }

  /** Slots by the rows as bound, weights of values, and numbers. */
  List<RowBlock> features(EncodedExamples batch) {
    return features.of(state.rows(), batch.context(), batch.candidate());
  }

  /** All that steps take of {@code block} beside its rows: features, labels and dropout masks. */
  List<RowBlock> examples(
      EncodedExamples block, List<Network.DropoutMask> masks, Stepper.Steps steps) {
    int rows = block.rows();
    List<RowBlock> result = new ArrayList<>(features(block));
    result.add(floats("labels", block.labels(), rows, state.tasks()));
    result.add(floats("label_weights", block.labelWeights(), rows, state.tasks()));
    result.addAll(masks(masks, rows, steps.count(), steps.first()));
    return result;
  }

  /** Numbers [rows, width]. */
  RowBlock floats(String name, float[] values, int rows, int width) {
    ByteBuffer bytes = buffers.floats(name, values, Math.multiplyExact(rows, width));
    return new RowBlock(name, bytes, OnnxJavaType.FLOAT, width);
  }

  /**
   * Dropout masks, those of each minibatch as its step has them.
   *
   * @param rows of all minibatches
   * @param first the number of the first step
   */
  List<RowBlock> masks(List<Network.DropoutMask> masks, int rows, int minibatches, long first) {
    List<RowBlock> result = new ArrayList<>();
    for (int i = 0; i < masks.size(); i++) {
      Network.DropoutMask mask = masks.get(i);
      String name = mask.mask().name();
      int width = (int) mask.mask().dim(1).size();
      int length = Math.multiplyExact(rows / minibatches, width);
      ByteBuffer bytes = buffers.bytes(name, Math.multiplyExact(length, minibatches));
      for (int k = 0; k < minibatches; k++) {
        ByteBuffer own = bytes.slice(k * length, length);
        long seed = state.config().seed();
        Dropout.fill(state.workers(), own, length, mask.rate(), seed, first + k, i);
      }
      result.add(new RowBlock(name, bytes, OnnxJavaType.BOOL, width));
    }
    return result;
  }
}
