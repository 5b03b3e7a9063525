package dev.wukong.standalone;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Precision;
import dev.wukong.data.Group;
import dev.wukong.data.InputNames;
import dev.wukong.data.Table;
import dev.wukong.graph.DataType;
import dev.wukong.graph.Lowering;
import dev.wukong.graph.OnnxWriter;
import dev.wukong.onnx.GraphProto;
import dev.wukong.onnx.ModelProto;
import dev.wukong.onnx.NodeProto;
import dev.wukong.onnx.TensorProto;
import dev.wukong.onnx.TensorShapeProto;
import dev.wukong.onnx.ValueInfo;
import dev.wukong.runtime.Device;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * A bundle's own predict graph with its tables inside: what were inputs of it become initializers
 * and the outputs of an {@link IdGraph}.
 */
final class StandaloneGraph {
  /** Before the names of what were the bundle's inputs, and of what the ids go through. */
  private static final String PREFIX = "given/";

  private final Bundle bundle;
  private final Precision precision;
  private final StandaloneInputs inputs;
  private final boolean cpu;

  /**
   * @param cpu whether it is written for a CPU, not for any device
   */
  StandaloneGraph(Bundle bundle, Precision precision, StandaloneInputs inputs, boolean cpu) {
    this.cpu = cpu;
    this.bundle = bundle;
    this.precision = precision;
    this.inputs = inputs;
  }

  /** Bytes of all rows. */
  long rowBytes() {
    return bundle.layout().groups().stream().mapToLong(this::bytes).sum();
  }

  private long bytes(Group group) {
    return IdGraph.rows(inputs, group) * group.width() * precision.rows().bytes();
  }

  /**
   * The whole model.
   *
   * @param metadata added to the file's properties
   * @throws IOException if the bundle's graph was changed after it was verified
   */
  ModelProto build(Map<String, String> metadata) throws IOException {
    byte[] own = bundle.graph(precision.file());
    ModelProto model = ModelProto.parseFrom(cpu ? precision.on(new Device.Cpu(), own) : own);
    GraphProto ids =
        OnnxWriter.write(IdGraph.of(inputs, PREFIX), Lowering.CPU, Map.of(), metadata).getGraph();
    GraphProto.Builder graph =
        GraphProto.newBuilder()
            .setName(model.getGraph().getName())
            .addAllInput(ids.getInputList())
            .addAllOutput(model.getGraph().getOutputList());
    for (ValueInfo input : model.getGraph().getInputList()) {
      if (stays(input.getName())) {
        graph.addInput(inputs.batchContext() ? batched(input) : input);
      }
    }
    bundle.layout().groups().forEach(group -> graph.addInitializer(rows(group)));
    ids.getInitializerList()
        .forEach(t -> graph.addInitializer(t.toBuilder().setName(inner(ids, t.getName()))));
    graph.addAllInitializer(model.getGraph().getInitializerList());
    ids.getNodeList().forEach(node -> graph.addNode(inner(ids, node)));
    model.getGraph().getNodeList().forEach(node -> graph.addNode(connected(node)));
    checkNames(graph);
    ModelProto.Builder whole = model.toBuilder().setGraph(graph);
    metadata.forEach((k, v) -> whole.addMetadataPropsBuilder().setKey(k).setValue(v));
    return whole.build();
  }

  /** Whether an input of the bundle's graph is one of the whole too. */
  private boolean stays(String input) {
    return InputNames.isDense(input) || (input.equals(InputNames.CONTEXT_OF) && inputs.contextOf());
  }

  /** With as many contexts as candidates. */
  private static ValueInfo batched(ValueInfo input) {
    ValueInfo.Builder result = input.toBuilder();
    TensorShapeProto.Dimension.Builder first =
        result.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder().getDimBuilder(0);
    if (first.getDimParam().equals("R")) {
      first.setDimParam("B");
    }
    return result.build();
  }

