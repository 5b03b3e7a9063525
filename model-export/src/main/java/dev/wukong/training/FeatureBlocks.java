package dev.wukong.training;

import ai.onnxruntime.OnnxJavaType;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.IdColumns;
import dev.wukong.data.InputLayout;
import dev.wukong.data.InputNames;
import dev.wukong.data.Scope;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The encoded rows of a batch as the inputs that every graph shares: slots, weights of values, and
 * numbers. Their memory is used again for the next batch. One thread at a time.
 */
final class FeatureBlocks {
  private final InputLayout layout;
  private final Buffers buffers;

  FeatureBlocks(InputLayout layout, Buffers buffers) {
    this.layout = layout;
    this.buffers = buffers;
  }

  /**
   * The inputs, valid until the next call.
   *
   * @param rows gives the slots
   * @param context [R]
   * @param candidate [B]
   */
  List<RowBlock> of(BatchRows rows, EncodedRows context, EncodedRows candidate) {
    List<RowBlock> blocks = new ArrayList<>();
    for (Scope scope : Scope.values()) {
      EncodedRows encoded =
          switch (scope) {
            case CONTEXT -> context;
            case CANDIDATE -> candidate;
          };
      for (int group = 0; group < layout.groups().size(); group++) {
        if (layout.slotWidth(scope, group) > 0) {
          addSlots(blocks, rows, scope, group, encoded);
        }
      }
      int width = layout.denseWidth(scope);
      if (width > 0) {
        String name = InputNames.dense(scope);
        int count = Math.multiplyExact(encoded.rows(), width);
        ByteBuffer dense = buffers.floats(name, encoded.dense(), count);
        blocks.add(new RowBlock(name, dense, OnnxJavaType.FLOAT, width));
      }
    }
    return blocks;
  }

  private void addSlots(
      List<RowBlock> blocks, BatchRows rows, Scope scope, int group, EncodedRows encoded) {
    String name = InputNames.slots(scope, layout.groups().get(group));
    int width = layout.slotWidth(scope, group);
    int count = Math.multiplyExact(encoded.rows(), width);
    int[] slots = buffers.slots(name, count);
    rows.slots(scope, group, encoded, slots);
    ByteBuffer direct = buffers.ints(name, slots, count);
    blocks.add(new RowBlock(name, direct, OnnxJavaType.INT32, width));
    if (layout.weighted(scope, group)) {
      String own = InputNames.weights(scope, layout.groups().get(group));
      ByteBuffer bytes = buffers.bytes(own, Math.multiplyExact(count, Float.BYTES));
      FloatBuffer weights = bytes.asFloatBuffer();
      int positions = layout.positions(scope);
      for (IdColumns column : layout.columns(scope, group)) {
        for (int row = 0; row < encoded.rows(); row++) {
          weights.put(
              row * width + column.start(),
              encoded.weights(),
              row * positions + column.position(),
              column.width());
        }
      }
      blocks.add(new RowBlock(own, bytes, OnnxJavaType.FLOAT, width));
    }
  }
}
