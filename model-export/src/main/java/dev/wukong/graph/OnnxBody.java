package dev.wukong.graph;

import dev.wukong.onnx.Attribute;
import dev.wukong.onnx.GraphProto;
import dev.wukong.onnx.NodeProto;
import dev.wukong.onnx.TensorProto;
import dev.wukong.onnx.ValueInfo;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads a Scan and the graph within it. Types and shapes of the body's inputs are those of what the
 * Scan is given; its initializers are constants. A body that reads values of the graph around it,
 * as ONNX allows, is refused.
 */
final class OnnxBody {
  private static final int MAX_NESTING = 4;

  private OnnxBody() {}

  /** Adds the Scan {@code n} on {@code in} to the graph; returns its outputs. */
  static List<Tensor> scan(GraphBuilder g, OnnxNode n, List<Tensor> in, OnnxFill fill) {
    int scanned = n.small("num_scan_inputs", 0);
    if (scanned < 1 || scanned > in.size()) {
      throw n.refuse(
          "attribute 'num_scan_inputs' is " + scanned + ", want 1 to " + in.size() + " inputs");
    }
    for (String axes :
        List.of(
            "scan_input_axes",
            "scan_input_directions",
            "scan_output_axes",
            "scan_output_directions")) {
      List<Long> given = n.integers(axes).orElse(List.of());
      if (given.stream().anyMatch(axis -> axis != 0)) {
        throw n.refuse("attribute '" + axes + "' is " + given + ", and only 0 has a meaning here");
      }
    }
    GraphProto proto = n.graph("body").orElseThrow(() -> n.refuse("attribute 'body' is missing"));
    Op scan = new Op.Scan(read(g, n, proto, in, scanned, fill), in.size() - scanned);
    return g.applyAll(scan, in.toArray(Tensor[]::new));
  }

  private static Graph read(
      GraphBuilder outer,
      OnnxNode n,
      GraphProto proto,
      List<Tensor> in,
      int scanned,
      OnnxFill fill) {
    if (proto.getInputCount() != in.size() || proto.getSparseInitializerCount() > 0) {
      throw n.refuse(
          "its body has "
              + proto.getInputCount()
              + " inputs for "
              + in.size()
              + ", or sparse initializers");
    }
    checkClosed(n, proto);
    GraphBuilder g = new GraphBuilder(proto.getName(), outer.type());
    OnnxValues values = new OnnxValues(g);
    for (int i = 0; i < in.size(); i++) {
      Tensor given = in.get(i);
      boolean whole = i < in.size() - scanned;
      if (!whole && given.rank() == 0) {
        throw n.refuse("input '" + n.inputs().get(i) + "' is scanned and has no axis");
      }
      Shape shape = whole ? given.shape() : given.shape().without(0);
      String name = proto.getInput(i).getName();
      values.define(name, g.input(name, given.type(), shape.dims().toArray(Dim[]::new)));
    }
    for (TensorProto tensor : proto.getInitializerList()) {
      TensorData data = OnnxTensors.read(tensor, "initializer '" + tensor.getName() + "'");
      values.define(tensor.getName(), g.constant(data));
    }
    OnnxOperators operators = new OnnxOperators(g, values, fill);
    proto.getNodeList().forEach(node -> operators.apply(new OnnxNode(node, n.opset())));
    Map<String, Tensor> outputs = new LinkedHashMap<>();
    for (ValueInfo output : proto.getOutputList()) {
      if (outputs.put(output.getName(), values.output(output.getName())) != null) {
        throw n.refuse("its body has the output '" + output.getName() + "' twice");
      }
    }
    outputs.forEach(g::output);
    return g.build();
  }

  private static void checkClosed(OnnxNode n, GraphProto proto) {
    Set<String> own = new HashSet<>(Collections.singleton(""));
    proto.getInputList().forEach(input -> own.add(input.getName()));
    proto.getInitializerList().forEach(tensor -> own.add(tensor.getName()));
    proto.getNodeList().forEach(node -> own.addAll(node.getOutputList()));
    for (NodeProto node : proto.getNodeList()) {
      for (String name : node.getInputList()) {
        if (!own.contains(name)) {
          throw n.refuse(
              "its body reads '"
                  + name
                  + "' of the graph around it: make that a carried value of the Scan");
        }
      }
    }
  }

  /** The nodes of {@code graph} and of all graphs within it. */
  static int nodes(GraphProto graph, int nesting) {
    if (nesting > MAX_NESTING) {
      throw new OnnxReadException("graphs are nested more than " + MAX_NESTING + " deep");
    }
    int count = graph.getNodeCount();
    for (NodeProto node : graph.getNodeList()) {
      for (Attribute attribute : node.getAttributeList()) {
        if (attribute.hasG()) {
          count = Math.addExact(count, nodes(attribute.getG(), nesting + 1));
        }
      }
    }
    return count;
  }
}