  /** A node of the bundle's graph, reading what its inputs have become. */
  private NodeProto connected(NodeProto node) {
    NodeProto.Builder result = node.toBuilder();
    boolean spreads = false;
    for (int i = 0; i < node.getInputCount(); i++) {
      String input = node.getInput(i);
      if (InputNames.isLookup(input)) {
        result.setInput(i, PREFIX + input);
      }
      spreads |= input.equals(InputNames.CONTEXT_OF);
    }
    if (!spreads || inputs.contextOf()) {
      return result.build();
    }
    // Each candidate has the context of its own row.
    if (!node.getOpType().equals("Gather")
        || !node.getInput(1).equals(InputNames.CONTEXT_OF)
        || node.getAttributeList().stream().anyMatch(a -> a.getI() != 0)) {
      throw new IllegalArgumentException(
          "node '%s' uses %s for more than spreading contexts over candidates, which"
                  .formatted(node.getName(), InputNames.CONTEXT_OF)
              + " --batch-context cannot replace");
    }
    String context = result.getInput(0);
    return result.clearInput().clearAttribute().addInput(context).setOpType("Identity").build();
  }

  /** A node of the graph that ids go through, its inner names apart from the bundle's. */
  private static NodeProto inner(GraphProto ids, NodeProto node) {
    NodeProto.Builder result = node.toBuilder().setName(PREFIX + node.getName());
    for (int i = 0; i < node.getInputCount(); i++) {
      result.setInput(i, inner(ids, node.getInput(i)));
    }
    for (int i = 0; i < node.getOutputCount(); i++) {
      result.setOutput(i, inner(ids, node.getOutput(i)));
    }
    return result.build();
  }

  private static String inner(GraphProto ids, String name) {
    boolean end =
        ids.getInputList().stream().anyMatch(i -> i.getName().equals(name))
            || name.startsWith(PREFIX);
    return end ? name : PREFIX + name;
  }

  private static void checkNames(GraphProto.Builder graph) {
    Set<String> names = new HashSet<>();
    graph.getInputList().forEach(i -> claim(names, i.getName()));
    graph.getInitializerList().forEach(t -> claim(names, t.getName()));
    graph.getNodeList().forEach(n -> n.getOutputList().forEach(o -> claim(names, o)));
  }

  private static void claim(Set<String> names, String name) {
    if (!names.add(name)) {
      throw new IllegalArgumentException("the graph has two values named '%s'".formatted(name));
    }
  }

  /** The rows of a group: padding, then each table's by position. */
  private TensorProto rows(Group group) {
    int width = group.width();
    long count = IdGraph.rows(inputs, group);
    byte[] raw = new byte[Math.toIntExact(bytes(group))];
    ByteBuffer bytes = ByteBuffer.wrap(raw).order(ByteOrder.LITTLE_ENDIAN);
    for (Table table : group.tables()) {
      IdPositions positions = inputs.of(table.idSpace());
      long offset = IdGraph.offset(inputs, group, table);
      float[] unknown = bundle.manifest().defaultRow(table);
      for (int p = IdPositions.UNKNOWN; p < positions.count(); p++) {
        put(bytes, Math.toIntExact((offset + p) * width), FloatBuffer.wrap(unknown));
      }
      bundle.forEachRow(
          table,
          (id, row) -> {
            int position = positions.position(id);
            if (position != IdPositions.UNKNOWN) {
              put(bytes, Math.toIntExact((offset + position) * width), row);
            }
          });
    }
    ByteString data = UnsafeByteOperations.unsafeWrap(raw);
    return TensorProto.newBuilder()
        .setName(PREFIX + InputNames.rows(group))
        .setDataType(type().onnx())
        .addAllDims(Arrays.asList(count, (long) width))
        .setRawData(data)
        .build();
  }

  private DataType type() {
    return switch (precision) {
      case FP32 -> DataType.FLOAT;
      case FP16 -> DataType.FLOAT16;
    };
  }

  private void put(ByteBuffer bytes, int at, FloatBuffer row) {
    for (int i = 0; i < row.remaining(); i++) {
      float value = row.get(row.position() + i);
      switch (precision) {
        case FP32 -> bytes.putFloat((at + i) * Float.BYTES, value);
        case FP16 -> bytes.putShort((at + i) * Short.BYTES, Float.floatToFloat16(value));
      }
    }
  }
}
