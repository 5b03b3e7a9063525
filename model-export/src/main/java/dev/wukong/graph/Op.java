package dev.wukong.graph;

import java.util.List;

/**
 * The operators, one record each; attributes are components. Elementwise operators broadcast. Names
 * and meanings are those of the ONNX operator of the same name unless said otherwise; what ONNX
 * takes as small constant inputs (axes, shapes, bounds) are attributes here.
 */
public sealed interface Op {
  record Constant(TensorData value) implements Op {}

  // Elementwise, two inputs.
  record Add() implements Op {}

  record Sub() implements Op {}

  record Mul() implements Op {}

  record Div() implements Op {}

  record Max() implements Op {}

  record Min() implements Op {}

  /** Bool result. */
  record Greater() implements Op {}

  /** Bool result. */
  record Equal() implements Op {}

  // Elementwise, one input.
  record Neg() implements Op {}

  record Abs() implements Op {}

  record Sign() implements Op {}

  record Exp() implements Op {}

  record Log() implements Op {}

  record Sqrt() implements Op {}

  record Reciprocal() implements Op {}

  record Relu() implements Op {}

  record Sigmoid() implements Op {}

  record Tanh() implements Op {}

  record Softplus() implements Op {}

  record Not() implements Op {}

  record Cast(DataType to) implements Op {}

  /** Inputs: condition (bool), value where true, value where false. */
  record Where() implements Op {}

  // Products.

  /** The matrix product of the last two axes, others broadcast. */
  record MatMul() implements Op {}

  /** A B or A B + C for matrices, each of A and B transposed first where asked. */
  record Gemm(boolean transA, boolean transB) implements Op {}

  // Reductions. An empty list of axes means all.
  record ReduceSum(List<Integer> axes, boolean keepDims) implements Op {}

  record ReduceMean(List<Integer> axes, boolean keepDims) implements Op {}

  /** Softmax over one axis. */
  record Softmax(int axis) implements Op {}

  /**
   * Over the last axis. Inputs x, scale, bias; outputs y, mean, inverse standard deviation (both
   * with a last axis of 1).
   */
  record LayerNormalization(float epsilon) implements Op {}

  // Shapes.

  /** To {@code shape}, which may have one symbolic dimension. */
  record Reshape(Shape shape) implements Op {}

  record Transpose(List<Integer> perm) implements Op {}

  record Concat(int axis) implements Op {}

  /** Cuts {@code axis} into parts of {@code sizes}, one output each. */
  record Split(int axis, List<Long> sizes) implements Op {}

  /** Inputs x, like: x broadcast to the shape of {@code like}. */
  record ExpandLike() implements Op {}

  /**
   * The number of elements along {@code axes} of the input, as a scalar of the input's type. ONNX:
   * Shape, Gather, ReduceProd, Cast.
   */
  record Count(List<Integer> axes) implements Op {}

  // Lookups along axis 0.

  /** Inputs data [U, ...], indices [...] (int32 or int64). */
  record Gather() implements Op {}

  /**
   * Inputs like [U, ...], indices [...], updates [indices..., like's other dims]: zeros shaped as
   * {@code like} with every update added to its row. How it is lowered depends on {@link Lowering}.
   */
  record ScatterAdd() implements Op {}

  // Repetition.

  /**
   * Runs {@code body} once for each element of axis 0 of the scanned inputs, in order. Inputs: the
   * start of each carried value, then the scanned inputs [K, ...]. Outputs: the last of each
   * carried value, then what the body's other outputs were, stacked to [K, ...].
   *
   * <p>The body is a graph of its own without parameters. Its first {@code carried} inputs and
   * outputs are the carried values, in one order and of unchanging type and shape; its other inputs
   * are one element each of the scanned inputs, without axis 0. It reads nothing but its inputs:
   * what it needs of the graph around it is given to it as a carried value. Symbols mean the same
   * inside and outside. Not differentiable: it is built after differentiation, around gradients.
   */
  record Scan(Graph body, int carried) implements Op {
    @Override
    public String toString() {
      return "Scan[body=" + body.name() + ", carried=" + carried + "]";
    }
  }
}
