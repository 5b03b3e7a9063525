package dev.wukong.training;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import dev.wukong.bundle.Precision;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.IdColumns;
import dev.wukong.data.InputLayout;
import dev.wukong.data.Scope;
import dev.wukong.runtime.OnnxRuntime;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.Locale;

/**
 * Makes the inputs that every graph shares, rows, slots, weights, numbers and {@code context_of},
 * from the encoded rows of a batch. Their memory is used again for the next batch. One thread at a
 * time.
 */
final class InputBinder {
  private final InputLayout layout;
  private final Precision precision;
  private final OrtEnvironment environment = OnnxRuntime.environment();
  private final Buffers buffers = new Buffers(0);
  private final boolean contexts;

  /**
   * The binder of a layout's graphs.
   *
   * @param precision of the graph: says in which type it takes its rows
   */
  InputBinder(InputLayout layout, Precision precision) {
    this.layout = layout;
    this.precision = precision;
    this.contexts = layout.schema().features().stream().anyMatch(f -> f.scope() == Scope.CONTEXT);
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
    for (int group = 0; group < layout.groups().size(); group++) {
      for (Scope scope : Scope.values()) {
        if (layout.slotWidth(scope, group) > 0) {
          bindSlots(run, rows, scope, group, of(scope, context, candidate));
        }
      }
      bindRows(run, rows, group);
    }
    for (Scope scope : Scope.values()) {
      int width = layout.denseWidth(scope);
      if (width > 0) {
        EncodedRows encoded = of(scope, context, candidate);
        String name = "dense." + suffix(scope);
        ByteBuffer dense = buffers.floats(name, encoded.dense(), encoded.rows() * width);
        run.input(name, floats(dense.asFloatBuffer(), encoded.rows(), width));
      }
    }
    if (contexts) {
      ByteBuffer of = buffers.ints("context_of", contextOf, contextOf.length);
      run.input("context_of", ints(of, contextOf.length));
    }
  }

  private void bindSlots(Run run, BatchRows rows, Scope scope, int group, EncodedRows encoded)
      throws OrtException {
    String name = suffix(scope) + "." + layout.groups().get(group).name();
    int width = layout.slotWidth(scope, group);
    int count = Math.multiplyExact(encoded.rows(), width);
    int[] slots = buffers.slots("slots." + name, count);
    rows.slots(scope, group, encoded, slots);
    ByteBuffer direct = buffers.ints("slots." + name, slots, count);
    run.input("slots." + name, ints(direct, encoded.rows(), width));
    if (layout.weighted(scope, group)) {
      FloatBuffer weights = buffers.floats("weights." + name, count);
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
      run.input("weights." + name, floats(weights, encoded.rows(), width));
    }
  }

  private void bindRows(Run run, BatchRows rows, int group) throws OrtException {
    String name = "rows." + layout.groups().get(group).name();
    int width = layout.groups().get(group).width();
    int size = rows.size(group);
    FloatBuffer values = rows.rows(group);
    run.input(
        name,
        switch (precision) {
          case FP32 -> floats(values, size, width);
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

  private static EncodedRows of(Scope scope, EncodedRows context, EncodedRows candidate) {
    return switch (scope) {
      case CONTEXT -> context;
      case CANDIDATE -> candidate;
    };
  }

  private OnnxTensor floats(FloatBuffer values, long... shape) throws OrtException {
    return OnnxTensor.createTensor(environment, values, shape);
  }

  private OnnxTensor ints(ByteBuffer values, long... shape) throws OrtException {
    return OnnxTensor.createTensor(environment, values, shape, OnnxJavaType.INT32);
  }

  private static String suffix(Scope scope) {
    return scope.name().toLowerCase(Locale.ROOT);
  }
}
