package dev.wukong.graph;

import org.jspecify.annotations.Nullable;

/**
 * A value of a graph under construction: a name, a type, a shape. Made by {@link GraphBuilder}
 * alone; equal only to itself.
 */
public final class Tensor {
  private final GraphBuilder owner;
  private final String name;
  private final DataType type;
  private final Shape shape;
  private @Nullable Node producer;

  Tensor(GraphBuilder owner, String name, DataType type, Shape shape) {
    this.owner = owner;
    this.name = name;
    this.type = type;
    this.shape = shape;
  }

  void producedBy(Node node) {
    producer = node;
  }

  GraphBuilder owner() {
    return owner;
  }

  public String name() {
    return name;
  }

  public DataType type() {
    return type;
  }

  public Shape shape() {
    return shape;
  }

  public int rank() {
    return shape.rank();
  }

  public Dim dim(int axis) {
    return shape.dim(axis);
  }

  /** The node that computes it; null for an input or a parameter. */
  public @Nullable Node producer() {
    return producer;
  }

  /** Whether it is a constant of nothing but {@code value}. */
  public boolean filledWith(double value) {
    if (producer != null && producer.op() instanceof Op.Constant(TensorData data)) {
      for (int i = 0; i < data.length(); i++) {
        if (data.at(i) != value) {
          return false;
        }
      }
      return true;
    }
    return false;
  }

  @Override
  public String toString() {
    return name + " " + type + shape;
  }
}
