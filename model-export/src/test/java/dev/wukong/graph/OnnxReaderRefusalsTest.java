package dev.wukong.graph;

import static dev.wukong.graph.OnnxFile.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.onnx.ModelProto;
import dev.wukong.onnx.TensorProto;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is refused of a file: what has no meaning here, what is broken, what asks for too much. */
final class OnnxReaderRefusalsTest {
  // What has no meaning.

  @Test
  void operator_withoutMeaning_isNamed() {
    refused(
        new OnnxFile(17).input("x", 0, 3).node("Einsum", "x", "y", with("equation", "ij->ji")),
        "node 'Einsum of y' (Einsum): no such operator is read here");
  }

  @Test
  void attribute_withoutMeaning_isNamed() {
    refused(
        new OnnxFile(17).input("x", 0, 3).node("Relu", "x", "y", with("slope", 1f)),
        "node 'Relu of y' (Relu): attribute 'slope' has no meaning here");
    refused(
        new OnnxFile(17).input("x", 0, 3).node("Softmax", "x", "y", with("axis", 1f)),
        "node 'Softmax of y' (Softmax): attribute 'axis' is of type FLOAT, not INT");
    refused(
        new OnnxFile(15)
            .input("x", 0, 3)
            .weight("s", 3)
            .node("BatchNormalization", "x s s s s", "y", with("training_mode", 1)),
        "node 'BatchNormalization of y' (BatchNormalization): attribute 'training_mode' is 1, and"
            + " only 0 has a meaning here");
    refused(
        new OnnxFile(11).input("x", 0, 3, 4).node("Softmax", "x", "y", with("axis", 1)),
        "node 'Softmax of y' (Softmax): attribute 'axis' is 1: before operator set 13 only the last"
            + " axis has a meaning here");
  }

  @Test
  void input_thatMustBeConstant_isNamed() {
    refused(
        new OnnxFile(17).input("x", 0, 3).input("e", 1).node("Pow", "x e", "y"),
        "node 'Pow of y' (Pow): input 1 ('e') must be constant");
    refused(
        new OnnxFile(17).input("x", 0, 3).node("Add", "x nothing", "y"),
        "node 'Add of y' (Add): input 'nothing' is not computed by any node before it");
    refused(
        new OnnxFile(17).input("x", 0, 3).node("Add", "x", "y"),
        "node 'Add of y' (Add): wants 2 inputs, has [x]");
    refused(
        new OnnxFile(17).input("x", 0, 3).node("MatMul", "", "y"),
        "node 'MatMul of y' (MatMul): input 0 is missing");
  }

  @Test
  void shapes_thatDoNotFit_areNamed() {
    refused(
        new OnnxFile(17).input("x", 0, 3).input("z", 0, 4).node("Add", "x z", "y"),
        "node 'Add of y' (Add): shapes [batch_size, 3] and [batch_size, 4] do not broadcast");
    refused(
        new OnnxFile(17).input("x", 0, 3).longs("s", -1, 2).node("Reshape", "x s", "y"),
        "node 'Reshape of y' (Reshape): 3batch_size elements do not divide by 2");
    refused(
        new OnnxFile(17)
            .input("x", 0, 3)
            .longs("from", 1)
            .longs("to", 2)
            .node("Slice", "x from to", "y"),
        "node 'Slice of y' (Slice): axis 0 has the symbolic size batch_size: only all of it can be"
            + " taken");
  }

  @Test
  void file_brokenOrStrange_isRefused() {
    assertThatThrownBy(
            () -> OnnxReader.read("no model".getBytes(java.nio.charset.StandardCharsets.UTF_8)))
        .isInstanceOf(OnnxReadException.class)
        .hasMessageStartingWith("not an ONNX file");
    assertThatThrownBy(() -> OnnxReader.read(new byte[0]))
        .isInstanceOf(OnnxReadException.class)
        .hasMessage("not an ONNX file: it has no graph");
    refused(
        new OnnxFile(8).input("x", 3).node("Relu", "x", "y"), "operator set 8: 9 to 24 are read");
    refused(new OnnxFile(17).input("x", 3), "output 'y' is not computed as a tensor by any node");
    refused(
        new OnnxFile(17).input("x", 3).node("Relu", "x", "y").node("Neg", "x", "y"),
        "the name 'y' is given to two values");
    refused(
        new OnnxFile(17).weight("x", 3).weight("x", 3).node("Relu", "x", "y"),
        "initializer 'x' is there twice, or has no name");
  }

  @Test
  void initializer_shorterThanItsShape_isRefused() {
    ModelProto.Builder model =
        new OnnxFile(17).weight("w", 2).node("Relu", "w", "y").build("y").toBuilder();
    TensorProto.Builder w = model.getGraphBuilder().getInitializerBuilder(0);
    w.clearDims().addDims(1_000_000).addDims(1_000);
    assertThatThrownBy(() -> OnnxReader.read(model.build()))
        .isInstanceOf(OnnxReadException.class)
        .hasMessage(
            "initializer 'w' has the shape [1000000, 1000] but holds 2 elements of type FLOAT");
    w.clearDims().addDims(1L << 40).addDims(1L << 40);
    assertThatThrownBy(() -> OnnxReader.read(model.build()))
        .hasMessage("initializer 'w' has the impossible shape [1099511627776, 1099511627776]");
    w.clearDims().addDims(2).setDataLocation(1);
    assertThatThrownBy(() -> OnnxReader.read(model.build()))
        .hasMessage("initializer 'w' lies outside the file, which is not read");
  }

  // Small files that ask for much.

