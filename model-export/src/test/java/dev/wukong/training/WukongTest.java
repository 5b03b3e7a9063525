package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OrtException;
import dev.wukong.bundle.Precision;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.RowKey;
import dev.wukong.graph.DataType;
import dev.wukong.graph.Graph;
import dev.wukong.graph.Lowering;
import dev.wukong.graph.OnnxWriter;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.ranker.RankerGraphs;
import dev.wukong.ranker.WukongConfig;
import dev.wukong.runtime.Device;
import java.util.Map;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Wukong as ONNX Runtime runs it against the paper's equations written out as loops over doubles:
 * what it serves, what it scores in training, and its gradients against finite differences of the
 * loops.
 */
class WukongTest {
  private static final int D = 6;
  private static final int ROWS = BaselinesTest.ROWS;

  private static final String VARIANTS =
      """
      fm: plain
      fm: plain, residual: false
      fm: low_rank
      fm: low_rank, residual: false
      fm: low_rank, fm_block: false
      fm: low_rank, fm_block: false, residual: false
      fm: low_rank, linear_block: false
      fm: low_rank, linear_block: false, residual: false
      fm: attentive
      fm: attentive, residual: false
      """;

  private static WukongConfig config(String variant) {
    String model =
        """
        {
          embedding: {width: 6, deviation: 0.5},
          layers: 2,
          fm_embeddings: 2,
          linear_embeddings: 3,
          rank: 4,
          %s,
          fm_mlp: {hidden: [7]},
          attention: {compressed: 3, mlp: {hidden: [5]}},
          head: {hidden: [8]}
        }
        """
            .formatted(variant);
    return (WukongConfig) RankerConfig.read(TrainSessionTest.yaml(model));
  }

  /** Some rows, the last feature missing in all. */
  private static EncodedExamples examples() {
    EncodedExamples examples = BaselinesTest.examples(3);
    for (int i = 0; i < ROWS; i++) {
      examples.candidate().ids()[i * 2 + 1] = RowKey.MISSING;
    }
    return examples;
  }

  @ParameterizedTest
  @CsvSource(delimiter = ';', textBlock = VARIANTS)
  void bothGraphs_randomWeights_equalThePaperWrittenOut(String variant) {
    WukongConfig config = config(variant);
    try (TrainSession session = BaselinesTest.session(config)) {
      BaselinesTest.start(session);
      EncodedExamples examples = examples();
      Plain plain = new Plain(new PlainNet(session, false), config);
      float[] served = session.score(examples);
      float[] trained = session.step(examples, 1).probabilities();
      for (int i = 0; i < ROWS; i++) {
        double expected = plain.probability(examples, i);
        // Float arithmetic through two layers and two MLPs.
        assertThat((double) served[i]).isCloseTo(expected, within(2e-5));
        assertThat((double) trained[i]).isCloseTo(expected, within(2e-5));
      }
      assertThat(served[0]).isNotEqualTo(served[1]);
    }
  }

  @ParameterizedTest
  @CsvSource(delimiter = ';', textBlock = VARIANTS)
  void gradients_everyWeight_equalFiniteDifferencesOfThePaperWrittenOut(String variant) {
    WukongConfig config = config(variant);
    try (TrainSession session = BaselinesTest.session(config)) {
      BaselinesTest.start(session);
      EncodedExamples examples = examples();
      PlainNet before = new PlainNet(session, true);
      Plain plain = new Plain(before, config);
      session.step(examples, 1);
      PlainNet after = new PlainNet(session, true);
      DoubleSupplier loss = () -> BaselinesTest.loss(plain.logits(examples), examples.labels());
      before
          .weights()
          .forEach((name, weight) -> BaselinesTest.check(name, weight, after.weight(name), loss));
      BaselinesTest.checkRows(session, examples, before, after, loss);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "low_rank", "attentive"})
  void halfPrecision_randomWeights_isNearThePaperWrittenOut(String fm) throws OrtException {
    WukongConfig config = config("fm: " + fm);
    try (TrainSession session = BaselinesTest.session(config)) {
      Graph graph = RankerGraphs.predict(config, session.layout(), DataType.FLOAT16);
      byte[] model =
          OnnxWriter.write(graph, Lowering.CPU, session.snapshot(), Map.of()).toByteArray();
      EncodedExamples examples = examples();
      Plain plain = new Plain(new PlainNet(session, false), config);
      session.score(examples);
      try (GraphScorer half =
          new GraphScorer(model, session.layout(), Precision.FP16, new Device.Cpu(), 1)) {
        int[] contextOf = IntStream.range(0, ROWS).toArray();
        float[] found =
            half.probabilities(session.rows(), examples.context(), examples.candidate(), contextOf);
        for (int i = 0; i < ROWS; i++) {
          // Rows and weights of 11 bits.
          assertThat((double) found[i])
              .isCloseTo(plain.probability(examples, i), within(5e-3))
              .isNotCloseTo(plain.probability(examples, i), within(1e-9));
        }
      }
    }
  }

