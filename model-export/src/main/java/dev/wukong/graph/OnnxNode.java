package dev.wukong.graph;

import dev.wukong.onnx.Attribute;
import dev.wukong.onnx.GraphProto;
import dev.wukong.onnx.NodeProto;
import dev.wukong.onnx.TensorProto;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A node of a file being read. Attributes are taken by name; one that nobody took is refused by
 * {@link #finish}.
 */
final class OnnxNode {
  private final NodeProto proto;
  private final long opset;
  private final Map<String, Attribute> attributes = new HashMap<>();

  OnnxNode(NodeProto proto, long opset) {
    this.proto = proto;
    this.opset = opset;
    if (!proto.getDomain().isEmpty() && !proto.getDomain().equals("ai.onnx")) {
      throw refuse("its domain '" + proto.getDomain() + "' is not ONNX's own");
    }
    for (Attribute attribute : proto.getAttributeList()) {
      if (attributes.put(attribute.getName(), attribute) != null) {
        throw refuse("attribute '" + attribute.getName() + "' is there twice");
      }
    }
  }

  String op() {
    return proto.getOpType();
  }

  /** The operator set's version that the node is to be read by. */
  long opset() {
    return opset;
  }

  List<String> inputs() {
    return proto.getInputList();
  }

  List<String> outputs() {
    return proto.getOutputList();
  }

  /** Whether input {@code i} is given: trailing and empty names are absent ones. */
  boolean has(int i) {
    return i < proto.getInputCount() && !proto.getInput(i).isEmpty();
  }

  void wants(int inputs) {
    if (proto.getInputCount() != inputs) {
      throw refuse("wants " + inputs + " inputs, has " + proto.getInputList());
    }
  }

  long integer(String name, long otherwise) {
    return take(name, Attribute.Type.INT).map(Attribute::getI).orElse(otherwise);
  }

  /** An attribute without taking it; 0 where it is not given. */
  int peek(String name) {
    Attribute attribute = attributes.get(name);
    return attribute == null ? 0 : Math.toIntExact(attribute.getI());
  }

  /** An attribute that numbers an axis or is a flag. */
  int small(String name, int otherwise) {
    long value = integer(name, otherwise);
    if (value != (int) value) {
      throw refuse("attribute '" + name + "' is " + value);
    }
    return (int) value;
  }

  float decimal(String name, float otherwise) {
    return take(name, Attribute.Type.FLOAT).map(Attribute::getF).orElse(otherwise);
  }

  String text(String name, String otherwise) {
    return take(name, Attribute.Type.STRING).map(a -> a.getS().toStringUtf8()).orElse(otherwise);
  }

  Optional<List<Long>> integers(String name) {
    return take(name, Attribute.Type.INTS).map(Attribute::getIntsList);
  }

  Optional<List<Float>> decimals(String name) {
    return take(name, Attribute.Type.FLOATS).map(Attribute::getFloatsList);
  }

  Optional<TensorProto> tensor(String name) {
    return take(name, Attribute.Type.TENSOR).map(Attribute::getT);
  }

  Optional<GraphProto> graph(String name) {
    return take(name, Attribute.Type.GRAPH).map(Attribute::getG);
  }

  /** Takes an attribute that must be {@code only} where it is given. */
  void only(String name, long only) {
    long value = integer(name, only);
    if (value != only) {
      throw refuse(
          "attribute '" + name + "' is " + value + ", and only " + only + " has a meaning here");
    }
  }

  /** Takes attributes that mean nothing outside training. */
  void ignore(String... names) {
    for (String name : names) {
      attributes.remove(name);
    }
  }

  void finish() {
    attributes.keySet().stream()
        .min(String::compareTo)
        .ifPresent(
            name -> {
              throw refuse("attribute '" + name + "' has no meaning here");
            });
  }

  /** What to throw where the node cannot be read. */
  OnnxReadException refuse(String why) {
    String name =
        proto.getName().isEmpty() && proto.getOutputCount() > 0
            ? proto.getOutput(0)
            : proto.getName();
    return new OnnxReadException("node '" + name + "' (" + op() + "): " + why);
  }

  private Optional<Attribute> take(String name, Attribute.Type type) {
    Attribute attribute = attributes.remove(name);
    if (attribute != null && attribute.getType() != type) {
      throw refuse("attribute '" + name + "' is of type " + attribute.getType() + ", not " + type);
    }
    return Optional.ofNullable(attribute);
  }
}
