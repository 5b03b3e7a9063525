package dev.wukong.serving.engine;

import dev.wukong.runtime.device.Element;
import dev.wukong.serving.inputs.HostTensor.ElementType;

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
    ElementType type,
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
  int length(BatchShape shape) {
    return switch (axis) {
      case ROWS ->
          Math.toIntExact(
              1 + (long) shape.candidates() * perCandidate + (long) shape.contexts() * perContext);
      case CONTEXTS -> shape.contexts();
      case CANDIDATES -> shape.candidates();
    };
  }

  /** The shape of a tensor with {@code length} in its first dimension. */
  long[] shape(int length) {
    return columns == 0 ? new long[] {length} : new long[] {length, columns};
  }

  /** Bytes of one element of the first dimension. */
  long rowBytes() {
    return (long) Math.max(1, columns) * type.bytes();
  }

  Element element() {
    return switch (type) {
      case FLOAT32 -> Element.FLOAT32;
      case FLOAT16 -> Element.FLOAT16;
      case INT32 -> Element.INT32;
    };
  }
}
