package dev.wukong.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The dimensions of a tensor; none for a scalar. */
public record Shape(List<Dim> dims) {
  public static final Shape SCALAR = new Shape(List.of());

  public Shape {
    dims = List.copyOf(dims);
  }

  public static Shape of(Dim... dims) {
    return new Shape(List.of(dims));
  }

  public static Shape of(long... sizes) {
    return new Shape(Arrays.stream(sizes).mapToObj(Dim::of).toList());
  }

  public int rank() {
    return dims.size();
  }

  /** The dimension at {@code axis}; negative axes count from the end. */
  public Dim dim(int axis) {
    return dims.get(axis(axis));
  }

  /**
   * {@code axis} as a non-negative number.
   *
   * @throws IllegalArgumentException where the shape has no such axis
   */
  public int axis(int axis) {
    int result = axis < 0 ? axis + rank() : axis;
    if (result < 0 || result >= rank()) {
      throw new IllegalArgumentException("axis " + axis + " of shape " + this);
    }
    return result;
  }

  /** The product of all dimensions. */
  public Dim elements() {
    return dims.stream().reduce(Dim.of(1), Dim::times);
  }

  /** The fixed sizes. */
  public long[] sizes() {
    return dims.stream().mapToLong(Dim::size).toArray();
  }

  public Shape with(int axis, Dim dim) {
    List<Dim> result = new ArrayList<>(dims);
    result.set(axis(axis), dim);
    return new Shape(result);
  }

  public Shape without(int axis) {
    List<Dim> result = new ArrayList<>(dims);
    result.remove(axis(axis));
    return new Shape(result);
  }

  /** The dimensions from {@code from} (inclusive) to {@code to} (exclusive). */
  public Shape slice(int from, int to) {
    return new Shape(dims.subList(from, to));
  }

  public Shape concat(Shape other) {
    List<Dim> result = new ArrayList<>(dims);
    result.addAll(other.dims);
    return new Shape(result);
  }

  /**
   * The shape of an elementwise result of the two, by ONNX's (numpy's) broadcasting.
   *
   * @throws IllegalArgumentException where they do not broadcast
   */
  public Shape broadcast(Shape other) {
    int rank = Math.max(rank(), other.rank());
    List<Dim> result = new ArrayList<>();
    for (int i = rank; i > 0; i--) {
      Dim a = i <= rank() ? dims.get(rank() - i) : Dim.of(1);
      Dim b = i <= other.rank() ? other.dims.get(other.rank() - i) : Dim.of(1);
      if (a.equals(b) || b.one()) {
        result.add(a);
      } else if (a.one()) {
        result.add(b);
      } else {
        throw new IllegalArgumentException(
            "shapes " + this + " and " + other + " do not broadcast");
      }
    }
    return new Shape(result);
  }

  @Override
  public String toString() {
    return dims.toString();
  }
}
