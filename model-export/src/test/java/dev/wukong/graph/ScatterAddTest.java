package dev.wukong.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OrtException;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The gradient of a lookup, where many updates meet in few rows and several threads run. */
final class ScatterAddTest {
  private static final int ROWS = 7;
  private static final int WIDTH = 16;
  private static final int UPDATES = 100_000;
  private static final int RUNS = 12;

  @Test
  void scatterAdd_manyRepeatsOnFourThreads_losesNoUpdate() throws OrtException {
    Graph graph = graph();
    Map<String, PlainArray> given = given();
    PlainArray expected = Objects.requireNonNull(PlainInterpreter.run(graph, given).get("sums"));
    try (OrtRunner runner =
        OrtRunner.load(OnnxWriter.write(graph, Lowering.CPU, Map.of(), Map.of()), 4)) {
      for (int i = 0; i < RUNS; i++) {
        PlainArray sums = Objects.requireNonNull(runner.run(given).get("sums"));
        // 14,000 additions a cell, to sums of some hundreds: rounding comes to about 1e-3. The racing kernel is off by 70 to 190.
        assertThat(sums.values()).containsExactly(expected.values(), within(0.05));
      }
    }
  }

  /**
   * Loaded only, never run here: the CPU provider's ScatterND with reduction adds without atomics from several threads, so with repeated
   * indices it loses updates. On CUDA, which this lowering is for, it adds atomically.
   */
  @Test
  void scatterAdd_writtenForCuda_loads() {
    assertThatCode(
            () ->
                OrtRunner.load(OnnxWriter.write(graph(), Lowering.CUDA, Map.of(), Map.of()), 1)
                    .close())
        .doesNotThrowAnyException();
  }

  @Test
  void scatterAdd_writtenForCudaOnOneThread_meansTheSame() throws OrtException {
    GraphBuilder g = new GraphBuilder("scatter", DataType.FLOAT);
    Tensor like = g.input("like", DataType.FLOAT, Dim.of("U"), Dim.of(2));
    Tensor indices = g.input("indices", DataType.INT32, Dim.of("B"), Dim.of(2));
    Tensor updates = g.input("updates", DataType.FLOAT, Dim.of("B"), Dim.of(2), Dim.of(2));
    g.output("sums", g.apply(new Op.ScatterAdd(), like, indices, updates));
    Map<String, PlainArray> given =
        Map.of(
            "like", PlainArray.of(new int[] {3, 2}, _ -> 9),
            "indices", new PlainArray(new int[] {2, 2}, new double[] {2, 0, 2, 2}),
            "updates", PlainArray.of(new int[] {2, 2, 2}, i -> 4 * i[0] + 2 * i[1] + i[2]));
    Map<String, PlainArray> sums =
        OrtRunner.run(OnnxWriter.write(g.build(), Lowering.CUDA, Map.of(), Map.of()), given);
    assertThat(sums)
        .containsEntry("sums", new PlainArray(new int[] {3, 2}, new double[] {2, 3, 0, 0, 10, 13}));
  }

  private static Graph graph() {
    GraphBuilder g = new GraphBuilder("scatter", DataType.FLOAT);
    Tensor like = g.input("like", DataType.FLOAT, Dim.of("U"), Dim.of(WIDTH));
    Tensor indices = g.input("indices", DataType.INT32, Dim.of("B"));
    Tensor updates = g.input("updates", DataType.FLOAT, Dim.of("B"), Dim.of(WIDTH));
    g.output("sums", g.apply(new Op.ScatterAdd(), like, indices, updates));
    return g.build();
  }

  private static Map<String, PlainArray> given() {
    Random random = new Random(5);
    double[] updates = new double[UPDATES * WIDTH];
    for (int i = 0; i < updates.length; i++) {
      updates[i] = (float) random.nextGaussian();
    }
    double[] indices = random.ints(UPDATES, 0, ROWS).asDoubleStream().toArray();
    return Map.of(
        "like", new PlainArray(new int[] {ROWS, WIDTH}, new double[ROWS * WIDTH]),
        "indices", new PlainArray(new int[] {UPDATES}, indices),
        "updates", new PlainArray(new int[] {UPDATES, WIDTH}, updates));
  }
}
