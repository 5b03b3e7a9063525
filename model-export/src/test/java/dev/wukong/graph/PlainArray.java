package dev.wukong.graph;

import java.util.Arrays;
import java.util.function.ToDoubleFunction;

/** Numbers with a shape, row-major, all held as doubles; true is 1. */
public record PlainArray(int[] shape, double[] values) {
  public PlainArray {
    if (size(shape) != values.length) {
      throw new IllegalArgumentException(
          Arrays.toString(shape) + " and " + values.length + " values");
    }
  }

  public static PlainArray of(int[] shape, ToDoubleFunction<int[]> element) {
    double[] values = new double[size(shape)];
    for (int i = 0; i < values.length; i++) {
      values[i] = element.applyAsDouble(index(i, shape));
    }
    return new PlainArray(shape, values);
  }

  public static PlainArray scalar(double value) {
    return new PlainArray(new int[0], new double[] {value});
  }

  public int rank() {
    return shape.length;
  }

  /**
   * The element that broadcasting puts at {@code index}: aligned to the right, axes of 1 stretched.
   */
  public double at(int... index) {
    int flat = 0;
    for (int i = 0; i < shape.length; i++) {
      flat = flat * shape[i] + (shape[i] == 1 ? 0 : index[index.length - shape.length + i]);
    }
    return values[flat];
  }

  public PlainArray plus(PlainArray other) {
    return of(shape, i -> at(i) + other.at(i));
  }

  public PlainArray times(double factor) {
    return of(shape, i -> at(i) * factor);
  }

  public double dot(PlainArray other) {
    double sum = 0;
    for (int i = 0; i < values.length; i++) {
      sum += values[i] * other.values[i];
    }
    return sum;
  }

  public double largest() {
    return Arrays.stream(values).map(Math::abs).max().orElse(0);
  }

  public static int size(int[] shape) {
    return Arrays.stream(shape).reduce(1, Math::multiplyExact);
  }

  public static int[] index(int flat, int[] shape) {
    int[] index = new int[shape.length];
    int rest = flat;
    for (int i = shape.length - 1; i >= 0; i--) {
      index[i] = rest % shape[i];
      rest /= shape[i];
    }
    return index;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PlainArray(int[] s, double[] v)
        && Arrays.equals(s, shape)
        && Arrays.equals(v, values);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(shape) + Arrays.hashCode(values);
  }

  @Override
  public String toString() {
    return Arrays.toString(shape) + (values.length <= 64 ? Arrays.toString(values) : "");
  }
}