  /** The model in loops: arrays of embeddings [n][d], weights by name. */
  private static final class Plain {
    private final PlainNet net;
    private final WukongConfig config;

    Plain(PlainNet net, WukongConfig config) {
      this.net = net;
      this.config = config;
    }

    double probability(EncodedExamples examples, int i) {
      return PlainNet.sigmoid(logits(examples)[i][0]);
    }

    /** [B][1]. */
    double[][] logits(EncodedExamples examples) {
      double[][][] ids = net.ids(examples, "");
      double[][] prices = net.mlp("bottom/", PlainNet.price(examples));
      double[][] result = new double[examples.rows()][];
      for (int i = 0; i < result.length; i++) {
        double[][] x = {ids[i][0], ids[i][1], ids[i][2], prices[i]};
        for (int layer = 0; layer < 2; layer++) {
          x = layer("layer" + layer + "/", x);
        }
        result[i] = mlp("head/", flat(x));
      }
      return result;
    }

    private double[][] layer(String at, double[][] x) {
      double[] fmb = config.fmBlock() ? machine(at + "fm/", x) : new double[2 * D];
      double[][] lcb = config.linearBlock() ? left(at + "linear/weight", x) : new double[3][D];
      double[][] added = config.residual() ? residual(at, x) : new double[5][D];
      double[][] out = new double[5][];
      for (int j = 0; j < 5; j++) {
        double[] sum = new double[D];
        for (int c = 0; c < D; c++) {
          sum[c] = (j < 2 ? fmb[j * D + c] : lcb[j - 2][c]) + added[j][c];
        }
        out[j] = norm(at, sum);
      }
      return out;
    }

    private double[] machine(String at, double[][] x) {
      return mlp(at, norm(at, flat(interactions(at, x))));
    }

    private double[][] residual(String at, double[][] x) {
      return x.length == 5 ? x : left(at + "residual/weight", x);
    }

    /** X Xᵀ, or X (Xᵀ Y) with Yᵀ [k][n]. */
    private double[][] interactions(String at, double[][] x) {
      double[][] right =
          switch (config.fm()) {
            case PLAIN -> x;
            case LOW_RANK -> left(at + "y", x);
            case ATTENTIVE ->
                left(mlp(at + "attention/", flat(left(at + "attention/compress/weight", x))), x);
          };
      double[][] result = new double[x.length][right.length];
      for (int n = 0; n < x.length; n++) {
        for (int k = 0; k < right.length; k++) {
          for (int c = 0; c < D; c++) {
            result[n][k] += x[n][c] * right[k][c];
          }
        }
      }
      return result;
    }

    private double[][] left(String name, double[][] x) {
      return left(net.weight(name), x);
    }

    /** W X with W [m][n] row by row. */
    private static double[][] left(double[] w, double[][] x) {
      double[][] result = new double[w.length / x.length][D];
      for (int m = 0; m < result.length; m++) {
        for (int n = 0; n < x.length; n++) {
          for (int c = 0; c < D; c++) {
            result[m][c] += w[m * x.length + n] * x[n][c];
          }
        }
      }
      return result;
    }

    private double[] mlp(String at, double[] x) {
      return net.mlp(at, new double[][] {x})[0];
    }

    private double[] norm(String at, double[] x) {
      return net.layerNorm(at, new double[][] {x})[0];
    }

    private static double[] flat(double[][] x) {
      return PlainNet.flat(new double[][][] {x})[0];
    }
  }
}
