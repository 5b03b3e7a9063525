package dev.wukong.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OrtException;
import dev.wukong.bundle.Precision;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.NumberFeature;
import dev.wukong.data.Pooling;
import dev.wukong.data.RowKey;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Task;
import dev.wukong.data.Transform;
import dev.wukong.data.ValueType;
import dev.wukong.graph.DataType;
import dev.wukong.graph.Graph;
import dev.wukong.graph.Lowering;
import dev.wukong.graph.OnnxWriter;
import dev.wukong.graph.TensorData;
import dev.wukong.ranker.RankerConfig;
import dev.wukong.ranker.RankerGraphs;
import dev.wukong.runtime.Device;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Wukong as ONNX Runtime runs it against the paper's equations written out as loops over doubles,
 * for both graphs: the one that serves and the one that trains.
 */
class WukongForwardTest {
  private static final int D = 6;
  private static final int ROWS = 9;

  private static final Schema SCHEMA =
      new Schema(
          "plain",
          List.<Feature>of(
              id("user", Scope.CONTEXT),
              id("item", Scope.CANDIDATE),
              id("shop", Scope.CANDIDATE),
              new NumberFeature("price", Scope.CANDIDATE, "price", 1, Transform.LOG1P, false)),
          List.of(new Task("click", "click", Optional.empty(), Optional.empty())));

  private static IdFeature id(String name, Scope scope) {
    IdMapping ids = new IdMapping.Hash(20);
    return new IdFeature(
        name, scope, name, ValueType.INT64, ids, name, 1, Pooling.SUM, Optional.empty());
  }

  private static RankerConfig config(String fm) {
    String model =
        """
        embedding: {width: 6, deviation: 0.5}
        layers: 2
        fm_embeddings: 2
        linear_embeddings: 3
        rank: 4
        fm: %s
        fm_mlp: {hidden: [7]}
        attention: {compressed: 3, mlp: {hidden: [5]}}
        head: {hidden: [8]}
        """
            .formatted(fm);
    return RankerConfig.read(TrainSessionTest.yaml(model));
  }

  private static TrainSession session(String fm) {
    RankerConfig config = config(fm);
    TrainingConfig training =
        TrainingConfig.read(
            TrainSessionTest.yaml(
                "{batch: 16, threads: 1, rows: {mode: whole_table, optimizer: sgd}}"));
    return new TrainSession(config, config.layout(SCHEMA), training, new Device.Cpu(), space -> 22);
  }