  @ParameterizedTest
  @CsvSource({
    "-1, 'attribute ''num_outputs'' is -1, want 1 or more'",
    "0, 'attribute ''num_outputs'' is 0, want 1 or more'",
    "6, 'attribute ''num_outputs'' is 6 for 2 outputs'",
    "1000000000, 'attribute ''num_outputs'' is 1000000000 for 2 outputs'"
  })
  void split_intoAnyNumber_isRefused(long count, String message) {
    refused(
        new OnnxFile(18)
            .declared("x", 0, 1_000_000_000)
            .node("Split", "x", "y z", with("axis", 1), with("num_outputs", count)),
        "node 'Split of y z' (Split): " + message);
  }

  /** The parts of an axis near the largest long must not run past it. */
  @Test
  void split_ofAHugeAxis_ends() {
    OnnxFile file = new OnnxFile(18).declared("x", Long.MAX_VALUE).node("Split", "x", "y z");
    assertThat(OnnxReader.read(file.build("y z")).graph().outputs().values())
        .extracting(Tensor::shape)
        .containsExactly(Shape.of(1L << 62), Shape.of((1L << 62) - 1));
  }

  @Test
  void normalization_ofAnyWidthWithoutBias_isRefused() {
    refused(
        new OnnxFile(17)
            .declared("x", 1, 2_000_000_000)
            .declared("scale", 2_000_000_000)
            .node("LayerNormalization", "x scale", "y"),
        "node 'LayerNormalization of y' (LayerNormalization): zeros of the shape [2000000000]: at"
            + " most 1048576 elements are made");
    // With a bias nothing has to be made.
    OnnxFile biased =
        new OnnxFile(17)
            .declared("x", 1, 2_000_000)
            .declared("scale", 2_000_000)
            .declared("bias", 2_000_000)
            .node("LayerNormalization", "x scale bias", "y");
    assertThat(OnnxReader.read(biased.build("y")).graph().outputs()).containsKey("y");
  }

  @Test
  void fills_ofAnySizeInAll_areRefused() {
    OnnxFile file = new OnnxFile(17);
    for (int i = 0; i < 5; i++) {
      file.longs("s" + i, 1_000_000 + i).node("ConstantOfShape", "s" + i, "y" + i);
    }
    refused(
        file,
        "node 'ConstantOfShape of y4' (ConstantOfShape): zeros of the shape [1000004]: at most"
            + " 4194304 elements are made in all",
        "y4");
    refused(
        new OnnxFile(17).longs("s", 1 << 11, 1 << 10).node("ConstantOfShape", "s", "y"),
        "node 'ConstantOfShape of y' (ConstantOfShape): zeros of the shape [2048, 1024]: at most"
            + " 1048576 elements are made");
  }

  @Test
  void listOfSizes_doubledAgainAndAgain_isRefused() {
    OnnxFile joined = new OnnxFile(17).input("x", 0, 3).node("Shape", "x", "s0");
    OnnxFile multiplied =
        new OnnxFile(17).input("x", 0, 3).node("Shape", "x", "s0", with("end", 1));
    for (int i = 0; i < 40; i++) {
      String twice = "s%d s%d".formatted(i, i);
      joined.node("Concat", twice, "s" + (i + 1), with("axis", 0));
      multiplied.node("Mul", twice, "s" + (i + 1));
    }
    refused(joined, "node 'Concat of s6' (Concat): 65 axes or sizes, at most 64 are read", "s40");
    refused(multiplied, "node 'Mul of s7' (Mul): 128 axes or sizes, at most 64 are read", "s40");
  }

  @Test
  void axes_moreThanAnyTensorHas_areRefused() {
    long[] many = new long[1000];
    for (OnnxFile file :
        List.of(
            new OnnxFile(17).input("x", 1).longs("s", many).node("Reshape", "x s", "y"),
            new OnnxFile(17).input("x", 1).longs("s", many).node("Expand", "x s", "y"),
            new OnnxFile(17).longs("s", many).node("ConstantOfShape", "s", "y"),
            new OnnxFile(17).input("x", 1).longs("s", many).node("ReduceSum", "x s", "y"),
            new OnnxFile(17).input("x", 9).longs("s", many).node("Slice", "x s s s", "y"))) {
      assertThatThrownBy(() -> OnnxReader.read(file.build("y")))
          .isInstanceOf(OnnxReadException.class)
          .hasMessageEndingWith("1000 axes or sizes, at most 64 are read");
    }
    refused(
        new OnnxFile(17).declared("x", many).node("Relu", "x", "y"),
        "input 'x' has 1000 axes, at most 64 are read");
    refused(
        new OnnxFile(17).input("x", 1).longs("s", many).node("Unsqueeze", "x s", "y"),
        "node 'Unsqueeze of y' (Unsqueeze): 1001 axes or sizes, at most 64 are read");
  }

  /** The writer's own names, all of them taken. */
  @Test
  void names_takenByTheThousand_doNotDeepenTheStack() {
    GraphBuilder g = new GraphBuilder("names", DataType.FLOAT);
    Tensor x = g.input("x", DataType.FLOAT, Dim.of("B"));
    int taken = 200_000;
    for (int i = 0; i < taken; i++) {
      g.input("#" + i, DataType.FLOAT);
    }
    g.output("y", g.reduceSum(x, true, 0));
    ModelProto model = OnnxWriter.write(g.build(), Lowering.CPU, Map.of(), Map.of());
    assertThat(model.getGraph().getInitializer(0).getName()).isEqualTo("#" + taken);
  }

  private static void refused(OnnxFile file, String message) {
    refused(file, message, "y");
  }

  private static void refused(OnnxFile file, String message, String outputs) {
    assertThatThrownBy(() -> OnnxReader.read(file.build(outputs)))
        .isInstanceOf(OnnxReadException.class)
        .hasMessage(message);
  }
}
