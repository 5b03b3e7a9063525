package dev.wukong.figures;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import dev.wukong.graph.DataType;
import dev.wukong.graph.Dim;
import dev.wukong.graph.Graph;
import dev.wukong.graph.GraphBuilder;
import dev.wukong.graph.Lowering;
import dev.wukong.graph.OnnxWriter;
import dev.wukong.graph.Op;
import dev.wukong.graph.Shape;
import dev.wukong.graph.Tensor;
import dev.wukong.graph.TensorData;
import dev.wukong.runtime.OnnxRuntime;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rounding by arithmetic against rounding of bits. */
class RoundedGraphTest {
  private static final int COUNT = 2000;

  @ParameterizedTest
  @ValueSource(ints = {RoundedGraph.BFLOAT16, RoundedGraph.HALF})
  void everyHalfIsRounded_whatIsWideIsNot(int bits) throws Exception {
    GraphBuilder g = new GraphBuilder("half", DataType.FLOAT16);
    Tensor x = g.input("x", DataType.FLOAT, Dim.of(COUNT));
    Tensor third =
        g.constant(
            new TensorData.Numbers(DataType.FLOAT16, Shape.of(1), new double[] {0.33325195312}));
    Tensor half = g.cast(x, DataType.FLOAT16);
    g.output("half", g.cast(half, DataType.FLOAT));
    g.output("product", g.cast(g.mul(half, third), DataType.FLOAT));
    g.output("wide", g.apply(new Op.Exp(), x));

    Graph rounded = RoundedGraph.of(g.build(), bits);

    float[] values = new float[COUNT];
    SplittableRandom random = new SplittableRandom(bits);
    for (int i = 0; i < COUNT; i++) {
      values[i] = (float) ((random.nextDouble() - 0.5) * Math.pow(2, random.nextInt(-20, 6)));
    }
    values[0] = 0;
    byte[] file = OnnxWriter.write(rounded, Lowering.CPU, Map.of(), Map.of()).toByteArray();
    OrtEnvironment environment = OnnxRuntime.environment();
    try (OrtSession session = environment.createSession(file);
        OnnxTensor in =
            OnnxTensor.createTensor(environment, FloatBuffer.wrap(values), new long[] {COUNT});
        OrtSession.Result result = session.run(Map.of("x", in))) {
      float[] halves = (float[]) result.get("half").orElseThrow().getValue();
      float[] products = (float[]) result.get("product").orElseThrow().getValue();
      float[] wide = (float[]) result.get("wide").orElseThrow().getValue();
      float factor = rounded(0.33325195f, bits);
      for (int i = 0; i < COUNT; i++) {
        assertThat(halves[i]).as("%s", values[i]).isEqualTo(rounded(values[i], bits));
        assertThat(products[i]).isEqualTo(rounded(halves[i] * factor, bits));
        assertThat(wide[i]).isCloseTo((float) Math.exp(values[i]), within(1e-6f * wide[i]));
      }
    }
  }

  private static org.assertj.core.data.Offset<Float> within(float most) {
    return org.assertj.core.api.Assertions.within(most);
  }

  /** To the nearest number of so many bits, of two to the even one. */
  private static float rounded(float x, int bits) {
    int drop = 24 - bits;
    int all = Float.floatToRawIntBits(x);
    int below = all & ((1 << drop) - 1);
    int kept = all - below;
    int half = 1 << (drop - 1);
    boolean odd = (kept >>> drop & 1) == 1;
    return Float.intBitsToFloat(below > half || (below == half && odd) ? kept + (1 << drop) : kept);
  }
}
