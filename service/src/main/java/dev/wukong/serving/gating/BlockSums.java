package dev.wukong.serving.gating;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Squares of sums over 1, 2, 4, 8 ... examples in a row, by which it shows how much less examples
 * say that are like their neighbours: as where one person judges many things in a row. One thread.
 */
final class BlockSums {
  /** Blocks of up to 4,096 examples. */
  private static final int LEVELS = 13;

  /** From fewer blocks nothing is said. */
  private static final int KNOWN = 16;

  /** Levels over which it is seen whether longer blocks would be more alike still. */
  private static final int SLOPE = 3;

  private static final int SUMS = 6;

  static final int BYTES = (SUMS * LEVELS + 2) * Double.BYTES + Long.BYTES;

  /** Blocks that are whole, ... */
  private final double[] blocks = new double[LEVELS];

  /** ... sums over these of the square of a block's sum, ... */
  private final double[] squares = new double[LEVELS];

  /** ... of that sum by the block's weight, ... */
  private final double[] products = new double[LEVELS];

  /** ... and of the weight's square. */
  private final double[] weightSquares = new double[LEVELS];

  /** Of a first block that waits for its second, sum and ... */
  private final double[] sum = new double[LEVELS];

  /** ... weight. */
  private final double[] weight = new double[LEVELS];

  private final double[][] whole = {blocks, squares, products, weightSquares};
  private final double[][] all = {blocks, squares, products, weightSquares, sum, weight};

  /** Of single examples, value by weight and ... */
  private double values;

  /** ... weight. */
  private double weights;

  private long added;

  /** An example. */
  void add(double value, double byWeight) {
    double s = byWeight * value;
    double w = byWeight;
    values += s;
    weights += w;
    for (int level = 0; level < LEVELS; level++) {
      blocks[level]++;
      squares[level] += s * s;
      products[level] += s * w;
      weightSquares[level] += w * w;
      if ((added >> level & 1) == 0) {
        sum[level] = s;
        weight[level] = w;
        break;
      }
      s += sum[level];
      w += weight[level];
    }
    added++;
  }

  /** Examples since it began, or since {@link #goOnAfter}. */
  double examples() {
    return blocks[0];
  }

  /**
   * Takes what {@code later} has to what this has, and goes on where that is.
   *
   * @param most so many times the variance of what this has counts as that: or what went wrong for
   *     seconds would be all that there is
   */
  void take(BlockSums later, double most) {
    double mean = mean();
    double own = variance(0, mean);
    double other = later.variance(0, later.mean());
    double part = own > 0 && other > most * own ? most * own / other : 1;
    double root = Math.sqrt(part);
    for (int level = 0; level < LEVELS; level++) {
      blocks[level] += later.blocks[level];
      squares[level] += part * later.squares[level];
      products[level] += root * later.products[level];
      weightSquares[level] += later.weightSquares[level];
      sum[level] = root * later.sum[level];
      weight[level] = later.weight[level];
    }
    values += root * later.values;
    weights += later.weights;
    added = later.added;
  }

  /** Has no block, but what {@code before} has begun. */
  void goOnAfter(BlockSums before) {
    for (double[] of : whole) {
      Arrays.fill(of, 0);
    }
    values = 0;
    weights = 0;
    System.arraycopy(before.sum, 0, sum, 0, LEVELS);
    System.arraycopy(before.weight, 0, weight, 0, LEVELS);
    added = before.added;
  }

  /** All blocks count less from now on. */
  void fade(double part) {
    for (double[] of : whole) {
      for (int level = 0; level < LEVELS; level++) {
        of[level] *= part;
      }
    }
    values *= part;
    weights *= part;
  }

  /** Mean of the values by weight, as all figures have it: about any other, long blocks drift. */
  private double mean() {
    return weights > 0 ? values / weights : 0;
  }

  /** Of a block's sum about what its weight lets expect, by example. */
  private double variance(int level, double mean) {
    double of = squares[level] - 2 * mean * products[level] + mean * mean * weightSquares[level];
    return blocks[level] > 0 ? Math.max(0, of) / (blocks[level] * (1 << level)) : 0;
  }

  private boolean knows(int level) {
    return blocks[level] >= KNOWN;
  }

  /**
   * By how much the variance of a sum over {@code examples} in a row is more than if they were
   * independent: the design effect, at least 1. It is for sure as much, to one standard error; what
   * is not known yet goes on as it has begun.
   */
  double effect(double examples) {
    double mean = mean();
    double single = variance(0, mean);
    if (!(single > 0)) {
      return 1;
    }
    double most = 1;
    int known = 0;
    for (int level = 1; level < LEVELS && knows(level) && (1 << level) <= examples; level++) {
      double low = 1 - Math.sqrt(2 / blocks[level]);
      most = Math.max(most, low * variance(level, mean) / single);
      known = level;
    }
    boolean ends = known == LEVELS - 1 || knows(known + 1) || known == 0;
    double beyond = ends ? 1 : examples / (1 << known);
    if (beyond <= 1) {
      return most;
    }
    int levels = Math.min(SLOPE, known);
    double ratio = Math.min(1 << levels, variance(known, mean) / variance(known - levels, mean));
    boolean grows = (1 - Math.sqrt(2 / blocks[known])) * ratio > 1;
    double longest = Math.min(beyond, (double) (1 << (LEVELS - 1 - known)));
    return grows ? most * Math.pow(longest, Math.log(ratio) / Math.log(2) / levels) : most;
  }

  void write(ByteBuffer to) {
    for (double[] of : all) {
      for (double each : of) {
        to.putDouble(each);
      }
    }
    to.putDouble(values).putDouble(weights).putLong(added);
  }

  void read(ByteBuffer from) {
    for (double[] of : all) {
      for (int level = 0; level < LEVELS; level++) {
        of[level] = from.getDouble();
      }
    }
    values = from.getDouble();
    weights = from.getDouble();
    added = from.getLong();
  }
}
