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
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Reads an ONNX model as a graph of the operators here, so that a model made elsewhere can be
 * differentiated and trained. Inputs, parameters and outputs keep their names; values in between
 * get new ones.
 */
public final class OnnxReader {
  /** The operator sets whose meaning is known. */
  public static final int MIN_OPSET = 9;

  public static final int MAX_OPSET = 24;

  private static final int MAX_NODES = 100_000;
  private static final Pattern MULTIPLE =
      Pattern.compile("([1-9][0-9]{0,8})([A-Za-z_][A-Za-z_0-9]*)");

  /**
   * A model read.
   *
   * @param builder holds the graph, open for more operators
   * @param weights the parameters' values by name
   * @param metadata the file's properties
   */
  public record Model(
      GraphBuilder builder,
      Graph graph,
      Map<String, TensorData> weights,
      Map<String, String> metadata) {
    public Model {
      weights = Collections.unmodifiableMap(new LinkedHashMap<>(weights));
      metadata = Map.copyOf(metadata);
    }
  }

  private final GraphProto proto;
  private final long opset;
  private final Map<String, TensorData> initializers = new LinkedHashMap<>();
  private final Set<NodeProto> copied = Collections.newSetFromMap(new IdentityHashMap<>());
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
    return read(parse(bytes));
  }

  /**
   * The same with all initializers as constants.
   *
   * @throws OnnxReadException where they are no ONNX file, or as for {@link #read(ModelProto)}
   */
  static Model weightless(byte[] bytes) {
    return read(parse(bytes), name -> false);
  }

  private static ModelProto parse(byte[] bytes) {
    try {
      return ModelProto.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new OnnxReadException("not an ONNX file: " + e.getMessage());
    }
  }

  /**
   * Reads {@code model}. Parameters are the floating-point initializers of rank 1 or more, except
   * the running statistics of batch normalization and what stands where an operator here has an
   * attribute; scalars, other types and Constant nodes are constants.
   *
   * @throws OnnxReadException naming the node, its operator and what has no meaning here
   */
  public static Model read(ModelProto model) {
    return read(model, name -> false, true);
  }

  /**
   * The same with exactly the initializers that {@code parameters} holds for as parameters, scalars
   * included.
   */
  public static Model read(ModelProto model, Predicate<String> parameters) {
    return read(model, parameters, false);
  }

  private static Model read(ModelProto model, Predicate<String> parameters, boolean guess) {
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
      return reader.graph(parameters, guess, metadata);
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

  private Model graph(Predicate<String> parameters, boolean guess, Map<String, String> metadata) {
    int nodes = OnnxBody.nodes(proto, 0);
    if (nodes > MAX_NODES) {
      throw new OnnxReadException(nodes + " nodes, at most " + MAX_NODES + " are read");
    }
    if (proto.getSparseInitializerCount() > 0) {
      throw new OnnxReadException("the model has sparse initializers, which are not read");
    }
    for (TensorProto tensor : proto.getInitializerList()) {
      String what = "initializer '" + tensor.getName() + "'";
      if (tensor.getName().isEmpty()
          || initializers.put(tensor.getName(), OnnxTensors.read(tensor, what)) != null) {
        throw new OnnxReadException(what + " is there twice, or has no name");
      }
    }
    copies();
    GraphBuilder g = new GraphBuilder(proto.getName(), floating());
    OnnxValues values = new OnnxValues(g);
    for (ValueInfo input : proto.getInputList()) {
      if (!initializers.containsKey(input.getName())) {
        values.define(input.getName(), input(g, input));
      }
    }
    Map<String, TensorData> weights = new LinkedHashMap<>();
    Predicate<String> weight = guess ? name -> weight(g.type()).contains(name) : parameters;
    Set<String> chosen = initializers.keySet().stream().filter(weight).collect(Collectors.toSet());
    Set<String> read = readNames();
    initializers.keySet().retainAll(read);
    // Weights before constants: names made up for constants must not take theirs.
    initializers.forEach(
        (name, data) -> {
          if (chosen.contains(name)) {
            if (data.type() != g.type()) {
              throw new OnnxReadException(
                  "parameter '" + name + "' is " + data.type() + ", the graph " + g.type());
            }
            weights.put(name, data);
            values.define(name, g.parameter(name, data.shape()), data);
          }
        });
    initializers.forEach(
        (name, data) -> {
          if (!chosen.contains(name)) {
            values.define(name, g.constant(data), data);
          }
        });
    OnnxOperators operators = new OnnxOperators(g, values);
    for (NodeProto node : proto.getNodeList()) {
      if (!copied.contains(node)) {
        operators.apply(new OnnxNode(node, opset));
      }
    }
    for (ValueInfo output : proto.getOutputList()) {
      g.output(output.getName(), values.output(output.getName()));
    }
    return new Model(g, g.build(), weights, metadata);
  }

  /**
   * Makes initializers of their Identities: PyTorch's exporter writes equal weights once, so that a
   * new model's scale of one layer comes as the Identity of another's, or of a running variance,
   * though each goes its own way when trained.
   */
  private void copies() {
    Set<String> outputs =
        proto.getOutputList().stream().map(ValueInfo::getName).collect(Collectors.toSet());
    for (NodeProto node : proto.getNodeList()) {
      boolean plain =
          node.getOpType().equals("Identity")
              && node.getInputCount() == 1
              && node.getOutputCount() == 1;
      TensorData data = plain ? initializers.get(node.getInput(0)) : null;
      if (data != null && !outputs.contains(node.getOutput(0))) {
        if (initializers.putIfAbsent(node.getOutput(0), data) != null) {
          throw new OnnxReadException(
              "the name '" + node.getOutput(0) + "' is given to two values");
        }
        copied.add(node);
      }
    }
  }

  /** The type of the first floating-point initializer, else input. */
  private DataType floating() {
    for (TensorData data : initializers.values()) {
      if (data.type().floating() && data.shape().rank() > 0) {
        return data.type();
      }
    }
    for (ValueInfo input : proto.getInputList()) {
      DataType type =
          OnnxTensors.type(
              input.getType().getTensorType().getElemType(), "input '" + input.getName() + "'");
      if (type.floating()) {
        return type;
      }
    }
    return DataType.FLOAT;
  }

  private Set<String> readNames() {
    Set<String> read = new HashSet<>();
    proto.getNodeList().stream()
        .filter(node -> !copied.contains(node))
        .forEach(node -> read.addAll(node.getInputList()));
    proto.getOutputList().forEach(output -> read.add(output.getName()));
    return read;
  }

  private Set<String> weight(DataType type) {
    Set<String> result = new HashSet<>();
    initializers.forEach(
        (name, data) -> {
          if (data.type() == type && data.shape().rank() > 0) {
            result.add(name);
          }
        });
    for (NodeProto node : proto.getNodeList()) {
      List<String> in = node.getInputList();
      int weights =
          switch (node.getOpType()) {
            case "BatchNormalization" -> 3;
            case "Pow", "Clip", "Dropout" -> 1;
            default -> in.size();
          };
      in.stream().skip(weights).forEach(result::remove);
    }
    return result;
  }

  private Tensor input(GraphBuilder g, ValueInfo input) {
    String what = "input '" + input.getName() + "'";
    if (input.getName().isEmpty()
        || !input.getType().hasTensorType()
        || !input.getType().getTensorType().hasShape()) {
      throw new OnnxReadException(what + " is no tensor with a name and a shape");
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
