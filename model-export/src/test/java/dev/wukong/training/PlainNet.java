package dev.wukong.training;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.RowKey;
import dev.wukong.data.Table;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Layers written out as loops over doubles, on whole batches: a second implementation that shares
 * nothing with the graph but the names of its weights.
 */
final class PlainNet {
  private final Map<String, double[]> weights = new LinkedHashMap<>();
  private final Map<String, Map<Long, double[]>> rows = new HashMap<>();
  private final boolean training;

  /** The weights and rows that {@code session} has now. */
  PlainNet(TrainSession session, boolean training) {
    this.training = training;
    session
        .snapshot()
        .forEach(
            (name, data) -> {
              double[] values = new double[data.length()];
              for (int i = 0; i < values.length; i++) {
                values[i] = data.at(i);
              }
              weights.put(name, values);
            });
    Map<Integer, String> names = new HashMap<>();
    for (Table table : session.layout().tables()) {
      names.put(table.ordinal(), table.name());
    }
    session
        .rows()
        .forEach(
            (table, id, row, state) -> {
              double[] copy = new double[row.length];
              for (int i = 0; i < row.length; i++) {
                copy[i] = row[i];
              }
              String name = Objects.requireNonNull(names.get(table));
              rows.computeIfAbsent(name, n -> new HashMap<>()).put(id, copy);
            });
  }

  Map<String, double[]> weights() {
    return weights;
  }

  double[] weight(String name) {
    return Objects.requireNonNull(weights.get(name), () -> name + " of " + weights.keySet());
  }

  /** A row of a table, as it lies here: changing it changes the model. */
  double[] row(String table, long id) {
    return Objects.requireNonNull(
        Objects.requireNonNull(rows.get(table), () -> table + " of " + rows.keySet()).get(id),
        () -> table + " " + id);
  }

  /** Rows of user, item, shop of the tables with this suffix: [B][3][width]. */
  double[][][] ids(EncodedExamples examples, String suffix) {
    double[][][] result = new double[examples.rows()][3][];
    for (int b = 0; b < result.length; b++) {
      result[b][0] = row("user" + suffix, RowKey.id(examples.context().ids()[b]));
      result[b][1] = row("item" + suffix, RowKey.id(examples.candidate().ids()[b * 2]));
      result[b][2] = row("shop" + suffix, RowKey.id(examples.candidate().ids()[b * 2 + 1]));
    }
    return result;
  }

  /** The price after its transform: [B][1]. */
  static double[][] price(EncodedExamples examples) {
    double[][] result = new double[examples.rows()][1];
    for (int b = 0; b < result.length; b++) {
      double price = examples.candidate().dense()[b];
      result[b][0] = Math.signum(price) * Math.log1p(Math.abs(price));
    }
    return result;
  }

  /** x W (+ b where there is a bias), W [in, out], or [out, in] from 2,048 inputs on. */
  double[][] linear(String at, double[][] x) {
    double[] w = weight(at + "/weight");
    int in = x[0].length;
    return product(x, in < 2048 ? w : transposed(w, in), weights.get(at + "/bias"));
  }

  /** W [out, in] as [in, out]. */
  private static double[] transposed(double[] w, int in) {
    int out = w.length / in;
    double[] result = new double[w.length];
    for (int o = 0; o < out; o++) {
      for (int i = 0; i < in; i++) {
        result[i * out + o] = w[o * in + i];
      }
    }
    return result;
  }

  static double[][] product(double[][] x, double[] w, double @Nullable [] b) {
    int in = x[0].length;
    int out = w.length / in;
    double[][] result = new double[x.length][out];
    for (int row = 0; row < x.length; row++) {
      for (int o = 0; o < out; o++) {
        double sum = b == null ? 0 : b[o];
        for (int i = 0; i < in; i++) {
          sum += x[row][i] * w[i * out + o];
        }
        result[row][o] = sum;
      }
    }
    return result;
  }

