package dev.wukong.bundle;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.wukong.onnx.Attribute;
import dev.wukong.onnx.GraphProto;
import dev.wukong.onnx.ModelProto;
import dev.wukong.onnx.NodeProto;
import dev.wukong.onnx.OperatorSetId;
import dev.wukong.onnx.TensorProto;
import dev.wukong.onnx.TensorShapeProto;
import dev.wukong.onnx.ValueInfo;
import dev.wukong.text.ShownText;
import java.util.List;

/**
 * Reads a graph before ONNX Runtime sees it, and refuses what a ranking graph does not need: data
 * in other files, operators off the list, foreign domains, functions, and absurd sizes of tensors
 * in the file, of inputs and of what is filled to a shape. The engine computes what depends on no
 * input when it loads a graph, so such a size would be allocated before the first run.
 */
public final class OnnxScan {
  static final int MAX_NODES = 50_000;
  static final int MAX_NESTING = 4;
  private static final long MAX_INPUT = 1L << 31;

  private final boolean training;
  private int nodes;

  private OnnxScan(boolean training) {
    this.training = training;
  }

  /**
   * Checks a whole model, the graphs within it as strictly as itself; the same bytes may then be
   * given to the engine.
   *
   * @param name of its file: only {@code train.onnx} may have graphs within it
   * @param opset the version of the standard operators that it must import
   * @throws BundleException naming the node or tensor, what it is and what is allowed
   */
  public static void check(byte[] model, String name, int opset) throws BundleException {
    OnnxWire.check(model);
    ModelProto parsed;
    try {
      parsed = ModelProto.parseFrom(model);
    } catch (InvalidProtocolBufferException e) {
      throw new BundleException("not an ONNX model: " + e.getMessage(), e);
    }
    if (!parsed.hasGraph() || parsed.getGraph().getNodeCount() == 0) {
      throw new BundleException("not an ONNX model: it has no graph with nodes");
    }
    checkImports(parsed.getOpsetImportList(), opset);
    new OnnxScan(name.equals(BundleNames.TRAIN)).graph(parsed.getGraph(), FilledShapes.NONE, 0);
  }

  private static void checkImports(List<OperatorSetId> imports, int opset) throws BundleException {
    boolean standard = false;
    for (OperatorSetId id : imports) {
      if (!AllowedOperators.isDomain(id.getDomain())) {
        throw new BundleException(
            "operator domain '%s' is not allowed".formatted(ShownText.of(id.getDomain())));
      }
      if (AllowedOperators.isStandard(id.getDomain())) {
        standard = true;
        if (id.getVersion() != opset) {
          throw new BundleException(
              "the graph imports opset %d, the manifest says %d".formatted(id.getVersion(), opset));
        }
      }
    }
    if (!standard) {
      throw new BundleException("the graph imports no standard opset");
    }
  }

  private void graph(GraphProto graph, FilledShapes around, int nesting) throws BundleException {
    if (nesting > MAX_NESTING) {
      throw new BundleException("graphs are nested more than %d deep".formatted(MAX_NESTING));
    }
    nodes = Math.addExact(nodes, graph.getNodeCount());
    if (nodes > MAX_NODES) {
      throw new BundleException("more than %d nodes".formatted(MAX_NODES));
    }
    for (TensorProto initializer : graph.getInitializerList()) {
      tensor("initializer '%s'".formatted(ShownText.of(initializer.getName())), initializer);
    }
    for (ValueInfo input : graph.getInputList()) {
      input(input);
    }
    FilledShapes shapes = around.within(graph);
    for (NodeProto node : graph.getNodeList()) {
      node(node, shapes, nesting);
    }
  }

  /** Refuses an input whose fixed dimensions alone ask for too much; others are the caller's. */
  private static void input(ValueInfo input) throws BundleException {
    long elements = 1;
    for (TensorShapeProto.Dimension dimension :
        input.getType().getTensorType().getShape().getDimList()) {
      long size = Math.max(1, dimension.getDimValue());
      if (size > MAX_INPUT / elements) {
        throw new BundleException(
            "input '%s' has more than %d elements, which is not allowed"
                .formatted(ShownText.of(input.getName()), MAX_INPUT));
      }
      elements *= size;
    }
  }

