package dev.wukong.training;

import static dev.wukong.training.PlainNet.add;
import static dev.wukong.training.PlainNet.flat;
import static dev.wukong.training.PlainNet.join;
import static dev.wukong.training.PlainNet.product;
import static dev.wukong.training.PlainNet.relu;
import static dev.wukong.training.PlainNet.sigmoid;
import static dev.wukong.training.PlainNet.times;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.RowKey;
import org.jspecify.annotations.Nullable;

/** The baselines of the paper written out over {@link PlainNet}: logits [B][1]. */
final class PlainBaselines {
  private final PlainNet net;
  private final EncodedExamples examples;

  PlainBaselines(PlainNet net, EncodedExamples examples) {
    this.net = net;
    this.examples = examples;
  }

  double[][] logits(String model) {
    return switch (model) {
      case "dlrm-cat", "dlrm-wide" -> net.mlp("top/", flat(bottomed()));
      case "dlrm-dot" -> dot();
      case "dcnv2-parallel" -> net.linear("out", join(cross(), net.hidden("deep/", embeddings())));
      case "dcnv2-stacked" -> net.linear("out", net.hidden("deep/", cross()));
      case "dcnv2-cross-only" -> net.linear("out", cross());
      case "dcnv2-mixture" -> net.linear("out", join(mixture(), net.hidden("deep/", embeddings())));
      case "xdeepfm" -> add(cin(), add(net.mlp("deep/", embeddings()), wide()));
      case "xdeepfm-alone" -> cin();
      case "autoint" -> add(attention(2, true), net.mlp("deep/", embeddings()));
      case "autoint-wide" -> add(attention(1, false), add(net.mlp("deep/", embeddings()), wide()));
      case "afn" -> afn();
      case "finalmlp" -> finalMlp(true);
      case "finalmlp-no-context" -> finalMlp(false);
      case "masknet-parallel" -> parallelMasks();
      case "masknet-serial" -> serialMasks();
      default -> throw new IllegalArgumentException(model);
    };
  }

  /** [B][4][d]: user, item, shop, the price times its weight. */
  private double[][][] fields(String suffix, String number) {
    double[][][] ids = net.ids(examples, suffix);
    double[][] price = net.linear(number + "number0", PlainNet.price(examples));
    double[][][] result = new double[ids.length][][];
    for (int b = 0; b < ids.length; b++) {
      result[b] = new double[][] {ids[b][0], ids[b][1], ids[b][2], price[b]};
    }
    return result;
  }

  private double[][] embeddings() {
    return flat(fields("", ""));
  }

  /** The linear model: widths of 1. */
  private double[][] wide() {
    double[][][] fields = fields(".2", "linear/");
    double[][] result = new double[fields.length][1];
    for (int b = 0; b < fields.length; b++) {
      for (double[] field : fields[b]) {
        result[b][0] += field[0];
      }
    }
    return result;
  }

  /** The fields with DLRM's bottom MLP on the number. */
  private double[][][] bottomed() {
    double[][][] ids = net.ids(examples, "");
    double[][] bottom = relu(net.mlp("bottom/", PlainNet.price(examples)));
    double[][][] result = new double[ids.length][][];
    for (int b = 0; b < ids.length; b++) {
      result[b] = new double[][] {ids[b][0], ids[b][1], ids[b][2], bottom[b]};
    }
    return result;
  }

  private double[][] dot() {
    double[][][] x = bottomed();
    double[][] top = new double[x.length][];
    for (int b = 0; b < x.length; b++) {
      int d = x[b][0].length;
      top[b] = new double[6 + d];
      int at = 0;
      for (int i = 0; i < 4; i++) {
        for (int j = i + 1; j < 4; j++) {
          for (int c = 0; c < d; c++) {
            top[b][at] += x[b][i][c] * x[b][j][c];
          }
          at++;
        }
      }
      System.arraycopy(x[b][3], 0, top[b], 6, d);
    }
    return net.mlp("top/", top);
  }

  private double[][] cross() {
    double[][] first = embeddings();
    double[][] x = first;
    for (int layer = 0; layer < 2; layer++) {
      x = add(x, times(first, net.linear("cross" + layer, x)));
    }
    return x;
  }