  /** Hidden layers while there are weights for them. */
  double[][] hidden(String at, double[][] x) {
    double[][] h = x;
    for (int i = 0; weights.containsKey(at + "hidden" + i + "/weight"); i++) {
      h = linear(at + "hidden" + i, h);
      if (weights.containsKey(at + "hidden" + i + "/batch_norm/scale")) {
        h = flat(batchNorm(at + "hidden" + i + "/", columns(h)));
      }
      h = relu(h);
    }
    return h;
  }

  double[][] mlp(String at, double[][] x) {
    return linear(at + "out", hidden(at, x));
  }

  /** x [B][c][d], by channel c. */
  double[][][] batchNorm(String at, double[][][] x) {
    double[] scale = weight(at + "batch_norm/scale");
    double[] bias = weight(at + "batch_norm/bias");
    double[][][] result = new double[x.length][x[0].length][x[0][0].length];
    for (int c = 0; c < scale.length; c++) {
      double mean = weight(at + "batch_norm/mean")[c];
      double variance = weight(at + "batch_norm/variance")[c];
      if (training) {
        int n = x.length * x[0][0].length;
        mean = 0;
        for (double[][] row : x) {
          for (double v : row[c]) {
            mean += v / n;
          }
        }
        variance = 0;
        for (double[][] row : x) {
          for (double v : row[c]) {
            variance += (v - mean) * (v - mean) / n;
          }
        }
      }
      for (int b = 0; b < x.length; b++) {
        for (int i = 0; i < x[b][c].length; i++) {
          double normal = (x[b][c][i] - mean) / Math.sqrt(variance + 1e-5);
          result[b][c][i] = normal * scale[c] + bias[c];
        }
      }
    }
    return result;
  }

  /** Without scale and bias. */
  static double[] normal(double[] x) {
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
      result[i] = (x[i] - mean) / Math.sqrt(variance + 1e-5);
    }
    return result;
  }

  double[][] layerNorm(String at, double[][] x) {
    double[][] result = new double[x.length][];
    for (int b = 0; b < x.length; b++) {
      result[b] = normal(x[b]);
      for (int i = 0; i < result[b].length; i++) {
        result[b][i] = result[b][i] * weight(at + "norm/scale")[i] + weight(at + "norm/bias")[i];
      }
    }
    return result;
  }

  static double[][] relu(double[][] x) {
    double[][] result = new double[x.length][];
    for (int b = 0; b < x.length; b++) {
      result[b] = new double[x[b].length];
      for (int i = 0; i < x[b].length; i++) {
        result[b][i] = Math.max(0, x[b][i]);
      }
    }
    return result;
  }

  static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  static double[][] add(double[][] a, double[][] b) {
    double[][] result = new double[a.length][a[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[i].length; j++) {
        result[i][j] = a[i][j] + b[i][j];
      }
    }
    return result;
  }

  static double[][] times(double[][] a, double[][] b) {
    double[][] result = new double[a.length][a[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[i].length; j++) {
        result[i][j] = a[i][j] * b[i % b.length][j];
      }
    }
    return result;
  }

  static double[][] join(double[][]... parts) {
    int width = 0;
    for (double[][] part : parts) {
      width += part[0].length;
    }
    double[][] result = new double[parts[0].length][width];
    for (int b = 0; b < result.length; b++) {
      int at = 0;
      for (double[][] part : parts) {
        System.arraycopy(part[b], 0, result[b], at, part[b].length);
        at += part[b].length;
      }
    }
    return result;
  }

  /** [B][n][d] as [B][n d]. */
  static double[][] flat(double[][][] x) {
    double[][] result = new double[x.length][];
    for (int b = 0; b < x.length; b++) {
      result[b] = new double[x[b].length * x[b][0].length];
      for (int n = 0; n < x[b].length; n++) {
        System.arraycopy(x[b][n], 0, result[b], n * x[b][n].length, x[b][n].length);
      }
    }
    return result;
  }

  /** [B][c] as [B][c][1]. */
  static double[][][] columns(double[][] x) {
    double[][][] result = new double[x.length][x[0].length][1];
    for (int b = 0; b < x.length; b++) {
      for (int c = 0; c < x[b].length; c++) {
        result[b][c][0] = x[b][c];
      }
    }
    return result;
  }
}
