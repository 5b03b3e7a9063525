package dev.wukong.graph;

import static dev.wukong.graph.OnnxFile.list;
import static dev.wukong.graph.OnnxFile.tensor;
import static dev.wukong.graph.OnnxFile.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OrtException;
import dev.wukong.autodiff.Gradients;
import dev.wukong.onnx.ModelProto;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

final class OnnxReaderTest {
  // Graphs a few operators deep, in float.
  private static final double TOLERANCE = 1e-5;

  static List<Class<?>> operators() {
    return OpCase.operators();
  }

  // Files written here.

  @ParameterizedTest
  @MethodSource("operators")
  void operator_writtenAndRead_meansTheSame(Class<?> op) throws OrtException {
    for (long seed = 0; seed < 15; seed++) {
      for (Lowering lowering : Lowering.values()) {
        OpCase made = OpCase.of(op, DataType.FLOAT, seed);
        for (int i = 0; i < made.outputs().size(); i++) {
          made.builder().output("out" + i, made.outputs().get(i));
        }
        roundTrip(made.builder().build(), lowering, made.given(), op + " seed " + seed);
      }
    }
  }

  @RepeatedTest(value = 40, name = "seed {currentRepetition}")
  void gradientGraph_writtenAndRead_meansTheSame(RepetitionInfo run) throws OrtException {
    int seed = run.getCurrentRepetition();
    RandomGraph made = RandomGraph.of(DataType.FLOAT, seed);
    List<Tensor> gradients = Gradients.of(made.builder(), made.loss(), made.ends());
    for (int i = 0; i < gradients.size(); i++) {
      made.builder().output("d" + i, gradients.get(i));
    }
    roundTrip(made.builder().build(), Lowering.CPU, made.given(), "seed " + seed);
  }

  @Test
  void weights_writtenAndRead_areConstants() {
    GraphBuilder g = new GraphBuilder("weights", DataType.FLOAT);
    Tensor x = g.input("x", DataType.FLOAT, Dim.of("B").times(Dim.of(2)), Dim.of(3));
    Tensor w = g.parameter("layer/w", Shape.of(3));
    Tensor temperature = g.parameter("temperature", Shape.SCALAR);
    g.output("y", g.mul(g.mul(g.add(x, w), temperature), 2));
    Map<String, TensorData> weights =
        Map.of(
            "layer/w", new TensorData.Floats(Shape.of(3), new float[] {1, 2, 3}),
            "temperature", new TensorData.Floats(Shape.SCALAR, new float[] {0.5f}));
    ModelProto model =
        OnnxWriter.write(g.build(), Lowering.CPU, weights, Map.of("trained on", "clicks"));

    OnnxReader.Model read = OnnxReader.read(model.toByteArray());
    assertThat(read.metadata()).containsExactly(Map.entry("trained on", "clicks"));
    assertThat(read.graph().inputs())
        .extracting(Tensor::toString)
        .containsExactly("x FLOAT[2B, 3]");
    assertThat(read.graph().parameters()).isEmpty();
    List<TensorData> constants = new ArrayList<>();
    for (Node node : read.graph().nodes()) {
      if (node.op() instanceof Op.Constant(var value)) {
        constants.add(value);
      }
    }
    assertThat(constants).containsAll(weights.values());
  }

  // Files made elsewhere.

  @Test
  void perceptron_asExported_isRead() throws OrtException {
    OnnxFile file =
        new OnnxFile(17)
            .input("x", 0, 4)
            .weight("fc1.weight", 5, 4)
            .weight("fc1.bias", 5)
            .weight("fc2.weight", 5, 1)
            .node(
                "Gemm",
                "x fc1.weight fc1.bias",
                "h",
                with("alpha", 1f),
                with("beta", 1f),
                with("transB", 1))
            .node("Relu", "h", "r")
            .node("Dropout", "r", "d")
            .node("MatMul", "d fc2.weight", "m")
            .node("Sigmoid", "m", "y");
    check(file, "y");
  }