  private double[][] mixture() {
    double[][] first = embeddings();
    double[][] x = first;
    for (int layer = 0; layer < 2; layer++) {
      double[][] next = new double[x.length][];
      double[] bias = net.weight("cross" + layer + "/bias");
      for (int b = 0; b < x.length; b++) {
        double[][] one = {x[b]};
        double[] gates = new double[3];
        double total = 0;
        for (int e = 0; e < 3; e++) {
          gates[e] = Math.exp(product(one, net.weight("gate" + e), null)[0][0]);
          total += gates[e];
        }
        next[b] = x[b].clone();
        for (int e = 0; e < 3; e++) {
          String at = "cross" + layer + "/expert" + e + "/";
          double[][] low = tanh(product(one, net.weight(at + "v"), null));
          double[][] core = tanh(product(low, net.weight(at + "c"), null));
          double[] up = product(core, net.weight(at + "u"), null)[0];
          for (int i = 0; i < up.length; i++) {
            next[b][i] += gates[e] / total * first[b][i] * (up[i] + bias[i]);
          }
        }
      }
      x = next;
    }
    return x;
  }

  private static double[][] tanh(double[][] x) {
    double[][] result = new double[1][x[0].length];
    for (int i = 0; i < result[0].length; i++) {
      result[0][i] = Math.tanh(x[0][i]);
    }
    return result;
  }

  private double[][] cin() {
    double[][][] x = fields("", "");
    int maps = net.weight("cin0/bias").length + net.weight("cin1/bias").length;
    double[][] pooled = new double[x.length][maps];
    for (int b = 0; b < x.length; b++) {
      double[][] map = x[b];
      int at = 0;
      for (int layer = 0; layer < 2; layer++) {
        double[] weight = net.weight("cin" + layer + "/weight");
        double[] bias = net.weight("cin" + layer + "/bias");
        double[][] next = new double[bias.length][map[0].length];
        for (int h = 0; h < next.length; h++) {
          for (int c = 0; c < map[0].length; c++) {
            next[h][c] = bias[h];
            for (int i = 0; i < 4; i++) {
              for (int j = 0; j < map.length; j++) {
                next[h][c] += weight[(h * 4 + i) * map.length + j] * x[b][i][c] * map[j][c];
              }
            }
            pooled[b][at + h] += next[h][c];
          }
        }
        at += next.length;
        map = next;
      }
    }
    return net.linear("cin/out", pooled);
  }

  /** Layers of 2 heads and width 6; without scale and residual in the other variant. */
  private double[][] attention(int layers, boolean whole) {
    double[][][] x = fields("", "");
    for (int layer = 0; layer < layers; layer++) {
      String at = "attention" + layer + "/";
      double[][][] out = new double[x.length][][];
      for (int b = 0; b < x.length; b++) {
        double[][] q = product(x[b], net.weight(at + "q"), null);
        double[][] k = product(x[b], net.weight(at + "k"), null);
        double[][] v = product(x[b], net.weight(at + "v"), null);
        double[][] sum = new double[4][6];
        for (int head = 0; head < 2; head++) {
          for (int i = 0; i < 4; i++) {
            double[] score = new double[4];
            double total = 0;
            for (int j = 0; j < 4; j++) {
              for (int c = head * 3; c < head * 3 + 3; c++) {
                score[j] += q[i][c] * k[j][c] / (whole ? Math.sqrt(3) : 1);
              }
              score[j] = Math.exp(score[j]);
              total += score[j];
            }
            for (int j = 0; j < 4; j++) {
              for (int c = head * 3; c < head * 3 + 3; c++) {
                sum[i][c] += score[j] / total * v[j][c];
              }
            }
          }
        }
        if (whole) {
          sum = add(sum, layer == 0 ? product(x[b], net.weight(at + "r"), null) : x[b]);
          sum = net.layerNorm(at, sum);
        }
        out[b] = relu(sum);
      }
      x = out;
    }
    return net.linear("attention/out", flat(x));
  }

