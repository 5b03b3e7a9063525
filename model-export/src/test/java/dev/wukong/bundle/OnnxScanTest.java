package dev.wukong.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import dev.wukong.onnx.Attribute;
import dev.wukong.onnx.FunctionProto;
import dev.wukong.onnx.GraphProto;
import dev.wukong.onnx.ModelProto;
import dev.wukong.onnx.NodeProto;
import dev.wukong.onnx.OperatorSetId;
import dev.wukong.onnx.SparseTensorProto;
import dev.wukong.onnx.StringEntry;
import dev.wukong.onnx.TensorProto;
import dev.wukong.onnx.TensorShapeProto;
import dev.wukong.onnx.TypeProto;
import dev.wukong.onnx.ValueInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class OnnxScanTest {
  private static final ModelProto GOOD = SampleBundle.graph("MatMul");

  @Test
  void check_ordinaryModel_passes() throws BundleException {
    ModelProto described =
        GOOD.toBuilder()
            .setUnknownFields(field(6, "documentation"))
            .addOpsetImport(OperatorSetId.newBuilder().setDomain("com.microsoft").setVersion(1))
            .setGraph(
                nested(OnnxScan.MAX_NESTING)
                    .addNode(
                        SampleBundle.node("FusedMatMul").toBuilder().setDomain("com.microsoft"))
                    .addInitializer(
                        TensorProto.newBuilder()
                            .setDataType(7)
                            .addDims(2)
                            .addInt64Data(1)
                            .addInt64Data(2)))
            .build();
    OnnxScan.check(described.toByteArray(), BundleNames.TRAIN, SampleBundle.OPSET);
  }

  static Stream<Arguments> refused() {
    return Stream.of(
        Arguments.of(
            ModelProto.getDefaultInstance(), "not an ONNX model: it has no graph with nodes"),
        Arguments.of(
            GOOD.toBuilder().clearOpsetImport().build(), "the graph imports no standard opset"),
        Arguments.of(
            GOOD.toBuilder().setOpsetImport(0, OperatorSetId.newBuilder().setVersion(99)).build(),
            "the graph imports opset 99, the manifest says 20"),
        Arguments.of(
            GOOD.toBuilder().addOpsetImport(OperatorSetId.newBuilder().setDomain("evil")).build(),
            "operator domain 'evil' is not allowed"),
        Arguments.of(
            GOOD.toBuilder().addFunctions(FunctionProto.newBuilder().setName("f")).build(),
            "functions are not allowed"),
        Arguments.of(
            graph(g -> g.addSparseInitializer(SparseTensorProto.newBuilder().setValues(outside()))),
            "sparse initializers are not allowed"),
        Arguments.of(
            GOOD.toBuilder().setUnknownFields(field(20, "training_info")).build(),
            "field 20 of ModelProto is not allowed"),
        Arguments.of(
            graph(g -> g.addNode(SampleBundle.node("If"))),
            "node 'n': operator 'If' is not allowed"),
        Arguments.of(
            graph(g -> g.addNode(SampleBundle.node("Add").toBuilder().setDomain("evil"))),
            "node 'n': operator domain 'evil' is not allowed"),
        Arguments.of(
            graph(
                g ->
                    g.addNode(
                        SampleBundle.node("EPContext").toBuilder().setDomain("com.microsoft"))),
            "node 'n': operator 'com.microsoft.EPContext' is not allowed"),
        Arguments.of(
            GOOD.toBuilder().setGraph(nested(OnnxScan.MAX_NESTING + 1)).build(),
            "graphs are nested more than 4 deep"),
        Arguments.of(
            GOOD.toBuilder().setGraph(nested(20)).build(), "messages are nested more than 40 deep"),
        Arguments.of(
            graph(g -> g.addAllNode(Collections.nCopies(50_000, SampleBundle.node("Add")))),
            "more than 50000 nodes"),
        Arguments.of(
            graph(g -> g.addInitializer(outside())),
            "initializer 'w' has its data outside the graph, which is not allowed"),
        Arguments.of(
            graph(
                g ->
                    g.addInitializer(
                        SampleBundle.weights().toBuilder()
                            .addExternalData(
                                StringEntry.newBuilder()
                                    .setKey("location")
                                    .setValue("*/_ORT_MEM_ADDR_/*")))),
            "initializer 'w' has its data outside the graph, which is not allowed"),
        Arguments.of(
            graph(
                g ->
                    g.addNode(
                        SampleBundle.node("Constant").toBuilder()
                            .addAttribute(
                                Attribute.newBuilder().setName("value").setT(outside())))),
            "node 'n', attribute 'value' has its data outside the graph, which is not allowed"),
        Arguments.of(
            graph(
                g ->
                    g.addNode(
                        SampleBundle.node("Scan").toBuilder()
                            .addAttribute(
                                Attribute.newBuilder()
                                    .setName("body")
                                    .setG(GraphProto.newBuilder().addInitializer(outside()))))),
            "initializer 'w' has its data outside the graph, which is not allowed"),
        Arguments.of(
            within(g -> g.addNode(SampleBundle.node("If"))),
            "node 'n': operator 'If' is not allowed"),
        Arguments.of(
            within(g -> g.addNode(SampleBundle.node("Add").toBuilder().setDomain("evil"))),
            "node 'n': operator domain 'evil' is not allowed"),
        Arguments.of(
            within(
                g ->
                    g.addNode(
                        SampleBundle.node("Constant").toBuilder()
                            .addAttribute(
                                Attribute.newBuilder().setName("value").setT(outside())))),
            "node 'n', attribute 'value' has its data outside the graph, which is not allowed"),
        Arguments.of(
            within(g -> g.addNode(SampleBundle.node("f"))),
            "node 'n': operator 'f' is not allowed"),
        Arguments.of(
            within(
                g -> g.addSparseInitializer(SparseTensorProto.newBuilder().setValues(outside()))),
            "sparse initializers are not allowed"),
        Arguments.of(
            within(g -> g.setUnknownFields(field(20, "functions"))),
            "field 20 of GraphProto is not allowed"),
        Arguments.of(
            within(g -> g.addAllNode(Collections.nCopies(50_000, SampleBundle.node("Add")))),
            "more than 50000 nodes"),
        Arguments.of(
            graph(
                g ->
                    g.addNode(
                        SampleBundle.node("Relu").toBuilder()
                            .addAttribute(Attribute.newBuilder().setName("body").setG(nested(0))))),
            "node 'n', attribute 'body' is a graph, which 'Relu' must not have"),
        Arguments.of(
            graph(
                g ->
                    g.addNode(
                        SampleBundle.node("Scan").toBuilder()
                            .addAttribute(
                                Attribute.newBuilder().setUnknownFields(field(11, "graphs"))))),
            "field 11 of Attribute is not allowed"),
        Arguments.of(
            graph(
                g ->
                    g.addNode(
                        SampleBundle.node("Constant").toBuilder()
                            .addAttribute(
                                Attribute.newBuilder().setUnknownFields(field(22, "sparse"))))),
            "field 22 of Attribute is not allowed"),
        Arguments.of(
            graph(g -> g.addInitializer(SampleBundle.weights().toBuilder().setDataType(8))),
            "initializer 'w' has element type 8, which is not allowed"),
        Arguments.of(
            graph(g -> g.addInitializer(SampleBundle.weights().toBuilder().addDims(-1))),
            "initializer 'w' has a dimension of -1, it must not be negative"),
        Arguments.of(
            graph(
                g -> g.addInitializer(SampleBundle.weights().toBuilder().addDims(Long.MAX_VALUE))),
            "initializer 'w' has a shape whose size overflows"),
        Arguments.of(
            graph(g -> g.addInitializer(SampleBundle.weights().toBuilder().addDims(1000))),
            "initializer 'w' has 8 bytes and 0 listed numbers, its shape [2, 1000] needs 2000"
                + " elements of 4 bytes"));
  }

  static Stream<Arguments> filled() {
    String constant = "node 'n': '%s' makes more than 268435456 elements, which is not allowed";
    String unknown =
        "node 'n': the shape of '%s' is neither a tensor's nor a constant, which is not allowed";
    NodeProto.Builder expand = SampleBundle.node("Expand").toBuilder().addInput("s");
    NodeProto.Builder fill = SampleBundle.node("ConstantOfShape").toBuilder().setInput(0, "s");
    return Stream.of(
        Arguments.of(
            graph(g -> g.addInitializer(longs(20_000_000_000L)).addNode(fill)),
            constant.formatted("ConstantOfShape")),
        Arguments.of(
            graph(g -> g.addInitializer(longs(1 << 15, 1 << 14)).addNode(expand)),
            constant.formatted("Expand")),
        Arguments.of(
            graph(g -> g.addInitializer(raw(longs(1, 1L << 62, 1L << 62))).addNode(fill)),
            constant.formatted("ConstantOfShape")),
        Arguments.of(
            graph(
                g -> g.addNode(made(a -> a.setName("value").setT(longs(1L << 29)))).addNode(fill)),
            constant.formatted("ConstantOfShape")),
        Arguments.of(
            graph(
                g -> g.addNode(made(a -> a.setName("value_ints").addInts(1L << 29))).addNode(fill)),
            constant.formatted("ConstantOfShape")),
        // Around a graph as well, and of two values of one name the worse.
        Arguments.of(
            graph(
                g ->
                    g.addInitializer(longs(1L << 29))
                        .addNode(
                            SampleBundle.node("Scan").toBuilder()
                                .addAttribute(
                                    Attribute.newBuilder()
                                        .setName("body")
                                        .setG(GraphProto.newBuilder().addNode(fill))))),
            constant.formatted("ConstantOfShape")),
        Arguments.of(
            graph(g -> g.addInitializer(longs(1L << 29)).addNode(shape()).addNode(fill)),
            constant.formatted("ConstantOfShape")),
        // The engine would compute this shape when it loads the graph.
        Arguments.of(
            graph(
                g ->
                    g.addInitializer(longs(1L << 29))
                        .addNode(SampleBundle.node("Identity").toBuilder().setInput(0, "s"))
                        .addNode(
                            SampleBundle.node("ConstantOfShape").toBuilder().setInput(0, "y"))),
            unknown.formatted("ConstantOfShape")),
        Arguments.of(graph(g -> g.addNode(expand)), unknown.formatted("Expand")),
        Arguments.of(
            graph(g -> g.addNode(SampleBundle.node("Expand"))), unknown.formatted("Expand")),
        Arguments.of(
            graph(g -> g.addInput(input(1L << 31, 2))),
            "input 'wide' has more than 2147483648 elements, which is not allowed"),
        Arguments.of(
            graph(g -> g.addInput(input(Long.MAX_VALUE))),
            "input 'wide' has more than 2147483648 elements, which is not allowed"));
  }

  @ParameterizedTest
  @MethodSource({"refused", "filled"})
  void check_unwantedModel_refuses(ModelProto model, String message) {
    assertThatThrownBy(
            () -> OnnxScan.check(model.toByteArray(), BundleNames.TRAIN, SampleBundle.OPSET))
        .isInstanceOf(BundleException.class)
        .hasMessage(message);
  }

  /** As gradients fill: the shape of a tensor, or a constant one of a size that there may be. */
  @Test
  void check_shapesOfAllowedSize_pass() throws BundleException {
    NodeProto.Builder expand = SampleBundle.node("Expand").toBuilder().addInput("s");
    NodeProto.Builder fill = SampleBundle.node("ConstantOfShape").toBuilder().setInput(0, "s");
    for (ModelProto model :
        List.of(
            graph(g -> g.addNode(shape()).addNode(expand).addNode(fill)),
            graph(g -> g.addInitializer(longs(1 << 14, 1 << 14)).addNode(expand).addNode(fill)),
            graph(g -> g.addInitializer(raw(longs(2, -1, 0))).addNode(expand)),
            graph(g -> g.addInput(input(0, 1L << 31))))) {
      OnnxScan.check(model.toByteArray(), Precision.FP32.file(), SampleBundle.OPSET);
    }
  }

  /** They make tensors of any size from a few numbers, and no graph of ours has them. */
  @ParameterizedTest
  @ValueSource(strings = {"EyeLike", "NonZero", "OneHot", "Pad", "Range", "Tile"})
  void check_operatorsOfAnySize_refuses(String operator) {
    byte[] model = graph(g -> g.addNode(SampleBundle.node(operator))).toByteArray();
    assertThatThrownBy(() -> OnnxScan.check(model, BundleNames.TRAIN, SampleBundle.OPSET))
        .isInstanceOf(BundleException.class)
        .hasMessage("node 'n': operator '%s' is not allowed".formatted(operator));
  }

  @Test
  void check_graphWithinAGraphToPredictWith_refuses() {
    byte[] model = GOOD.toBuilder().setGraph(nested(1)).build().toByteArray();
    for (String name : List.of(Precision.FP32.file(), "predict.fp16.onnx", "other.onnx")) {
      assertThatThrownBy(() -> OnnxScan.check(model, name, SampleBundle.OPSET))
          .isInstanceOf(BundleException.class)
          .hasMessage("node 'n': operator 'Scan' is not allowed");
    }
  }

  /** Two bytes ask for an object of some hundred, so they are counted before any is made. */
  @Test
  void check_manyEmptyMessages_refusesBeforeAllocating() {
    byte[] nodes = new byte[9_000_000];
    for (int i = 0; i < nodes.length; i += 2) {
      nodes[i] = 1 << 3 | 2;
    }
    ModelProto bomb =
        ModelProto.newBuilder()
            .setUnknownFields(
                UnknownFieldSet.newBuilder()
                    .addField(
                        7,
                        UnknownFieldSet.Field.newBuilder()
                            .addLengthDelimited(ByteString.copyFrom(nodes))
                            .build())
                    .build())
            .build();
    assertThatThrownBy(
            () -> OnnxScan.check(bomb.toByteArray(), BundleNames.TRAIN, SampleBundle.OPSET))
        .hasMessage("more than 4000000 fields");
  }

  /** Any flipped byte gives a verdict, never another failure. */
  @RepeatedTest(value = 20, name = "seed {currentRepetition}")
  void check_flippedBytes_passesOrRefuses(RepetitionInfo run) {
    SplittableRandom random = new SplittableRandom(run.getCurrentRepetition());
    byte[] good = graph(g -> g.addNode(SampleBundle.node("Relu"))).toByteArray();
    for (int i = 0; i < 50; i++) {
      byte[] bytes = good.clone();
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      try {
        OnnxScan.check(bytes, BundleNames.TRAIN, SampleBundle.OPSET);
      } catch (BundleException e) {
        assertThat(e.getMessage()).isNotBlank();
      }
    }
  }

  private interface Change {
    GraphProto.Builder apply(GraphProto.Builder graph);
  }

  private static ModelProto graph(Change change) {
    return GOOD.toBuilder().setGraph(change.apply(GOOD.getGraph().toBuilder())).build();
  }

  /** A change of the graph within a Scan. */
  private static ModelProto within(Change change) {
    Attribute.Builder body = Attribute.newBuilder().setName("body").setG(change.apply(nested(0)));
    return graph(g -> g.addNode(SampleBundle.node("Scan").toBuilder().addAttribute(body)));
  }

  /** An initializer named s. */
  private static TensorProto longs(long... values) {
    TensorProto.Builder tensor =
        TensorProto.newBuilder().setName("s").setDataType(7).addDims(values.length);
    for (long value : values) {
      tensor.addInt64Data(value);
    }
    return tensor.build();
  }

  private static TensorProto raw(TensorProto longs) {
    ByteBuffer bytes =
        ByteBuffer.allocate(longs.getInt64DataCount() * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    longs.getInt64DataList().forEach(bytes::putLong);
    return longs.toBuilder().clearInt64Data().setRawData(ByteString.copyFrom(bytes.flip())).build();
  }

  /** A Constant named s. */
  private static NodeProto.Builder made(UnaryOperator<Attribute.Builder> value) {
    return NodeProto.newBuilder()
        .setName("c")
        .setOpType("Constant")
        .addOutput("s")
        .addAttribute(value.apply(Attribute.newBuilder()));
  }

  /** The shape of x, named s. */
  private static NodeProto.Builder shape() {
    return SampleBundle.node("Shape").toBuilder().setOutput(0, "s");
  }

  /** Named wide; a size of 0 is a symbol. */
  private static ValueInfo input(long... sizes) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (long size : sizes) {
      if (size == 0) {
        shape.addDimBuilder().setDimParam("B");
      } else {
        shape.addDimBuilder().setDimValue(size);
      }
    }
    TypeProto.Tensor tensor = TypeProto.Tensor.newBuilder().setElemType(1).setShape(shape).build();
    return ValueInfo.newBuilder()
        .setName("wide")
        .setType(TypeProto.newBuilder().setTensorType(tensor))
        .build();
  }

  private static TensorProto outside() {
    return SampleBundle.weights().toBuilder().clearRawData().setDataLocation(1).build();
  }

  /** A graph that holds {@code depth} graphs inside each other. */
  private static GraphProto.Builder nested(int depth) {
    NodeProto.Builder node = SampleBundle.node(depth == 0 ? "Relu" : "Scan").toBuilder();
    if (depth > 0) {
      node.addAttribute(Attribute.newBuilder().setName("body").setG(nested(depth - 1)));
    }
    return GraphProto.newBuilder().addNode(node);
  }

  private static UnknownFieldSet field(int number, String text) {
    return UnknownFieldSet.newBuilder()
        .addField(
            number,
            UnknownFieldSet.Field.newBuilder()
                .addLengthDelimited(ByteString.copyFromUtf8(text))
                .build())
        .build();
  }
}