  @Test
  void gemm_withFactors_isRead() throws OrtException {
    check(
        new OnnxFile(13)
            .input("x", 4, 2)
            .weight("w", 4, 3)
            .weight("c", 3)
            .node("Gemm", "x w c", "y", with("alpha", 0.5f), with("beta", 2f), with("transA", 1))
            .node("Gemm", "x w", "z", with("alpha", 3f), with("transA", 1)),
        "y z");
  }

  @ParameterizedTest
  @CsvSource({
    "'4', '4'",
    "'0 4', '4'",
    "'4', '4 3'",
    "'0 2 4', '4'",
    "'4', '2 4 3'",
    "'0 5 4', '4 2'"
  })
  void matMul_ofVectors_isRead(String a, String b) throws OrtException {
    check(new OnnxFile(13).input("a", ints(a)).input("b", ints(b)).node("MatMul", "a b", "y"), "y");
  }

  @ParameterizedTest
  @CsvSource({"0 -1", "-1 12", "0 0 4", "-1 4", "0 2 -1", "0 6 2", "1 -1 12"})
  void reshape_withZeroAndMinusOne_isRead(String shape) throws OrtException {
    check(
        new OnnxFile(13)
            .input("x", 0, 3, 4)
            .longs("shape", IntStream.of(ints(shape)).asLongStream().toArray())
            .node("Reshape", "x shape", "y"),
        "y");
  }

  @Test
  void reshape_byComputedShape_isRead() throws OrtException {
    check(
        new OnnxFile(13)
            .input("x", 0, 3, 4)
            .node("Shape", "x", "s")
            .node("Constant", "", "zero", tensor("value", 0))
            .node("Gather", "s zero", "b", with("axis", 0))
            .node("Constant", "", "rest", tensor("value", -1))
            .node("Concat", "b rest", "target", with("axis", 0))
            .node("Reshape", "x target", "y")
            .node("Flatten", "x", "f")
            .node("Flatten", "x", "g", with("axis", -1)),
        "y f g");
  }

  @Test
  void count_byComputedShape_isRead() throws OrtException {
    check(
        new OnnxFile(13)
            .input("x", 0, 3)
            .node("Shape", "x", "s")
            .node("Cast", "s", "c", with("to", 7))
            .node("ReduceProd", "c", "n", with("keepdims", 0))
            .node("Cast", "n", "f", with("to", 1))
            .node("Mul", "x f", "y"),
        "y");
  }

  @Test
  void squeezing_byAttributeOrInput_isRead() throws OrtException {
    check(
        new OnnxFile(11)
            .input("x", 0, 1, 3)
            .node("Squeeze", "x", "a", list("axes", 1))
            .node("Unsqueeze", "a", "b", list("axes", 0, -1)),
        "a b");
    check(
        new OnnxFile(13)
            .input("x", 0, 1, 3)
            .longs("at", -2)
            .longs("to", 0, 3)
            .node("Squeeze", "x at", "a")
            .node("Unsqueeze", "a to", "b")
            .node("Squeeze", "x", "c"),
        "a b c");
  }

  @Test
  void cutting_slicesAndSplits_isRead() throws OrtException {
    check(
        new OnnxFile(13)
            .input("x", 0, 6)
            .longs("from", 1, 0)
            .longs("to", -1, Long.MAX_VALUE)
            .longs("axes", 1, 0)
            .longs("steps", 1, 1)
            .longs("parts", 2, 4)
            .node("Slice", "x from to axes steps", "a")
            .node("Split", "x parts", "b c", with("axis", 1))
            .node("Split", "x", "d e f", with("axis", -1)),
        "a b c d e f");
    check(
        new OnnxFile(9)
            .input("x", 0, 6)
            .node("Slice", "x", "a", list("starts", 2), list("ends", 100), list("axes", 1))
            .node("Split", "x", "b c", with("axis", 1), list("split", 5, 1)),
        "a b c");
    check(
        new OnnxFile(18)
            .input("x", 0, 5)
            .node("Split", "x", "a b", with("axis", 1), with("num_outputs", 2)),
        "a b");
  }

