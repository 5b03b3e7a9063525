package dev.wukong.graph;

import java.util.ArrayList;
import java.util.List;

/**
 * Dimensions as values: what the operator Shape gives, and the arithmetic that files do with it
 * before they reshape. Each element knows which axes of which tensors it is the product of.
 *
 * @param scalar whether it is a single number rather than a list of one
 */
record Sizes(List<Size> elements, boolean scalar) {
  /** One axis of a tensor, whose size is known only when the graph runs. */
  record Axis(Tensor tensor, int axis) {}

  /** A number times the sizes of some symbolic axes. */
  record Size(long factor, List<Axis> axes) {
    static Size of(long number) {
      return new Size(number, List.of());
    }

    boolean fixed() {
      return axes.isEmpty();
    }

    Size times(Size other) {
      // A file squares a size in a few bytes, again and again.
      OnnxValues.checkRank(axes.size() + (long) other.axes.size());
      List<Axis> all = new ArrayList<>(axes);
      all.addAll(other.axes);
      return new Size(Math.multiplyExact(factor, other.factor), List.copyOf(all));
    }

    /**
     * As a dimension.
     *
     * @throws IllegalArgumentException for a product of two symbols, or a negative number
     */
    Dim dim() {
      return axes.stream().map(a -> a.tensor().dim(a.axis())).reduce(Dim.of(factor), Dim::times);
    }
  }

  Sizes {
    elements = List.copyOf(elements);
  }

  static Sizes of(Tensor tensor) {
    List<Size> sizes = new ArrayList<>();
    for (int axis = 0; axis < tensor.rank(); axis++) {
      sizes.add(
          tensor.dim(axis).fixed()
              ? Size.of(tensor.dim(axis).size())
              : new Size(1, List.of(new Axis(tensor, axis))));
    }
    return new Sizes(sizes, false);
  }

  static Sizes of(TensorData data) {
    List<Size> sizes = new ArrayList<>();
    for (int i = 0; i < data.length(); i++) {
      sizes.add(Size.of((long) data.at(i)));
    }
    return new Sizes(sizes, data.shape().rank() == 0);
  }

  boolean fixed() {
    return elements.stream().allMatch(Size::fixed);
  }

  Size product() {
    return elements.stream().reduce(Size.of(1), Size::times);
  }

  /** The tensors whose axes occur. */
  List<Tensor> sources() {
    return elements.stream().flatMap(s -> s.axes().stream()).map(Axis::tensor).distinct().toList();
  }

  /** The numbers, where all are fixed. */
  TensorData numbers(DataType type) {
    double[] values = elements.stream().mapToDouble(Size::factor).toArray();
    return new TensorData.Numbers(type, scalar ? Shape.SCALAR : Shape.of(values.length), values);
  }
}
