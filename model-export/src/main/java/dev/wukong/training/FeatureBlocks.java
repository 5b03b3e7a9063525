package dev.wukong.training;

import ai.onnxruntime.OnnxJavaType;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.IdColumns;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

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
        String name = "dense." + suffix(scope);
        int count = Math.multiplyExact(encoded.rows(), width);
        ByteBuffer dense = buffers.floats(name, encoded.dense(), count);
        blocks.add(new RowBlock(name, dense, OnnxJavaType.FLOAT, width));
      }
    }
    return blocks;
  }

  private void addSlots(
      List<RowBlock> blocks, BatchRows rows, Scope scope, int group, EncodedRows encoded) {
    String name = suffix(scope) + "." + layout.groups().get(group).name();
    int width = layout.slotWidth(scope, group);
    int count = Math.multiplyExact(encoded.rows(), width);
    int[] slots = buffers.slots("slots." + name, count);
    rows.slots(scope, group, encoded, slots);
    ByteBuffer direct = buffers.ints("slots." + name, slots, count);
    blocks.add(new RowBlock("slots." + name, direct, OnnxJavaType.INT32, width));
    if (layout.weighted(scope, group)) {
      ByteBuffer bytes = buffers.bytes("weights." + name, Math.multiplyExact(count, Float.BYTES));
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
      blocks.add(new RowBlock("weights." + name, bytes, OnnxJavaType.FLOAT, width));
    }
  }

  static String suffix(Scope scope) {
    return scope.name().toLowerCase(Locale.ROOT);
  }
}