  @Test
  void reductions_byAttributeOrInput_areRead() throws OrtException {
    check(
        new OnnxFile(11)
            .input("x", 0, 2, 3)
            .node("ReduceSum", "x", "a", list("axes", -1, 1), with("keepdims", 0))
            .node("ReduceMean", "x", "b", list("axes", 1))
            .node("ReduceMean", "x", "c", with("keepdims", 0)),
        "a b c");
    check(
        new OnnxFile(18)
            .input("x", 0, 2, 3)
            .longs("axes", 2)
            .node("ReduceSum", "x axes", "a", with("keepdims", 0))
            .node("ReduceMean", "x axes", "b")
            .node("ReduceSum", "x", "c", with("noop_with_empty_axes", 1)),
        "a b c");
  }

  @Test
  void normalizations_asExported_areRead() throws OrtException {
    OnnxFile file =
        new OnnxFile(17)
            .input("x", 0, 3, 4)
            .weight("scale", 4)
            .weight("bias", 4)
            .weight("scale2", 3, 4)
            .weight("gamma", 3)
            .weight("beta", 3)
            .weight("running_mean", 3)
            .weight("running_var", 3)
            .node(
                "LayerNormalization", "x scale bias", "a", with("axis", -1), with("epsilon", 0.01f))
            .node("LayerNormalization", "x scale2", "b", with("axis", 1))
            .node(
                "BatchNormalization",
                "x gamma beta running_mean running_var",
                "c",
                with("momentum", 0.9f))
            .node("Softmax", "x", "d", with("axis", 1));
    check(file, "a b c d");
  }

  /** PyTorch's exporter writes equal weights once, and Identities of them. */
  @Test
  void identity_ofAWeight_isRead() throws OrtException {
    check(
        new OnnxFile(17)
            .input("x", 0, 3)
            .weight("a.weight", 3)
            .node("Identity", "a.weight", "b.weight")
            .node("Identity", "b.weight", "var")
            .node("Identity", "a.weight", "seen")
            .node("BatchNormalization", "x a.weight b.weight var var", "n")
            .node("Mul", "n b.weight", "y"),
        "y seen");
  }

  @Test
  void elementwise_asExported_isRead() throws OrtException {
    check(
        new OnnxFile(17)
            .input("x", 0, 3)
            .input("z", 0, 3)
            .scalar("two", 2)
            .scalar("half", 0.5f)
            .scalar("third", 1 / 3f)
            .scalar("minusThree", -3)
            .scalar("low", 0.4f)
            .scalar("high", 0.7f)
            .weight("slope", 3)
            .node("Pow", "x two", "a")
            .node("Pow", "x half", "b")
            .node("Pow", "x third", "c")
            .node("Pow", "x minusThree", "d")
            .node("Clip", "x low high", "e")
            .node("Clip", "x - high", "f")
            .node("Less", "x z", "less")
            .node("Where", "less x z", "g")
            .node("Neg", "x", "n")
            .node("LeakyRelu", "n", "h", with("alpha", 0.2f))
            .node("PRelu", "n slope", "i")
            .node("Max", "x z low", "j")
            .node("Sum", "x z x", "k")
            .node("Cast", "less", "l", with("to", 1))
            .node("Identity", "n", "m"),
        "a b c d e f g h i j k l m");
    check(
        new OnnxFile(9)
            .input("x", 0, 3)
            .node("Clip", "x", "y", with("min", 0.3f))
            .node("Dropout", "y", "z", with("ratio", 0.5f)),
        "z");
  }

