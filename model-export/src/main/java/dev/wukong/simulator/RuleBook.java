package dev.wukong.simulator;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * All rules of a world and what each weighs.
 *
 * <p>Of the rules of one order the one with number r weighs (r + 1)^-{@link #ALPHA}; then the sum
 * of each order is scaled so that its variance over a sample of rows is its share.
 */
@SuppressWarnings("ArrayRecordComponent") // Lives within the making of a world; never compared.
record RuleBook(List<Rule> rules, double[] weights) {
  static final double ALPHA = 0.6;

  /** Rules of order 1, 2, ... */
  private static final List<Integer> COUNTS = List.of(60, 160, 160, 100, 60);

  /** The variance of each order's sum, in hundredths. */
  private static final List<Integer> SHARES = List.of(25, 30, 25, 13, 7);

  static int orders() {
    return COUNTS.size();
  }

  static double share(int order) {
    return SHARES.get(order - 1) / 100.0;
  }

  /**
   * Draws the rules.
   *
   * @param sample hidden levels of rows, by which the orders are scaled
   */
  static RuleBook of(Draws draws, List<byte[]> sample) {
    List<Rule> rules = new ArrayList<>();
    double[] weights = new double[COUNTS.stream().mapToInt(Integer::intValue).sum()];
    for (int order = 1; order <= orders(); order++) {
      for (int number = 0; number < COUNTS.get(order - 1); number++) {
        weights[rules.size()] = StrictMath.pow(number + 1, -ALPHA);
        rules.add(Rule.draw(draws, order, number));
      }
    }
    double[] variances = new RuleBook(rules, weights).variances(sample);
    for (int r = 0; r < weights.length; r++) {
      int order = rules.get(r).order();
      weights[r] *= Math.sqrt(share(order) / variances[order - 1]);
    }
    return new RuleBook(List.copyOf(rules), weights);
  }

  /** The variance of each order's sum over rows of which the levels are given. */
  double[] variances(List<byte[]> sample) {
    double[] sums = new double[orders()];
    double[] squares = new double[orders()];
    double[] scores = new double[orders()];
    for (byte[] levels : sample) {
      Arrays.fill(scores, 0);
      for (int r = 0; r < weights.length; r++) {
        Rule rule = rules.get(r);
        scores[rule.order() - 1] += weights[r] * rule.value(levels);
      }
      for (int i = 0; i < scores.length; i++) {
        sums[i] += scores[i];
        squares[i] += scores[i] * scores[i];
      }
    }
    double[] variances = new double[orders()];
    for (int i = 0; i < variances.length; i++) {
      double mean = sums[i] / sample.size();
      variances[i] = squares[i] / sample.size() - mean * mean;
    }
    return variances;
  }
}
