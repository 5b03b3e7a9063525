package dev.wukong.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OrtException;
import dev.wukong.onnx.ModelProto;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

final class GraphBuilderTest {
  private final GraphBuilder g = new GraphBuilder("builder", DataType.FLOAT);
  private final Tensor x = g.input("x", DataType.FLOAT, Dim.of("B"), Dim.of(3));
  private final Tensor ids = g.input("ids", DataType.INT32, Dim.of("B"));

  /**
   * The interpreter holds each inferred shape against the value; here ONNX Runtime does so for
   * values in between.
   */
  @RepeatedTest(value = 60, name = "seed {currentRepetition}")
  void shapes_ofRandomGraphs_areThoseThatComeOut(RepetitionInfo run) throws OrtException {
    int seed = run.getCurrentRepetition();
    RandomGraph made = RandomGraph.of(DataType.FLOAT, seed);
    for (int i = 0; i < made.pool().size(); i++) {
      made.builder().output("out" + i, made.pool().get(i));
    }
    Graph graph = made.builder().build();
    Map<String, PlainArray> expected = PlainInterpreter.run(graph, made.given());
    ModelProto model = OnnxWriter.write(graph, Lowering.CPU, Map.of(), Map.of());
    Map<String, PlainArray> actual = OrtRunner.run(model, made.given());
    expected.forEach(
        (name, value) ->
            assertThat(actual)
                .as("seed " + seed)
                .hasEntrySatisfying(
                    name,
                    got -> {
                      assertThat(got.shape()).isEqualTo(value.shape());
                      // A dozen operators deep in float.
                      assertThat(got.values())
                          .containsExactly(value.values(), within(1e-4 * (1 + value.largest())));
                    }));
  }

  @RepeatedTest(value = 60, name = "seed {currentRepetition}")
  void names_ofRandomGraphs_areUnique(RepetitionInfo run) {
    int seed = run.getCurrentRepetition();
    RandomGraph made = RandomGraph.of(DataType.FLOAT, seed);
    made.builder().output("Tanh", made.loss());
    ModelProto model = OnnxWriter.write(made.builder().build(), Lowering.CPU, Map.of(), Map.of());
    List<String> names = new ArrayList<>();
    model.getGraph().getInputList().forEach(input -> names.add(input.getName()));
    model.getGraph().getInitializerList().forEach(initializer -> names.add(initializer.getName()));
    model.getGraph().getNodeList().forEach(node -> names.addAll(node.getOutputList()));
    assertThat(names).doesNotHaveDuplicates();
  }

  @Test
  void names_carryTheOpenScopes() {
    try (var _ = g.scope("layer1")) {
      try (var _ = g.scope("fm")) {
        assertThat(g.parameter("weight", Shape.of(2)).name()).isEqualTo("layer1/fm/weight");
        assertThat(g.neg(x).name()).isEqualTo("layer1/fm/Neg");
        assertThat(g.neg(x).name()).isEqualTo("layer1/fm/Neg_2");
      }
      assertThat(g.parameter("weight", Shape.of(2)).name()).isEqualTo("layer1/weight");
      assertThat(g.parameter("weight", Shape.of(2)).name()).isEqualTo("layer1/weight_2");
    }
    assertThat(g.neg(x).name()).isEqualTo("Neg");
  }

  @Test
  void output_namedLikeAnotherNode_keepsItsName() throws OrtException {
    Tensor negative = g.neg(x); // named Neg
    g.output("Neg", g.apply(new Op.Exp(), negative));
    g.output("Exp", negative);
    g.output("#0", g.reshape(x, x.shape().elements()));
    g.output("x", x);
    g.output("again", x);
    g.output("one", g.constant(1));
    Map<String, PlainArray> given =
        Map.of(
            "x", PlainArray.of(new int[] {1, 3}, _ -> 0), "ids", PlainArray.of(new int[1], _ -> 0));
    ModelProto model = OnnxWriter.write(g.build(), Lowering.CPU, Map.of(), Map.of());
    assertThat(OrtRunner.run(model, given))
        .containsEntry("Neg", PlainArray.of(new int[] {1, 3}, _ -> 1))
        .containsEntry("#0", PlainArray.of(new int[] {3}, _ -> 0))
        .containsEntry("x", PlainArray.of(new int[] {1, 3}, _ -> 0))
        .containsEntry("one", PlainArray.scalar(1))
        .containsKeys("Exp", "again");
  }

  @Test
  void output_namedLikeAnotherInput_isRefused() {
    refused(
        () -> g.output("ids", x),
        "output 'ids' has the name of the input or parameter ids INT32[B]");
  }

  @Test
  void output_namedTwice_isRefused() {
    g.output("y", x);
    refused(() -> g.output("y", ids), "output 'y' exists");
  }

  @Test
  void input_withATakenName_isRefused() {
    refused(
        () -> g.input("x", DataType.FLOAT),
        "the name 'x' is taken: an input's name is used as it is");
  }