  private double[][] afn() {
    double[][][] logs = fields("", "");
    for (int b = 0; b < logs.length; b++) {
      for (int f = 0; f < 4; f++) {
        logs[b][f] = logs[b][f].clone();
        for (int c = 0; c < logs[b][f].length; c++) {
          logs[b][f][c] = Math.log(Math.max(Math.abs(logs[b][f][c]), 1e-5));
        }
      }
    }
    double[][][] x = net.batchNorm("logarithmic/log/", logs);
    double[] weight = net.weight("logarithmic/weight");
    double[][][] powers = new double[x.length][5][x[0][0].length];
    for (int b = 0; b < x.length; b++) {
      for (int j = 0; j < 5; j++) {
        for (int c = 0; c < powers[b][j].length; c++) {
          for (int f = 0; f < 4; f++) {
            powers[b][j][c] += weight[j * 4 + f] * x[b][f][c];
          }
          powers[b][j][c] = Math.exp(powers[b][j][c]);
        }
      }
    }
    double[][] made = net.mlp("afn/", flat(net.batchNorm("logarithmic/exp/", powers)));
    double[][] deep = net.mlp("deep/", flat(fields(".2", "deep/deep/")));
    return net.linear("ensemble", join(made, deep));
  }

  /** Streams of 6 and 4 outputs, 2 heads. */
  private double[][] finalMlp(boolean contexts) {
    double[][] x = embeddings();
    double[][] first = stream("first", x, contexts ? context("user") : null);
    double[][] second = stream("second", x, contexts ? join(context("item"), priced()) : null);
    double[] weight = net.weight("fusion/weight");
    double[][] result = add(net.linear("first/out", first), net.linear("second/out", second));
    for (int b = 0; b < x.length; b++) {
      for (int head = 0; head < 2; head++) {
        for (int i = 0; i < 3; i++) {
          for (int j = 0; j < 2; j++) {
            result[b][0] +=
                first[b][head * 3 + i] * weight[(head * 3 + i) * 2 + j] * second[b][head * 2 + j];
          }
        }
      }
    }
    return result;
  }

  /** A feature's own context rows: only user and item have a second table. */
  private double[][] context(String feature) {
    double[][] result = new double[examples.rows()][];
    for (int b = 0; b < result.length; b++) {
      long key =
          feature.equals("user") ? examples.context().ids()[b] : examples.candidate().ids()[b * 2];
      result[b] = net.row(feature + ".2", RowKey.id(key));
    }
    return result;
  }

  /** The price as a context: times a weight that is not its field's. */
  private double[][] priced() {
    String at = "second/selection/selection.second/number0";
    return net.linear(at, PlainNet.price(examples));
  }

  private double[][] stream(String name, double[][] x, double @Nullable [][] context) {
    String at = name + "/selection/";
    double[][] given = context == null ? new double[][] {net.weight(at + "context")} : context;
    double[][] gates = net.mlp(at, given);
    for (double[] row : gates) {
      for (int i = 0; i < row.length; i++) {
        row[i] = 2 * sigmoid(row[i]);
      }
    }
    return net.hidden(name + "/", times(x, gates));
  }

  private double[][] block(int i, double[][] embeddings, double[][] x) {
    double[][] mask = net.mlp("block" + i + "/mask/", embeddings);
    double[][] made = net.linear("block" + i, times(mask, x));
    return relu(net.layerNorm("block" + i + "/", made));
  }

  private double[][] parallelMasks() {
    double[][][] fields = fields("", "");
    double[][] raw = flat(fields);
    double[][][] normal = new double[fields.length][4][];
    int d = fields[0][0].length;
    for (int b = 0; b < fields.length; b++) {
      for (int f = 0; f < 4; f++) {
        normal[b][f] = PlainNet.normal(fields[b][f]);
        for (int c = 0; c < d; c++) {
          normal[b][f][c] *= net.weight("embedding/norm/scale")[f * d + c];
          normal[b][f][c] += net.weight("embedding/norm/bias")[f * d + c];
        }
      }
    }
    double[][] x = flat(normal);
    return net.mlp("deep/", join(block(0, raw, x), block(1, raw, x)));
  }

  private double[][] serialMasks() {
    double[][] raw = embeddings();
    return net.linear("out", block(1, raw, block(0, raw, raw)));
  }
}