  private static EncodedExamples examples() {
    SplittableRandom random = new SplittableRandom(3);
    long[] users = new long[ROWS];
    long[] others = new long[ROWS * 2];
    float[] prices = new float[ROWS];
    float[] ones = new float[ROWS];
    for (int i = 0; i < ROWS; i++) {
      users[i] = RowKey.FIRST + random.nextInt(20);
      others[i * 2] = RowKey.FIRST + random.nextInt(20);
      others[i * 2 + 1] = RowKey.MISSING;
      prices[i] = random.nextInt(100) - 20;
      ones[i] = 1;
    }
    return new EncodedExamples(
        new EncodedRows(ROWS, users, new float[0], new float[0]),
        new EncodedRows(ROWS, others, new float[0], prices),
        new float[ROWS],
        ones);
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "low_rank", "attentive"})
  void bothGraphs_randomWeights_equalThePaperWrittenOut(String fm) {
    try (TrainSession session = session(fm)) {
      EncodedExamples examples = examples();
      Plain plain = new Plain(session, fm);
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
  @ValueSource(strings = {"plain", "low_rank", "attentive"})
  void halfPrecision_randomWeights_isNearThePaperWrittenOut(String fm) throws OrtException {
    RankerConfig config = config(fm);
    try (TrainSession session = session(fm)) {
      Graph graph = RankerGraphs.predict(config, session.layout(), DataType.FLOAT16);
      byte[] model =
          OnnxWriter.write(graph, Lowering.CPU, session.snapshot(), Map.of()).toByteArray();
      EncodedExamples examples = examples();
      Plain plain = new Plain(session, fm);
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
    private final Map<String, TensorData> weights;
    private final Map<Long, double[]> rows = new HashMap<>();
    private final String fm;

    Plain(TrainSession session, String fm) {
      this.weights = session.snapshot();
      this.fm = fm;
      session
          .rows()
          .forEach(
              (table, id, row, state) -> {
                double[] copy = new double[row.length];
                for (int i = 0; i < row.length; i++) {
                  copy[i] = row[i];
                }
                rows.put(RowKey.of(table, id), copy);
              });
    }

    double probability(EncodedExamples examples, int i) {
      double price = examples.candidate().dense()[i];
      double[] number = {Math.signum(price) * Math.log1p(Math.abs(price))};
      double[][] x = {
        row(0, examples.context().ids()[i]),
        row(1, examples.candidate().ids()[i * 2]),
        row(2, examples.candidate().ids()[i * 2 + 1]),
        linear("bottom/out", number)
      };
      for (int layer = 0; layer < 2; layer++) {
        x = layer("layer" + layer + "/", x);
      }
      double logit = linear("head/out", relu(linear("head/hidden0", flat(x))))[0];
      return 1 / (1 + Math.exp(-logit));
    }

    private double[] row(int table, long id) {
      return Objects.requireNonNull(rows.get(RowKey.of(table, id)), () -> "row " + id);
    }

    private double[][] layer(String at, double[][] x) {
      double[][] interactions = interactions(at + "fm/", x);
      double[] normal = norm(at + "fm/norm/", flat(interactions));
      double[] fmb = linear(at + "fm/out", relu(linear(at + "fm/hidden0", normal)));
      double[][] lcb = left(at + "linear/weight", x);
      double[][] residual = x.length == 5 ? x : left(at + "residual/weight", x);
      double[][] out = new double[5][];
      for (int j = 0; j < 5; j++) {
        double[] sum = new double[D];
        for (int c = 0; c < D; c++) {
          sum[c] = (j < 2 ? fmb[j * D + c] : lcb[j - 2][c]) + residual[j][c];
        }
        out[j] = norm(at + "norm/", sum);
      }
      return out;
    }

    /** X Xᵀ, or X (Xᵀ Y) with Yᵀ [k][n]. */
    private double[][] interactions(String at, double[][] x) {
      double[][] right = x;
      if (fm.equals("low_rank")) {
        right = left(at + "y", x);
      } else if (fm.equals("attentive")) {
        double[] compressed = flat(left(at + "attention/compress/weight", x));
        double[] y =
            linear(at + "attention/out", relu(linear(at + "attention/hidden0", compressed)));
        right = new double[4][D];
        for (int k = 0; k < 4; k++) {
          for (int n = 0; n < x.length; n++) {
            for (int c = 0; c < D; c++) {
              right[k][c] += y[k * x.length + n] * x[n][c];
            }
          }
        }
      }
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
      TensorData w = weight(name);
      int out = (int) w.shape().dim(0).size();
      double[][] result = new double[out][D];
      for (int m = 0; m < out; m++) {
        for (int n = 0; n < x.length; n++) {
          for (int c = 0; c < D; c++) {
            result[m][c] += w.at(m * x.length + n) * x[n][c];
          }
        }
      }
      return result;
    }

    private double[] linear(String at, double[] x) {
      TensorData w = weight(at + "/weight");
      TensorData b = weight(at + "/bias");
      double[] result = new double[b.length()];
      for (int o = 0; o < result.length; o++) {
        result[o] = b.at(o);
        for (int i = 0; i < x.length; i++) {
          result[o] += x[i] * w.at(i * result.length + o);
        }
      }
      return result;
    }

    private double[] norm(String at, double[] x) {
      double mean = 0;
      for (double v : x) {
        mean += v / x.length;
      }
      double variance = 0;
      for (double v : x) {
        variance += (v - mean) * (v - mean) / x.length;
      }
      double[] result = new double[x.length];
      for (int i = 0; i < x.length; i++) {
        double normal = (x[i] - mean) / Math.sqrt(variance + 1e-5);
        result[i] = normal * weight(at + "scale").at(i) + weight(at + "bias").at(i);
      }
      return result;
    }

    private TensorData weight(String name) {
      return Objects.requireNonNull(weights.get(name), () -> name + " of " + weights.keySet());
    }

    private static double[] relu(double[] x) {
      double[] result = new double[x.length];
      for (int i = 0; i < x.length; i++) {
        result[i] = Math.max(0, x[i]);
      }
      return result;
    }

    private static double[] flat(double[][] x) {
      double[] result = new double[x.length * x[0].length];
      for (int n = 0; n < x.length; n++) {
        System.arraycopy(x[n], 0, result, n * x[0].length, x[0].length);
      }
      return result;
    }
  }
}
