package dev.wukong.graph;

import java.util.Arrays;

/**
 * The numbers of a constant or a parameter, row-major, with a fixed shape. Kept as doubles for the
 * small constants of a graph and as floats for weights.
 */
public sealed interface TensorData {
  DataType type();

  Shape shape();

  /** Element {@code i} as a double. */
  double at(int i);

  default int length() {
    return Math.toIntExact(shape().elements().size());
  }

  /**
   * Float weights. The array is not copied: its owner must not change it while a graph is being
   * written.
   */
  record Floats(Shape shape, float[] values) implements TensorData {
    public Floats {
      check(shape, values.length);
    }

    @Override
    public DataType type() {
      return DataType.FLOAT;
    }

    @Override
    public double at(int i) {
      return values[i];
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Floats(Shape s, float[] v)
          && s.equals(shape)
          && Arrays.equals(v, values);
    }

    @Override
    public int hashCode() {
      return 31 * shape.hashCode() + Arrays.hashCode(values);
    }

    @Override
    public String toString() {
      return "floats" + shape;
    }
  }

  /** Numbers of any type, held as doubles (exact for every type here up to 2^53). */
  record Numbers(DataType type, Shape shape, double[] values) implements TensorData {
    public Numbers {
      check(shape, values.length);
    }

    @Override
    public double at(int i) {
      return values[i];
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Numbers(DataType t, Shape s, double[] v)
          && t == type
          && s.equals(shape)
          && Arrays.equals(v, values);
    }

    @Override
    public int hashCode() {
      return 31 * (31 * shape.hashCode() + type.hashCode()) + Arrays.hashCode(values);
    }

    @Override
    public String toString() {
      return type + "" + shape + (values.length <= 8 ? Arrays.toString(values) : "");
    }
  }

  private static void check(Shape shape, int length) {
    if (shape.elements().size() != length) {
      throw new IllegalArgumentException("shape " + shape + " has not " + length + " elements");
    }
  }
}
