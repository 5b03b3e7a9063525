package dev.wukong.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OrtException;
import dev.wukong.graph.DataType;
import dev.wukong.graph.Dim;
import dev.wukong.graph.Graph;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Lowering;
import dev.wukong.graph.OnnxWriter;
import dev.wukong.graph.OrtRunner;
import dev.wukong.graph.PlainArray;
import dev.wukong.graph.PlainInterpreter;
import dev.wukong.graph.Shape;
import dev.wukong.graph.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The optimizers' graphs against loops over doubles, step after step. */
class OptimizerTest {
  private static final int ROWS = 5;
  private static final int WIDTH = 4;
  private static final int STEPS = 6;
  private static final double RATE = 0.05;

  /** Both sides in double: a few roundings a step. */
  private static final double EXACT = 1e-12;

  /** One step of one weight, changing the arrays. */
  private interface Loops {
    void step(double[] w, double[] g, double[][] state, long step);
  }

  private static Loops adam(double beta1, double beta2, double epsilon) {
    return (w, g, state, step) -> {
      for (int i = 0; i < w.length; i++) {
        state[0][i] = beta1 * state[0][i] + (1 - beta1) * g[i];
        state[1][i] = beta2 * state[1][i] + (1 - beta2) * g[i] * g[i];
        double m = state[0][i] / (1 - Math.pow(beta1, (double) step));
        double v = state[1][i] / (1 - Math.pow(beta2, (double) step));
        w[i] -= RATE * m / (Math.sqrt(v) + epsilon);
      }
    };
  }

  private static Loops adaGrad(double epsilon) {
    return (w, g, state, step) -> {
      for (int row = 0; row < ROWS; row++) {
        double sum = 0;
        for (int i = row * WIDTH; i < (row + 1) * WIDTH; i++) {
          sum += g[i] * g[i];
        }
        state[0][row] += sum / WIDTH;
        for (int i = row * WIDTH; i < (row + 1) * WIDTH; i++) {
          w[i] -= RATE * g[i] / (Math.sqrt(state[0][row]) + epsilon);
        }
      }
    };
  }

  private static Loops sgd() {
    return (w, g, state, step) -> {
      for (int i = 0; i < w.length; i++) {
        w[i] -= RATE * g[i];
      }
    };
  }

