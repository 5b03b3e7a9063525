package dev.wukong.bundle;

import java.util.Set;

/**
 * The operators a ranking graph may use. What is missing here on purpose: operators that read
 * files, hold strings or sequences, loop without a bound, draw random numbers, or carry an engine's
 * own compiled code; and, but for ConstantOfShape and Expand, whose shapes {@link FilledShapes}
 * bounds, those that make a tensor of any size from a few numbers.
 */
final class AllowedOperators {
  /** The standard domain; {@code ai.onnx} is its long name. */
  private static final Set<String> STANDARD =
      Set.of(
          // Arithmetic
          "Abs",
          "Add",
          "BitShift",
          "BitwiseAnd",
          "BitwiseNot",
          "BitwiseOr",
          "BitwiseXor",
          "Ceil",
          "Clip",
          "Cos",
          "CumSum",
          "Div",
          "Einsum",
          "Erf",
          "Exp",
          "Floor",
          "Gemm",
          "Log",
          "MatMul",
          "Max",
          "Mean",
          "Min",
          "Mod",
          "Mul",
          "Neg",
          "Pow",
          "Reciprocal",
          "Round",
          "Sign",
          "Sin",
          "Sqrt",
          "Sub",
          "Sum",
          // Activations and normalization
          "BatchNormalization",
          "Elu",
          "Gelu",
          "HardSigmoid",
          "HardSwish",
          "LayerNormalization",
          "LeakyRelu",
          "LogSoftmax",
          "Mish",
          "PRelu",
          "RMSNormalization",
          "Relu",
          "Selu",
          "Sigmoid",
          "Softmax",
          "Softplus",
          "Softsign",
          "Swish",
          "Tanh",
          // Comparison and choice
          "And",
          "ArgMax",
          "ArgMin",
          "Equal",
          "Greater",
          "GreaterOrEqual",
          "IsInf",
          "IsNaN",
          "Less",
          "LessOrEqual",
          "Not",
          "Or",
          "TopK",
          "Where",
          "Xor",
          // Reduction
          "ReduceL1",
          "ReduceL2",
          "ReduceLogSum",
          "ReduceLogSumExp",
          "ReduceMax",
          "ReduceMean",
          "ReduceMin",
          "ReduceProd",
          "ReduceSum",
          "ReduceSumSquare",
          // Shape and place
          "Cast",
          "CastLike",
          "Concat",
          "Constant",
          "ConstantOfShape",
          "Expand",
          "Flatten",
          "Gather",
          "GatherElements",
          "GatherND",
          "Identity",
          "Reshape",
          "ScatterElements",
          "ScatterND",
          "Shape",
          "Size",
          "Slice",
          "Split",
          "Squeeze",
          "Transpose",
          "Trilu",
          "Unsqueeze",
          // Eight-bit weights
          "DequantizeLinear",
          "DynamicQuantizeLinear",
          "MatMulInteger",
          "QLinearMatMul",
          "QuantizeLinear");

  /** Several minibatches in one run: a graph within the graph, which prediction has no use for. */
  private static final String SCAN = "Scan";

  /** Fused forms of the above in ONNX Runtime's own domain. */
  private static final Set<String> MICROSOFT =
      Set.of(
          "BiasGelu",
          "DynamicQuantizeMatMul",
          "FastGelu",
          "FusedGemm",
          "FusedMatMul",
          "Gelu",
          "MatMulIntegerToFloat",
          "MatMulNBits",
          "QuickGelu",
          "SkipLayerNormalization");

  private AllowedOperators() {}

  static boolean isDomain(String domain) {
    return isStandard(domain) || domain.equals("com.microsoft");
  }

  static boolean isStandard(String domain) {
    return domain.isEmpty() || domain.equals("ai.onnx");
  }

  /**
   * Whether {@code operator} of an allowed domain is on the list.
   *
   * @param training whether the graph is one to train with
   */
  static boolean isAllowed(String domain, String operator, boolean training) {
    return (isStandard(domain) ? STANDARD : MICROSOFT).contains(operator)
        || (training && hasBody(domain, operator));
  }

  /** Whether {@code operator} has a graph as an attribute; no other may. */
  static boolean hasBody(String domain, String operator) {
    return isStandard(domain) && operator.equals(SCAN);
  }
}
