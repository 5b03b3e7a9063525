package dev.wukong.simulator;

import dev.wukong.data.EncodedRows;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.RowKey;
import dev.wukong.data.Scope;
import dev.wukong.metrics.Metrics;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Logistic regression with a weight for every id of every feature, fitted to true probabilities by
 * AdaGrad.
 */
final class AdditiveFit {
  private final FeatureEncoder encoder;
  private final Map<Long, Integer> terms = new HashMap<>();
  private final int[][] rows;
  private final float[][] numbers;
  private final double[] truth;

  AdditiveFit(FeatureEncoder encoder, int size) {
    this.encoder = encoder;
    this.rows = new int[size][];
    this.numbers = new float[size][];
    this.truth = new double[size];
  }

  void add(int row, EncodedRows context, EncodedRows candidate, double probability) {
    int ofContext = encoder.positions(Scope.CONTEXT);
    int[] own = new int[ofContext + encoder.positions(Scope.CANDIDATE)];
    for (int i = 0; i < own.length; i++) {
      long id = i < ofContext ? context.ids()[i] : candidate.ids()[i - ofContext];
      own[i] = id == RowKey.NONE ? -1 : terms.computeIfAbsent(RowKey.of(i, id), k -> terms.size());
    }
    rows[row] = own;
    float[] dense = {
      context.dense()[0] / 50, context.dense()[1], (float) Math.log1p(candidate.dense()[0]) - 3
    };
    numbers[row] = dense;
    truth[row] = probability;
  }

  /** After {@code epochs} passes, on the rows it was fitted to. */
  double normalizedEntropy(int epochs) {
    double[] w = new double[terms.size() + 4];
    double[] squares = new double[w.length];
    Arrays.fill(squares, 1e-3);
    for (int epoch = 0; epoch < epochs; epoch++) {
      for (int r = 0; r < rows.length; r++) {
        double gradient = probability(w, r) - truth[r];
        for (int term : rows[r]) {
          if (term >= 0) {
            step(w, squares, term, gradient);
          }
        }
        for (int n = 0; n < 3; n++) {
          step(w, squares, terms.size() + n, gradient * numbers[r][n]);
        }
        step(w, squares, terms.size() + 3, gradient);
      }
    }
    double loss = 0;
    double mean = 0;
    for (int r = 0; r < rows.length; r++) {
      double p = probability(w, r);
      loss -= truth[r] * Math.log(p) + (1 - truth[r]) * Math.log1p(-p);
      mean += truth[r];
    }
    return loss / rows.length / Metrics.entropy(mean / rows.length);
  }

  private static void step(double[] w, double[] squares, int term, double gradient) {
    squares[term] += gradient * gradient;
    w[term] -= 0.05 * gradient / Math.sqrt(squares[term]);
  }

  private double probability(double[] w, int row) {
    double logit = w[w.length - 1];
    for (int term : rows[row]) {
      logit += term < 0 ? 0 : w[term];
    }
    for (int n = 0; n < 3; n++) {
      logit += w[terms.size() + n] * numbers[row][n];
    }
    return 1 / (1 + Math.exp(-logit));
  }
}
