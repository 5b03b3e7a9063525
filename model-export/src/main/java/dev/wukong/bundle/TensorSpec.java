package dev.wukong.bundle;

import java.util.Arrays;
import java.util.List;

/** Name, element type and shape of a tensor in a safetensors file. */
public record TensorSpec(String name, DType type, List<Long> shape) {
  /**
   * A spec whose size has been checked.
   *
   * @throws IllegalArgumentException if a dimension is negative or the size overflows 63 bits
   */
  public TensorSpec {
    shape = List.copyOf(shape);
    byteSize(name, type, shape);
  }

  /** A spec with the dimensions written out. */
  public static TensorSpec of(String name, DType type, long... shape) {
    return new TensorSpec(name, type, Arrays.stream(shape).boxed().toList());
  }

  /** Elements: the product of the shape, 1 for a scalar. */
  public long count() {
    return byteSize() / type.bytes();
  }

  /** Bytes the tensor takes in the file. */
  public long byteSize() {
    return byteSize(name, type, shape);
  }

  private static long byteSize(String name, DType type, List<Long> shape) {
    long size = type.bytes();
    boolean empty = false;
    for (long dimension : shape) {
      if (dimension < 0) {
        throw new IllegalArgumentException(
            "tensor '%s' has shape %s, dimensions must not be negative".formatted(name, shape));
      }
      empty |= dimension == 0;
      try {
        size = Math.multiplyExact(size, Math.max(1, dimension));
      } catch (ArithmeticException e) {
        throw new IllegalArgumentException(
            "tensor '%s' has shape %s, whose size overflows".formatted(name, shape), e);
      }
    }
    return empty ? 0 : size;
  }
}
