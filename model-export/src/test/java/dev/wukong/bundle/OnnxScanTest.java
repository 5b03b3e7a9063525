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
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

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

  @ParameterizedTest
  @MethodSource("refused")
  void check_unwantedModel_refuses(ModelProto model, String message) {
    assertThatThrownBy(
            () -> OnnxScan.check(model.toByteArray(), BundleNames.TRAIN, SampleBundle.OPSET))
        .isInstanceOf(BundleException.class)
        .hasMessage(message);
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