  @Test
  void graph_keepsOnlyWhatOutputsNeed() {
    g.apply(new Op.Exp(), x);
    g.output("y", g.neg(x));
    assertThat(g.build().nodes()).extracting(Node::op).containsExactly(new Op.Neg());
    assertThat(g.build().inputs()).containsExactly(x, ids);
  }

  @Test
  void constants_thatAreEqual_areOne() {
    assertThat(g.constant(2)).isSameAs(g.constant(2)).isNotSameAs(g.constant(2, DataType.INT32));
  }

  @Test
  void tensor_ofAnotherGraph_isRefused() {
    Tensor stranger = new GraphBuilder("other", DataType.FLOAT).input("s", DataType.FLOAT);
    refused(() -> g.add(x, stranger), "tensor s FLOAT[] belongs to another graph");
    refused(() -> g.output("y", stranger), "tensor s FLOAT[] belongs to another graph");
  }

  @Test
  void shapes_thatDoNotBroadcast_areRefused() {
    Tensor y = g.input("y", DataType.FLOAT, Dim.of("B"), Dim.of(4));
    refused(() -> g.add(x, y), "shapes [B, 3] and [B, 4] do not broadcast");
    Tensor z = g.input("z", DataType.FLOAT, Dim.of("R"), Dim.of(3));
    refused(() -> g.add(x, z), "shapes [B, 3] and [R, 3] do not broadcast");
  }

  @Test
  void innerDimensions_thatDiffer_areRefused() {
    Tensor w = g.parameter("w", Shape.of(4, 2));
    refused(
        () -> g.matMul(x, w),
        "MatMul[] wants equal inner dimensions, has [x FLOAT[B, 3], w FLOAT[4, 2]]");
    refused(
        () -> g.gemm(x, false, w, false),
        "Gemm[transA=false, transB=false] wants equal inner dimensions, has [x FLOAT[B, 3], w"
            + " FLOAT[4, 2]]");
  }

  @Test
  void types_thatDiffer_areRefused() {
    refused(
        () -> g.add(x, ids), "Add[] wants inputs of one type, has [x FLOAT[B, 3], ids INT32[B]]");
    refused(() -> g.gather(x, x), "Gather[] wants int32 or int64 indices, has [x FLOAT[B, 3]]");
    refused(
        () -> g.apply(new Op.Exp(), ids), "Exp[] wants a floating-point input, has [ids INT32[B]]");
    refused(
        () -> g.where(x, x, x),
        "Where[] wants a bool condition, has [x FLOAT[B, 3], x FLOAT[B, 3], x FLOAT[B, 3]]");
  }

  @Test
  void inputs_ofTheWrongNumber_areRefused() {
    refused(() -> g.apply(new Op.Add(), x), "Add[] wants 2 inputs, has [x FLOAT[B, 3]]");
    refused(() -> g.apply(new Op.Concat(0)), "Concat[axis=0] wants one input or more, has []");
    refused(
        () -> g.apply(new Op.ReduceSum(List.of(), false), x, x),
        "ReduceSum[axes=[], keepDims=false] wants 1 inputs, has [x FLOAT[B, 3], x FLOAT[B, 3]]");
  }

  @Test
  void axes_thatAreNotThere_areRefused() {
    refused(() -> g.reduceSum(x, false, 2), "axis 2 of shape [B, 3]");
    refused(() -> g.apply(new Op.Softmax(-3), x), "axis -3 of shape [B, 3]");
    refused(
        () -> g.split(x, 1, List.of(1L, 1L)),
        "Split[axis=1, sizes=[1, 1]] wants an axis 1 of 2, has [x FLOAT[B, 3]]");
    refused(
        () -> g.concat(0, List.of(x, x)),
        "Concat[axis=0] wants fixed sizes on axis 0, has [x FLOAT[B, 3], x FLOAT[B, 3]]");
    refused(
        () -> g.transpose(x, 0, 0),
        "Transpose[perm=[0, 0]] wants a permutation of its axes, has [x FLOAT[B, 3]]");
    refused(
        () -> g.gather(g.constant(1), ids),
        "Gather[] wants data of rank 1 or more, has [Constant FLOAT[], ids INT32[B]]");
  }

  @Test
  void elements_thatDoNotFit_areRefused() {
    refused(
        () -> g.reshape(x, Dim.of("B"), Dim.of(4)),
        "Reshape[shape=[B, 4]] wants as many elements as [B, 4], has [x FLOAT[B, 3]]");
  }

  @Test
  void weight_ofAnotherShape_isRefused() {
    Tensor w = g.parameter("w", Shape.of(3));
    g.output("y", g.mul(x, w));
    TensorData data = new TensorData.Floats(Shape.of(2), new float[2]);
    refused(
        () -> OnnxWriter.write(g.build(), Lowering.CPU, Map.of("w", data), Map.of()),
        "weight 'w' has shape [2], not [3]");
  }

  private static void refused(ThrowingCallable call, String message) {
    assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
  }
}
