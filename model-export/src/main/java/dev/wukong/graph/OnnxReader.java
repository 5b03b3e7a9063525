package dev.wukong.graph;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.wukong.onnx.GraphProto;
import dev.wukong.onnx.ModelProto;
import dev.wukong.onnx.NodeProto;
import dev.wukong.onnx.OperatorSetId;
import dev.wukong.onnx.StringEntry;
import dev.wukong.onnx.TensorProto;
import dev.wukong.onnx.TensorShapeProto;
import dev.wukong.onnx.ValueInfo;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Reads an ONNX file as a graph of the operators here, so that it can be written again for another
 * provider. Inputs and outputs keep their names; everything in between gets new ones, and all
 * initializers become constants.
 */
public final class OnnxReader {
  /** The operator sets whose meaning is known. */
  private static final int MIN_OPSET = 9;

  private static final int MAX_OPSET = 24;

  private static final int MAX_NODES = 100_000;
  private static final Pattern MULTIPLE =
      Pattern.compile("([1-9][0-9]{0,8})([A-Za-z_][A-Za-z_0-9]*)");

  /**
   * A file read.
   *
   * @param metadata the file's properties
   */
  public record Model(Graph graph, Map<String, String> metadata) {
    public Model {
      metadata = Map.copyOf(metadata);
    }
  }

  private final GraphProto proto;
  private final long opset;
  private int unnamed;

  private OnnxReader(GraphProto proto, long opset) {
    this.proto = proto;
    this.opset = opset;
  }

  /**
   * Reads {@code bytes}, an ONNX file's content.
   *
   * @throws OnnxReadException where they are no ONNX file, or as for {@link #read(ModelProto)}
   */
  public static Model read(byte[] bytes) {
    try {
      return read(ModelProto.parseFrom(bytes));
    } catch (InvalidProtocolBufferException e) {
      throw new OnnxReadException("not an ONNX file: " + e.getMessage());
    }
  }

  /**
   * Reads {@code model}.
   *
   * @throws OnnxReadException naming the node, its operator and what has no meaning here
   */
  static Model read(ModelProto model) {
    if (!model.hasGraph()) {
      throw new OnnxReadException("not an ONNX file: it has no graph");
    }
    if (model.getFunctionsCount() > 0) {
      throw new OnnxReadException(
          "the model defines functions of its own, '"
              + model.getFunctions(0).getName()
              + "' first: inline them before");
    }
    OnnxReader reader = new OnnxReader(model.getGraph(), opset(model));
    Map<String, String> metadata =
        model.getMetadataPropsList().stream()
            .collect(Collectors.toMap(StringEntry::getKey, StringEntry::getValue, (a, b) -> b));
    try {
      return new Model(reader.graph(), metadata);
    } catch (OnnxReadException e) {
      throw e;
    } catch (IllegalArgumentException e) {
      throw new OnnxReadException(String.valueOf(e.getMessage()));
    }
  }

  private static long opset(ModelProto model) {
    for (OperatorSetId set : model.getOpsetImportList()) {
      if (set.getDomain().isEmpty() || set.getDomain().equals("ai.onnx")) {
        if (set.getVersion() < MIN_OPSET || set.getVersion() > MAX_OPSET) {
          throw new OnnxReadException(
              "operator set "
                  + set.getVersion()
                  + ": "
                  + MIN_OPSET
                  + " to "
                  + MAX_OPSET
                  + " are read");
        }
        return set.getVersion();
      }
    }
    throw new OnnxReadException("the model names no version of ONNX's operator set");
  }

  private Graph graph() {
    int nodes = OnnxBody.nodes(proto, 0);
    if (nodes > MAX_NODES) {
      throw new OnnxReadException(nodes + " nodes, at most " + MAX_NODES + " are read");
    }
    if (proto.getSparseInitializerCount() > 0) {
      throw new OnnxReadException("the model has sparse initializers, which are not read");
    }
    Map<String, TensorData> initializers = new LinkedHashMap<>();
    for (TensorProto tensor : proto.getInitializerList()) {
      String what = "initializer '" + tensor.getName() + "'";
      if (tensor.getName().isEmpty()
          || initializers.put(tensor.getName(), OnnxTensors.read(tensor, what)) != null) {
        throw new OnnxReadException(what + " is there twice, or has no name");
      }
    }
    // The type is of parameters and untyped constants: a graph that is read has neither.
    GraphBuilder g = new GraphBuilder(proto.getName(), DataType.FLOAT);
    OnnxValues values = new OnnxValues(g);
    // Inputs before constants: names made up for constants must not take theirs.
    for (ValueInfo input : proto.getInputList()) {
      if (!initializers.containsKey(input.getName())) {
        values.define(input.getName(), input(g, input));
      }
    }
    initializers.forEach((name, data) -> values.define(name, g.constant(data)));
    OnnxOperators operators = new OnnxOperators(g, values, new OnnxFill());
    for (NodeProto node : proto.getNodeList()) {
      // In the same scope, so that a profile says to which part of the network a node belongs.
      int scope = node.getName().lastIndexOf('/');
      try (var _ = g.scope(node.getName().substring(0, Math.max(0, scope)))) {
        operators.apply(new OnnxNode(node, opset));
      }
    }
    for (ValueInfo output : proto.getOutputList()) {
      g.output(output.getName(), values.output(output.getName()));
    }
    return g.build();
  }

  private Tensor input(GraphBuilder g, ValueInfo input) {
    String what = "input '" + input.getName() + "'";
    if (input.getName().isEmpty()
        || !input.getType().hasTensorType()
        || !input.getType().getTensorType().hasShape()) {
      throw new OnnxReadException(what + " is no tensor with a name and a shape");
    }
    int rank = input.getType().getTensorType().getShape().getDimCount();
    if (rank > OnnxValues.MAX_RANK) {
      throw new OnnxReadException(
          what + " has " + rank + " axes, at most " + OnnxValues.MAX_RANK + " are read");
    }
    DataType type = OnnxTensors.type(input.getType().getTensorType().getElemType(), what);
    Dim[] dims =
        input.getType().getTensorType().getShape().getDimList().stream()
            .map(d -> dim(d, what))
            .toArray(Dim[]::new);
    return g.input(input.getName(), type, dims);
  }

  private Dim dim(TensorShapeProto.Dimension dim, String what) {
    return switch (dim.getValueCase()) {
      case DIM_VALUE -> {
        if (dim.getDimValue() < 0) {
          throw new OnnxReadException(what + " has a dimension of " + dim.getDimValue());
        }
        yield Dim.of(dim.getDimValue());
      }
      case DIM_PARAM -> {
        Matcher multiple = MULTIPLE.matcher(dim.getDimParam());
        if (multiple.matches()) {
          yield new Dim(Long.parseLong(multiple.group(1)), multiple.group(2));
        }
        yield dim.getDimParam().isEmpty() ? unknown() : Dim.of(dim.getDimParam());
      }
      case VALUE_NOT_SET -> unknown();
    };
  }

  private Dim unknown() {
    return Dim.of("unknown_" + unnamed++);
  }
}