  @Test
  void moving_asExported_isRead() throws OrtException {
    check(
        new OnnxFile(13)
            .input("x", 0, 2, 3)
            .input("row", 1, 3)
            .node("Shape", "x", "s")
            .longs("fixed", 4, 3)
            .node("Transpose", "x", "a")
            .node("Transpose", "x", "b", list("perm", 0, 2, 1))
            .node("Concat", "x x", "c", with("axis", -2))
            .node("Expand", "row s", "d")
            .node("Expand", "row fixed", "e")
            .node("ConstantOfShape", "s", "f")
            .node("ConstantOfShape", "fixed", "g"),
        "a b c d e f g");
  }

  @Test
  void lookups_onAnyAxis_areRead() throws OrtException {
    check(
        new OnnxFile(13)
            .weight("table", 5, 3)
            .ids("ids", 5, 0, 2)
            .ids("columns", 3, 4)
            .input("x", 0, 3, 2)
            .longs("last", -1)
            .node("Gather", "table ids", "a")
            .node("Gather", "x columns", "b", with("axis", 1))
            .node("Gather", "x last", "c", with("axis", -1)),
        "a b c");
  }

  /** The builder numbers its own names, which must not take an input's. */
  @Test
  void input_namedLikeAnOperator_keepsItsName() throws OrtException {
    check(
        new OnnxFile(17)
            .scalar("c", 2)
            .input("Constant", 0, 3)
            .input("Add", 0, 3)
            .node("Add", "Constant Add", "a")
            .node("Mul", "a c", "y"),
        "y");
  }

  private static int[] ints(String text) {
    return Arrays.stream(text.split(" ", -1)).mapToInt(Integer::parseInt).toArray();
  }

  /**
   * ONNX Runtime on the file, the interpreter on what was read, and ONNX Runtime on that written
   * again, agree.
   */
  private static void check(OnnxFile file, String outputs) throws OrtException {
    ModelProto model = file.build(outputs);
    OnnxReader.Model read = OnnxReader.read(model);
    Map<String, PlainArray> expected = OrtRunner.run(model, file.given());
    agree(expected, PlainInterpreter.run(read.graph(), file.given()), "read");
    ModelProto again = OnnxWriter.write(read.graph(), Lowering.CPU, Map.of(), Map.of());
    agree(expected, OrtRunner.run(again, file.given()), "written again");
  }

  private static void roundTrip(
      Graph graph, Lowering lowering, Map<String, PlainArray> given, String what)
      throws OrtException {
    Map<String, TensorData> weights = new HashMap<>();
    graph
        .parameters()
        .forEach(
            p -> weights.put(p.name(), floats(given.getOrDefault(p.name(), PlainArray.scalar(0)))));
    OnnxReader.Model read = OnnxReader.read(OnnxWriter.write(graph, lowering, weights, Map.of()));
    assertThat(read.graph().inputs().toString()).isEqualTo(graph.inputs().toString());
    Map<String, PlainArray> expected = PlainInterpreter.run(graph, given);
    agree(expected, PlainInterpreter.run(read.graph(), given), what);
    ModelProto again = OnnxWriter.write(read.graph(), Lowering.CPU, Map.of(), Map.of());
    agree(expected, OrtRunner.run(again, given), what);
  }

  private static TensorData floats(PlainArray value) {
    float[] floats = new float[value.values().length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) value.values()[i];
    }
    return new TensorData.Floats(
        Shape.of(IntStream.of(value.shape()).asLongStream().toArray()), floats);
  }

  private static void agree(
      Map<String, PlainArray> expected, Map<String, PlainArray> actual, String what) {
    assertThat(actual.keySet()).as(what).isEqualTo(expected.keySet());
    expected.forEach(
        (name, value) -> {
          PlainArray got = actual.getOrDefault(name, value);
          assertThat(got.shape()).as(what + " " + name).isEqualTo(value.shape());
          assertThat(got.values())
              .as(what + " " + name)
              .containsExactly(value.values(), within(10 * TOLERANCE * (1 + value.largest())));
        });
  }
}
