package dev.wukong.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OrtException;
import dev.wukong.onnx.Attribute;
import dev.wukong.onnx.GraphProto;
import dev.wukong.onnx.ModelProto;
import dev.wukong.onnx.NodeProto;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** What a Scan means beyond the random cases of {@link OpCase}, and what it refuses. */
final class ScanTest {
  private final GraphBuilder g = new GraphBuilder("outer", DataType.FLOAT);
  private final GraphBuilder b = new GraphBuilder("body", DataType.FLOAT);
  private final Tensor start = g.input("start", DataType.FLOAT, Dim.of(2));
  private final Tensor steps = g.input("steps", DataType.FLOAT, Dim.of("K"), Dim.of(2));
  private final Tensor value = b.input("value", DataType.FLOAT, Dim.of(2));
  private final Tensor step = b.input("step", DataType.FLOAT, Dim.of(2));

  @Test
  void scan_runningSum_writtenOut() throws OrtException {
    Tensor next = b.add(value, step);
    b.output("next", next);
    b.output("seen", next);
    List<Tensor> out = g.applyAll(new Op.Scan(b.build(), 1), start, steps);
    assertThat(out).extracting(t -> t.shape().toString()).containsExactly("[2]", "[K, 2]");
    g.output("last", out.get(0));
    g.output("all", out.get(1));
    Map<String, PlainArray> given =
        Map.of(
            "start", new PlainArray(new int[] {2}, new double[] {10, 20}),
            "steps", new PlainArray(new int[] {3, 2}, new double[] {1, 2, 3, 4, 5, 6}));
    ModelProto model = OnnxWriter.write(g.build(), Lowering.CPU, Map.of(), Map.of());
    assertThat(OrtRunner.run(model, given))
        .containsEntry("last", new PlainArray(new int[] {2}, new double[] {19, 32}))
        .containsEntry(
            "all", new PlainArray(new int[] {3, 2}, new double[] {11, 22, 14, 26, 19, 32}));
  }

  /** Both trip counts come from the inputs' shapes. */
  @Test
  void scan_withinAScan_meansTheSame() throws OrtException {
    b.output("next", b.mul(b.add(value, step), 0.5));
    GraphBuilder middle = new GraphBuilder("middle", DataType.FLOAT);
    Tensor carried = middle.input("value", DataType.FLOAT, Dim.of(2));
    Tensor rows = middle.input("rows", DataType.FLOAT, Dim.of("N"), Dim.of(2));
    Tensor inner = middle.apply(new Op.Scan(b.build(), 1), carried, rows);
    middle.output("next", inner);
    middle.output("each", middle.reduceSum(inner, false));
    Tensor blocks = g.input("blocks", DataType.FLOAT, Dim.of("K"), Dim.of("N"), Dim.of(2));
    List<Tensor> out = g.applyAll(new Op.Scan(middle.build(), 1), start, blocks);
    g.output("last", out.get(0));
    g.output("each", out.get(1));
    Random random = new Random(4);
    Map<String, PlainArray> given =
        Map.of(
            "start", PlainArray.of(new int[] {2}, _ -> random.nextInt(9)),
            "steps", PlainArray.of(new int[] {3, 2}, _ -> 0),
            "blocks", PlainArray.of(new int[] {3, 4, 2}, _ -> random.nextInt(9)));
    Graph graph = g.build();
    ModelProto model = OnnxWriter.write(graph, Lowering.CPU, Map.of(), Map.of());
    Map<String, PlainArray> expected = PlainInterpreter.run(graph, given);
    assertThat(OrtRunner.run(model, given)).isEqualTo(expected);
    assertThat(OrtRunner.run(rewritten(model), given)).isEqualTo(expected);
  }

  private static ModelProto rewritten(ModelProto model) {
    OnnxReader.Model read = OnnxReader.read(model);
    return OnnxWriter.write(read.graph(), Lowering.CPU, Map.of(), Map.of());
  }

