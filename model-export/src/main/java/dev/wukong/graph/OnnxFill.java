package dev.wukong.graph;

/**
 * Zeros that a file asks for without holding them, counted over the whole file: a few bytes of it
 * can name any size.
 */
final class OnnxFill {
  private static final long MAX_TENSOR = 1 << 20;
  private static final long MAX_ALL = 1 << 22;

  private long made;

  /**
   * Zeros of a fixed shape.
   *
   * @throws IllegalArgumentException where it has too many elements, alone or with those before it
   */
  TensorData zeros(DataType type, Shape shape) {
    long elements = shape.elements().size();
    if (elements > MAX_TENSOR) {
      throw new IllegalArgumentException(
          "zeros of the shape " + shape + ": at most " + MAX_TENSOR + " elements are made");
    }
    made += elements;
    if (made > MAX_ALL) {
      throw new IllegalArgumentException(
          "zeros of the shape " + shape + ": at most " + MAX_ALL + " elements are made in all");
    }
    return new TensorData.Numbers(type, shape, new double[(int) elements]);
  }
}
