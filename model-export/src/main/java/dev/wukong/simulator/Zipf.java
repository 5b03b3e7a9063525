package dev.wukong.simulator;

import java.util.Arrays;

/** Ranks 0 to n - 1 with probabilities in proportion to 1 / (rank + 1)^skew. */
public final class Zipf {
  private final double[] cumulative;

  /** Over {@code ranks} ranks, 1 or more; takes 8 bytes for each. */
  public Zipf(int ranks, double skew) {
    cumulative = new double[ranks];
    double sum = 0;
    for (int i = 0; i < ranks; i++) {
      sum += StrictMath.pow(i + 1, -skew);
      cumulative[i] = sum;
    }
    for (int i = 0; i < ranks; i++) {
      cumulative[i] /= sum;
    }
  }

  /** The rank at {@code uniform} of [0, 1). */
  public int rank(double uniform) {
    int at = Arrays.binarySearch(cumulative, uniform);
    return Math.min(at >= 0 ? at + 1 : -at - 1, cumulative.length - 1);
  }
}