  /** The rows' gradient in a step graph: a scatter in each run, added to carried rows. */
  @Test
  void scan_scatterWithRepeatsOnFourThreads_losesNoUpdate() throws OrtException {
    int updates = 50_000;
    GraphBuilder body = new GraphBuilder("body", DataType.FLOAT);
    Tensor rows = body.input("rows", DataType.FLOAT, Dim.of("U"), Dim.of(8));
    Tensor slots = body.input("slots", DataType.INT32, Dim.of("B"));
    Tensor values = body.input("values", DataType.FLOAT, Dim.of("B"), Dim.of(8));
    body.output("next", body.add(rows, body.apply(new Op.ScatterAdd(), rows, slots, values)));
    GraphBuilder outer = new GraphBuilder("outer", DataType.FLOAT);
    Tensor sums =
        outer.apply(
            new Op.Scan(body.build(), 1),
            outer.input("rows", DataType.FLOAT, Dim.of("U"), Dim.of(8)),
            outer.input("slots", DataType.INT32, Dim.of("K"), Dim.of("B")),
            outer.input("values", DataType.FLOAT, Dim.of("K"), Dim.of("B"), Dim.of(8)));
    outer.output("sums", sums);
    Random random = new Random(5);
    Map<String, PlainArray> given =
        Map.of(
            "rows", PlainArray.of(new int[] {5, 8}, _ -> 0),
            "slots", PlainArray.of(new int[] {3, updates}, _ -> random.nextInt(5)),
            "values", PlainArray.of(new int[] {3, updates, 8}, _ -> (float) random.nextGaussian()));
    Graph graph = outer.build();
    PlainArray expected = Objects.requireNonNull(PlainInterpreter.run(graph, given).get("sums"));
    ModelProto model = OnnxWriter.write(graph, Lowering.CPU, Map.of(), Map.of());
    try (OrtRunner runner = OrtRunner.load(model, 4)) {
      for (int i = 0; i < 4; i++) {
        PlainArray got = Objects.requireNonNull(runner.run(given).get("sums"));
        // 30,000 additions a cell, to sums of some hundreds: rounding comes to about 1e-3.
        assertThat(got.values()).containsExactly(expected.values(), within(0.05));
      }
    }
  }

  @Test
  void body_readingAroundItself_isRefused() {
    refused(() -> b.add(value, start), "tensor start FLOAT[2] belongs to another graph");
    Graph open = new Graph("open", List.of(value), List.of(), Map.of("next", step), List.of());
    refused(
        () -> g.apply(new Op.Scan(open, 0), g.input("x", DataType.FLOAT, Dim.of(3), Dim.of(2))),
        "Scan[body=open, carried=0]: its body reads step FLOAT[2], which is neither its input nor"
            + " computed in it: carry it as a value");
  }

  @Test
  void body_withAParameter_isRefused() {
    b.output("next", b.mul(value, b.parameter("w", Shape.of(2))));
    refused(
        () -> g.apply(new Op.Scan(b.build(), 1), start, steps),
        "Scan[body=body, carried=1]: its body has the parameter w FLOAT[2], want none");
  }

  @Test
  void inputs_thatDoNotFitTheBody_areRefused() {
    b.output("next", b.add(value, step));
    Op scan = new Op.Scan(b.build(), 1);
    refused(
        () -> g.apply(scan, start),
        "Scan[body=body, carried=1] wants 2 inputs, one of them scanned, has [start FLOAT[2]]");
    refused(
        () -> g.apply(scan, g.reshape(start, Dim.of(1), Dim.of(2)), steps),
        "Scan[body=body, carried=1] wants the carried value FLOAT[2], has [Reshape FLOAT[1, 2]]");
    refused(
        () -> g.apply(scan, start, start),
        "Scan[body=body, carried=1] wants one step FLOAT[2] for each run, has [start FLOAT[2]]");
    GraphBuilder two = new GraphBuilder("two", DataType.FLOAT);
    two.output("sum", two.add(two.input("a", DataType.FLOAT), two.input("b", DataType.FLOAT)));
    Tensor four = g.input("four", DataType.FLOAT, Dim.of(4));
    refused(
        () -> g.apply(new Op.Scan(two.build(), 0), four, start),
        "Scan[body=two, carried=0] wants equal axes 0 of its scanned inputs, has [four FLOAT[4],"
            + " start FLOAT[2]]");
  }

  @Test
  void carriedValue_thatChangesItsShape_isRefused() {
    b.output("next", b.reduceSum(b.add(value, step), false));
    refused(
        () -> g.apply(new Op.Scan(b.build(), 1), start, steps),
        "Scan[body=body, carried=1] wants a carried value as its body begins with it, value"
            + " FLOAT[2], has [ReduceSum FLOAT[]]");
  }

