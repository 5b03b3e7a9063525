package dev.wukong.training;

import ai.onnxruntime.OnnxJavaType;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import dev.wukong.ranker.Network;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Encoded examples as inputs of a graph, but for the embedding rows. The examples of several
 * minibatches lie one after the other. Owned by the training thread.
 */
final class BatchInputs {
  private final InputLayout layout;
  private final TrainState state;
  private final Buffers buffers;

  BatchInputs(TrainState state) {
    this.state = state;
    this.layout = state.layout();
    this.buffers = state.buffers();
  }

  /** Slots by the rows as bound, weights of values, and numbers. */
  List<RowBlock> features(EncodedExamples batch) {
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
    state.rows().slots(scope, group, encoded, slots);
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

  static String suffix(Scope scope) {
    return scope.name().toLowerCase(Locale.ROOT);
  }
}