  private void node(NodeProto node, FilledShapes shapes, int nesting) throws BundleException {
    String name = "node '%s'".formatted(ShownText.of(node.getName()));
    if (!AllowedOperators.isDomain(node.getDomain())) {
      throw new BundleException(
          "%s: operator domain '%s' is not allowed"
              .formatted(name, ShownText.of(node.getDomain())));
    }
    if (!AllowedOperators.isAllowed(node.getDomain(), node.getOpType(), training)) {
      throw new BundleException(
          "%s: operator '%s' is not allowed"
              .formatted(
                  name,
                  ShownText.of(
                      AllowedOperators.isStandard(node.getDomain())
                          ? node.getOpType()
                          : node.getDomain() + "." + node.getOpType())));
    }
    if (AllowedOperators.isStandard(node.getDomain())) {
      shapes.check(name, node);
    }
    for (Attribute attribute : node.getAttributeList()) {
      if (attribute.hasT()) {
        tensor(
            "%s, attribute '%s'".formatted(name, ShownText.of(attribute.getName())),
            attribute.getT());
      }
      if (attribute.hasG()) {
        if (!AllowedOperators.hasBody(node.getDomain(), node.getOpType())) {
          throw new BundleException(
              "%s, attribute '%s' is a graph, which '%s' must not have"
                  .formatted(name, ShownText.of(attribute.getName()), node.getOpType()));
        }
        graph(attribute.getG(), shapes, nesting + 1);
      }
    }
  }

  private static void tensor(String name, TensorProto tensor) throws BundleException {
    if (tensor.getDataLocation() != 0 || tensor.getExternalDataCount() > 0) {
      throw new BundleException(
          "%s has its data outside the graph, which is not allowed".formatted(name));
    }
    int bytes = elementBytes(tensor.getDataType());
    if (bytes == 0) {
      throw new BundleException(
          "%s has element type %d, which is not allowed".formatted(name, tensor.getDataType()));
    }
    long count = 1;
    try {
      for (long dimension : tensor.getDimsList()) {
        if (dimension < 0) {
          throw new BundleException(
              "%s has a dimension of %d, it must not be negative".formatted(name, dimension));
        }
        count = Math.multiplyExact(count, dimension);
      }
      Math.multiplyExact(count, bytes);
    } catch (ArithmeticException e) {
      throw new BundleException("%s has a shape whose size overflows".formatted(name), e);
    }
    long listed =
        (long) tensor.getFloatDataCount()
            + tensor.getInt32DataCount()
            + tensor.getInt64DataCount()
            + tensor.getDoubleDataCount()
            + tensor.getUint64DataCount();
    boolean fits =
        tensor.getRawData().isEmpty()
            ? listed == count
            : listed == 0 && tensor.getRawData().size() == count * bytes;
    if (!fits) {
      throw new BundleException(
          "%s has %d bytes and %d listed numbers, its shape %s needs %d elements of %d bytes"
              .formatted(
                  name,
                  tensor.getRawData().size(),
                  listed,
                  shape(tensor.getDimsList()),
                  count,
                  bytes));
    }
  }

  /** Bytes an element takes, by the format's number of its type; 0 for types not allowed. */
  private static int elementBytes(int dataType) {
    return switch (dataType) {
      case 2, 3, 9 -> 1; // uint8, int8, bool
      case 4, 5, 10, 16 -> 2; // uint16, int16, float16, bfloat16
      case 1, 6, 12 -> 4; // float, int32, uint32
      case 7, 11, 13 -> 8; // int64, double, uint64
      default -> 0; // strings, complex numbers, and narrower ones that no graph of ours holds
    };
  }

  private static String shape(List<Long> dimensions) {
    return dimensions.stream().limit(16).toList().toString();
  }
}
