package dev.wukong.training;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import dev.wukong.bundle.Precision;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.InputLayout;
import dev.wukong.data.InputNames;
import dev.wukong.runtime.OnnxRuntime;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;

/**
 * Makes the inputs that every graph shares, rows, slots, weights, numbers and {@code context_of},
 * from the encoded rows of a batch. Their memory is used again for the next batch. One thread at a
 * time.
 */
final class InputBinder {
  private final InputLayout layout;
  private final Precision precision;
  private final OrtEnvironment environment = OnnxRuntime.environment();
  private final Buffers buffers = new Buffers();
  private final FeatureBlocks features;
  private final boolean contexts;

  /**
   * The binder of a layout's graphs.
   *
   * @param precision of the graph: says in which type it takes its rows
   */
  InputBinder(InputLayout layout, Precision precision) {
    this.layout = layout;
    this.features = new FeatureBlocks(layout, buffers);
    this.precision = precision;
    this.contexts = layout.schema().hasContext();
  }

  /**
   * Adds the inputs to {@code run}, which closes their tensors; they are valid until the next call.
   *
   * @param context [R]
   * @param candidate [B]
   * @param contextOf [B] each candidate's context; not looked at where there are no context
   *     features
   */
  void bind(Run run, BatchRows rows, EncodedRows context, EncodedRows candidate, int[] contextOf)
      throws OrtException {
    // Before the rows: slots are asked for first.
    for (RowBlock block : features.of(rows, context, candidate)) {
      run.input(block.name(), block.whole(environment));
    }
    for (int group = 0; group < layout.groups().size(); group++) {
      bindRows(run, rows, group);
    }
    if (contexts) {
      String name = InputNames.CONTEXT_OF;
      ByteBuffer of = buffers.ints(name, contextOf, contextOf.length);
      run.input(name, new RowBlock(name, of, OnnxJavaType.INT32).whole(environment));
    }
  }

  private void bindRows(Run run, BatchRows rows, int group) throws OrtException {
    String name = InputNames.rows(layout.groups().get(group));
    int width = layout.groups().get(group).width();
    int size = rows.size(group);
    FloatBuffer values = rows.rows(group);
    run.input(
        name,
        switch (precision) {
          case FP32 -> Run.tensor(values, size, width);
          case FP16 ->
              OnnxTensor.createTensor(
                  environment,
                  halves(name, values, Math.multiplyExact(size, width)),
                  new long[] {size, width},
                  OnnxJavaType.FLOAT16);
        });
  }

  private ShortBuffer halves(String name, FloatBuffer values, int count) {
    ShortBuffer halves =
        buffers.bytes(name, Math.multiplyExact(count, Short.BYTES)).asShortBuffer();
    int from = values.position();
    for (int i = 0; i < count; i++) {
      halves.put(i, Float.floatToFloat16(values.get(from + i)));
    }
    return halves;
  }
}