  @Test
  void sgd_severalSteps_followsTheLoops() throws OrtException {
    check(new Optimizer.Sgd(), sgd(), 1);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 1000, 1L << 40})
  void adam_severalStepsFromAnyStep_followsTheLoops(long first) throws OrtException {
    check(new Optimizer.Adam(0.9, 0.999, 1e-8), adam(0.9, 0.999, 1e-8), first);
    check(new Optimizer.Adam(0, 0.5, 0.1), adam(0, 0.5, 0.1), first);
  }

  @Test
  void rowWiseAdaGrad_severalSteps_followsTheLoops() throws OrtException {
    check(new Optimizer.RowWiseAdaGrad(1e-8), adaGrad(1e-8), 1);
    check(new Optimizer.RowWiseAdaGrad(0.5), adaGrad(0.5), 1);
  }

  /** In double by the interpreter, in float by ONNX Runtime. */
  private static void check(Optimizer optimizer, Loops loops, long first) throws OrtException {
    Random random = new Random(3);
    double[] w = numbers(random, ROWS * WIDTH);
    double[][] state =
        optimizer.state(Shape.of(ROWS, WIDTH)).stream()
            .map(shape -> new double[(int) shape.elements().size()])
            .toArray(double[][]::new);
    Map<String, PlainArray> plain = start(w, state);
    Map<String, PlainArray> floats = start(w, state);
    Graph exact = graph(optimizer, DataType.DOUBLE);
    try (OrtRunner runner =
        OrtRunner.load(
            OnnxWriter.write(graph(optimizer, DataType.FLOAT), Lowering.CPU, Map.of(), Map.of()),
            1)) {
      for (long step = first; step < first + STEPS; step++) {
        double[] g = numbers(random, ROWS * WIDTH);
        loops.step(w, g, state, step);
        advance(plain, PlainInterpreter.run(exact, given(plain, g, step)));
        advance(floats, runner.run(given(floats, g, step)));
        agree(plain, w, state, EXACT);
        // Float holds 0.999 to 3e-8, so that 1 - 0.999 is off by 1.3e-5 of itself; its root enters
        // each of six changes of up to 0.15.
        agree(floats, w, state, 1e-5);
      }
    }
  }

  private static Graph graph(Optimizer optimizer, DataType type) {
    GraphBuilder g = new GraphBuilder("optimizer", type);
    Tensor weight = g.input("w", type, Dim.of(ROWS), Dim.of(WIDTH));
    Tensor gradient = g.input("g", type, Dim.of(ROWS), Dim.of(WIDTH));
    List<Tensor> state = new ArrayList<>();
    for (Shape shape : optimizer.state(weight.shape())) {
      state.add(g.input("s" + state.size(), type, shape.dims().toArray(Dim[]::new)));
    }
    Tensor step = g.input("step", DataType.INT64);
    Optimizer.Updated updated =
        optimizer.at(g, g.constant(RATE), step).update(weight, gradient, state);
    g.output("new w", updated.weight());
    for (int i = 0; i < state.size(); i++) {
      g.output("new s" + i, updated.state().get(i));
    }
    return g.build();
  }

  private static Map<String, PlainArray> start(double[] w, double[][] state) {
    Map<String, PlainArray> values = new HashMap<>();
    values.put("w", new PlainArray(new int[] {ROWS, WIDTH}, w.clone()));
    for (int i = 0; i < state.length; i++) {
      int width = state[i].length / ROWS;
      values.put("s" + i, new PlainArray(new int[] {ROWS, width}, state[i].clone()));
    }
    return values;
  }

  private static Map<String, PlainArray> given(
      Map<String, PlainArray> values, double[] g, long step) {
    Map<String, PlainArray> given = new HashMap<>(values);
    given.put("g", new PlainArray(new int[] {ROWS, WIDTH}, g));
    given.put("step", PlainArray.scalar((double) step));
    return given;
  }

  private static void advance(Map<String, PlainArray> values, Map<String, PlainArray> out) {
    values.replaceAll((name, _) -> Objects.requireNonNull(out.get("new " + name)));
  }

  private static void agree(
      Map<String, PlainArray> values, double[] w, double[][] state, double tolerance) {
    assertThat(Objects.requireNonNull(values.get("w")).values())
        .containsExactly(w, within(tolerance));
    for (int i = 0; i < state.length; i++) {
      assertThat(Objects.requireNonNull(values.get("s" + i)).values())
          .containsExactly(state[i], within(tolerance));
    }
  }

  private static double[] numbers(Random random, int count) {
    double[] numbers = new double[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) random.nextGaussian();
    }
    // A weight without any gradient, and a row without one.
    numbers[2] = 0;
    java.util.Arrays.fill(numbers, WIDTH, 2 * WIDTH, 0);
    return numbers;
  }

  /** 0 / 0 otherwise: the padding row never has a gradient. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void noEpsilon_noGradient_changesNothing(boolean adam) throws OrtException {
    Optimizer optimizer =
        adam ? new Optimizer.Adam(0.9, 0.999, 0) : new Optimizer.RowWiseAdaGrad(0);
    double[] w = numbers(new Random(1), ROWS * WIDTH);
    int slots = optimizer.state(Shape.of(ROWS, WIDTH)).size();
    Map<String, PlainArray> values = start(w, new double[slots][adam ? ROWS * WIDTH : ROWS]);
    Map<String, PlainArray> out =
        OrtRunner.run(
            OnnxWriter.write(graph(optimizer, DataType.FLOAT), Lowering.CPU, Map.of(), Map.of()),
            given(values, new double[ROWS * WIDTH], 1));
    assertThat(Objects.requireNonNull(out.get("new w")).values()).containsExactly(w);
  }

  // What is done to gradients before.

  @Test
  void clipped_aboveTheLimit_hasThatNorm() {
    double[] a = {3, 0};
    double[] b = {4};
    double scale = 2 / (5 + 1e-6);
    assertThat(clipped(2, a, b))
        .containsExactly(new double[] {3 * scale, 0, 4 * scale}, within(EXACT));
  }

  @Test
  void clipped_belowTheLimitOrWithoutOne_isAsItWas() {
    assertThat(clipped(6, new double[] {3, 0}, new double[] {4})).containsExactly(3, 0, 4);
    assertThat(clipped(0, new double[] {3e9, 0}, new double[] {4})).containsExactly(3e9, 0, 4);
  }

  private static double[] clipped(double limit, double[] a, double[] b) {
    GraphBuilder g = new GraphBuilder("clip", DataType.DOUBLE);
    Tensor first = g.input("a", DataType.DOUBLE, Dim.of(2));
    Tensor second = g.input("b", DataType.DOUBLE, Dim.of(1));
    UpdateRule rule = new UpdateRule(new Optimizer.Sgd(), new Optimizer.Sgd(), 0, limit);
    g.output("out", g.concat(0, rule.clipped(g, List.of(first, second))));
    Map<String, PlainArray> given =
        Map.of("a", new PlainArray(new int[] {2}, a), "b", new PlainArray(new int[] {1}, b));
    return Objects.requireNonNull(PlainInterpreter.run(g.build(), given).get("out")).values();
  }

  @Test
  void rowGradient_withRegularization_leavesThePaddingRowOut() {
    GraphBuilder g = new GraphBuilder("rows", DataType.DOUBLE);
    Tensor rows = g.input("rows", DataType.DOUBLE, Dim.of("U"), Dim.of(2));
    Tensor gradient = g.input("gradient", DataType.DOUBLE, Dim.of("U"), Dim.of(2));
    UpdateRule rule = new UpdateRule(new Optimizer.Sgd(), new Optimizer.Sgd(), 0.5, 0);
    g.output("out", rule.rowGradient(g, rows, gradient));
    Map<String, PlainArray> given =
        Map.of(
            "rows", new PlainArray(new int[] {3, 2}, new double[] {7, 7, 2, 4, 6, 8}),
            "gradient", new PlainArray(new int[] {3, 2}, new double[] {9, 9, 1, 1, 0, 0}));
    assertThat(Objects.requireNonNull(PlainInterpreter.run(g.build(), given).get("out")).values())
        .containsExactly(0, 0, 2, 3, 3, 4);
  }
}