  @Test
  void flops_ofAScan_countEachRun() {
    Tensor x = b.input("x", DataType.FLOAT, Dim.of("B"), Dim.of(3));
    b.output("next", b.add(value, step));
    b.output("y", b.apply(new Op.Exp(), x));
    Graph body = b.build();
    Tensor two = g.input("two", DataType.FLOAT, Dim.of(4), Dim.of(2));
    Tensor xs = g.input("xs", DataType.FLOAT, Dim.of(4), Dim.of("B"), Dim.of(3));
    g.output("y", g.applyAll(new Op.Scan(body, 1), start, two, xs).get(1));
    assertThat(Flops.perExample(g.build(), "B")).isEqualTo(new Flops(0, 12));
    assertThat(Flops.fixed(g.build())).isEqualTo(new Flops(0, 8));
  }

  @Test
  void flops_ofAScanOfUnknownLength_areThoseOfARun() {
    b.output("next", b.add(value, step));
    g.output("y", g.apply(new Op.Scan(b.build(), 1), start, steps));
    assertThat(Flops.perExample(g.build(), "K")).isEqualTo(new Flops(0, 2));
    assertThat(Flops.perExample(g.build(), "B")).isEqualTo(new Flops(0, 0));
    assertThat(Flops.fixed(g.build())).isEqualTo(new Flops(0, 0));
  }

  @Test
  void flops_thatGrowWithRunsTimesRows_areRefused() {
    Tensor x = b.input("x", DataType.FLOAT, Dim.of("B"));
    b.output("next", b.add(value, step));
    b.output("y", b.neg(x));
    Tensor xs = g.input("xs", DataType.FLOAT, Dim.of("K"), Dim.of("B"));
    g.output("y", g.applyAll(new Op.Scan(b.build(), 1), start, steps, xs).get(1));
    for (String symbol : List.of("K", "B")) {
      refused(
          () -> Flops.perExample(g.build(), symbol),
          "a cost of K runs of body is not so much for each " + symbol);
    }
    assertThat(Flops.fixed(g.build())).isEqualTo(new Flops(0, 0));
  }

  // Files made elsewhere.

  @Test
  void scan_readFromAFile_refusesWhatHasNoMeaning() {
    unread(n -> n.clearAttribute(), "attribute 'num_scan_inputs' is 0, want 1 to 2 inputs");
    unread(
        n -> n.addAttribute(OnnxFile.list("scan_input_directions", 1)),
        "attribute 'scan_input_directions' is [1], and only 0 has a meaning here");
    unread(
        n -> n.addAttribute(OnnxFile.list("scan_output_axes", 1)),
        "attribute 'scan_output_axes' is [1], and only 0 has a meaning here");
    unread(
        n -> body(n, proto -> proto.setNode(0, proto.getNode(0).toBuilder().setInput(1, "start"))),
        "its body reads 'start' of the graph around it: make that a carried value of the Scan");
    unread(
        n -> body(n, proto -> proto.removeInput(1)),
        "its body has 1 inputs for 2, or sparse initializers");
  }

  private static void body(NodeProto.Builder n, UnaryOperator<GraphProto.Builder> change) {
    for (Attribute.Builder attribute : n.getAttributeBuilderList()) {
      if (attribute.hasG()) {
        attribute.setG(change.apply(attribute.getG().toBuilder()));
      }
    }
  }

  private static void unread(Consumer<NodeProto.Builder> change, String message) {
    ModelProto.Builder model = new ScanTest().file().toBuilder();
    change.accept(model.getGraphBuilder().getNodeBuilder(0));
    assertThatThrownBy(() -> OnnxReader.read(model.build()))
        .isInstanceOf(OnnxReadException.class)
        .hasMessage("node 'y' (Scan): " + message);
  }

  private ModelProto file() {
    b.output("next", b.add(value, step));
    g.output("y", g.apply(new Op.Scan(b.build(), 1), start, steps));
    return OnnxWriter.write(g.build(), Lowering.CPU, Map.of(), Map.of());
  }

  private static void refused(ThrowingCallable call, String message) {
    assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
  }
}
