package dev.wukong.bundle;

import java.util.List;
import java.util.stream.IntStream;

/**
 * A dense float32 tensor on the heap, row-major. The array is not copied: who makes or reads one
 * agrees with its other users on who may change it.
 */
public final class FloatTensor {
  private final List<Long> shape;
  private final float[] data;

  private FloatTensor(List<Long> shape, float[] data) {
    this.shape = shape;
    this.data = data;
  }

  /**
   * The tensor of {@code shape} over {@code data}.
   *
   * @throws IllegalArgumentException if the shape does not hold {@code data.length} elements
   */
  public static FloatTensor of(float[] data, List<Long> shape) {
    long count = new TensorSpec("", DType.F32, shape).count();
    if (count != data.length) {
      throw new IllegalArgumentException(
          "shape %s holds %d elements, the array has %d".formatted(shape, count, data.length));
    }
    return new FloatTensor(List.copyOf(shape), data);
  }

  /** A tensor with the dimensions written out. */
  public static FloatTensor of(float[] data, int... shape) {
    return of(data, IntStream.of(shape).asLongStream().boxed().toList());
  }

  public List<Long> shape() {
    return shape;
  }

  public float[] data() {
    return data;
  }
}
