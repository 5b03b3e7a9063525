package dev.wukong.bundle;

import dev.wukong.runtime.device.Element;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.random.RandomGenerator;

/**
 * An input of a predict graph.
 *
 * @param columns of a row; 0: it has one dimension
 * @param pointsInto the input whose rows its values name; empty: they name none
 * @param perCandidate of distinct rows: how many one candidate brings at most; else 0
 * @param perContext the same of a context
 */
public record GraphInput(
    String name,
    Element type,
    Axis axis,
    int columns,
    String pointsInto,
    int perCandidate,
    int perContext) {
  /** What the first dimension counts. */
  public enum Axis {
    /** Distinct rows of the batch, the padding row among them. */
    ROWS,
    CONTEXTS,
    CANDIDATES
  }

  /** The length of the first dimension of a run of {@code shape}, at most. */
  public int length(BatchShape shape) {
    return switch (axis) {
      case ROWS ->
          Math.toIntExact(
              1 + (long) shape.candidates() * perCandidate + (long) shape.contexts() * perContext);
      case CONTEXTS -> shape.contexts();
      case CANDIDATES -> shape.candidates();
    };
  }

  /** The shape of a tensor with {@code length} in its first dimension. */
  public long[] shape(int length) {
    return columns == 0 ? new long[] {length} : new long[] {length, columns};
  }

  /** Bytes of one element of the first dimension. */
  public long rowBytes() {
    return (long) Math.max(1, columns) * type.bytes();
  }

  /**
   * Makes up an input that no request brought, to try a graph with.
   *
   * @param host room for its first dimension of {@code length}
   * @param bound what its values lie below, where they name rows or contexts
   */
  public void fill(MemorySegment host, int length, int bound, RandomGenerator random) {
    int values = Math.multiplyExact(length, Math.max(1, columns));
    for (int i = 0; i < values; i++) {
      float number = (float) (random.nextDouble() - 0.5);
      switch (type) {
        case FLOAT32 -> host.setAtIndex(ValueLayout.JAVA_FLOAT, i, number);
        case FLOAT16 -> host.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(number));
        case BFLOAT16 ->
            host.setAtIndex(
                ValueLayout.JAVA_SHORT, i, (short) (Float.floatToRawIntBits(number) >>> 16));
        case INT32 -> host.setAtIndex(ValueLayout.JAVA_INT, i, random.nextInt(bound));
        case INT64, BOOL -> throw new IllegalStateException("input '" + name + "' is " + type);
      }
    }
  }
}
