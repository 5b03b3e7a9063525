package dev.wukong.bundle;

import dev.wukong.onnx.Attribute;
import dev.wukong.onnx.GraphProto;
import dev.wukong.onnx.NodeProto;
import dev.wukong.onnx.TensorProto;
import dev.wukong.onnx.ValueInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The shapes that ConstantOfShape and Expand fill, of the values that a node of a graph sees: each
 * must be a tensor's, which operator Shape gives, or a constant of a size that is allowed.
 */
final class FilledShapes {
  static final long MAX_ELEMENTS = 1L << 28;

  /** Outside of any graph. */
  static final FilledShapes NONE = new FilledShapes(null);

  private static final int MAX_RANK = 64;
  private static final int INT64 = 7;

  // What a value asks for as a shape.
  private static final long OF_A_TENSOR = 0;
  private static final long TOO_MANY = MAX_ELEMENTS + 1;
  private static final long UNKNOWN = Long.MAX_VALUE;

  private final @Nullable FilledShapes around;
  private final Map<String, Long> elements = new HashMap<>();

  private FilledShapes(@Nullable FilledShapes around) {
    this.around = around;
  }

  /** Those of {@code graph}, whose nodes see the values around it as well. */
  FilledShapes within(GraphProto graph) {
    FilledShapes inner = new FilledShapes(this);
    for (ValueInfo input : graph.getInputList()) {
      inner.add(input.getName(), UNKNOWN);
    }
    for (TensorProto initializer : graph.getInitializerList()) {
      inner.add(initializer.getName(), elements(initializer));
    }
    for (NodeProto node : graph.getNodeList()) {
      long filled =
          switch (node.getOpType()) {
            case "Shape" -> OF_A_TENSOR;
            case "Constant" -> constant(node);
            default -> UNKNOWN;
          };
      node.getOutputList().forEach(output -> inner.add(output, filled));
    }
    return inner;
  }

  /** Of two values of one name the worse counts. */
  private void add(String name, long filled) {
    elements.merge(name, filled, Math::max);
  }

  /**
   * Checks the shape of a node that fills one.
   *
   * @param name of the node, for the message
   * @throws BundleException where it is too large, or how large cannot be told
   */
  void check(String name, NodeProto node) throws BundleException {
    int input =
        switch (node.getOpType()) {
          case "ConstantOfShape" -> 0;
          case "Expand" -> 1;
          default -> -1;
        };
    if (input < 0) {
      return;
    }
    long filled = input < node.getInputCount() ? find(node.getInput(input)) : UNKNOWN;
    if (filled == UNKNOWN) {
      throw new BundleException(
          "%s: the shape of '%s' is neither a tensor's nor a constant, which is not allowed"
              .formatted(name, node.getOpType()));
    }
    if (filled > MAX_ELEMENTS) {
      throw new BundleException(
          "%s: '%s' makes more than %d elements, which is not allowed"
              .formatted(name, node.getOpType(), MAX_ELEMENTS));
    }
  }

  private long find(String name) {
    Long filled = elements.get(name);
    if (filled != null) {
      return filled;
    }
    return around == null ? UNKNOWN : around.find(name);
  }

  private static long constant(NodeProto node) {
    long worst = -1;
    for (Attribute attribute : node.getAttributeList()) {
      long filled =
          switch (attribute.getName()) {
            case "value" -> elements(attribute.getT());
            case "value_ints" -> product(attribute.getIntsList());
            default -> UNKNOWN;
          };
      worst = Math.max(worst, filled);
    }
    return worst < 0 ? UNKNOWN : worst;
  }

  private static long elements(TensorProto shape) {
    if (shape.getDataType() != INT64
        || shape.getRawData().size() > MAX_RANK * Long.BYTES
        || shape.getInt64DataCount() > MAX_RANK) {
      return UNKNOWN;
    }
    if (shape.getRawData().isEmpty()) {
      return product(shape.getInt64DataList());
    }
    ByteBuffer raw = shape.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    long product = 1;
    while (raw.remaining() >= Long.BYTES) {
      product = times(product, raw.getLong());
    }
    return product;
  }

  private static long product(List<Long> sizes) {
    long product = 1;
    for (long size : sizes) {
      product = times(product, size);
    }
    return product;
  }

  /** A size of 0, or of -1 for one to be taken over, counts as 1. */
  private static long times(long product, long size) {
    long factor = Math.max(1, size);
    return factor > MAX_ELEMENTS / product ? TOO_MANY : product * factor;
  }
}
