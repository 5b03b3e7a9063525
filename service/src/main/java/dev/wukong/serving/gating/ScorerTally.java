package dev.wukong.serving.gating;

import java.nio.ByteBuffer;

/** Sums over what one scorer said of examples. One thread. */
final class ScorerTally {
  /** No probability counts as surer than this. */
  private static final double SUREST = 1e-7;

  static final int BYTES = 4 * Double.BYTES + RankHistogram.BYTES;

  private double probabilities;
  private double losses;
  private double entropies;
  private double lossSquares;
  private final RankHistogram ranks = new RankHistogram();

  static double sure(float p) {
    return Math.clamp((double) p, SUREST, 1 - SUREST);
  }

  static double loss(float probability, double y) {
    double p = sure(probability);
    return -y * Math.log(p) - (1 - y) * Math.log1p(-p);
  }

  /** The log loss that is expected where the probability is the truth. */
  static double entropy(float probability) {
    double p = sure(probability);
    return -p * Math.log(p) - (1 - p) * Math.log1p(-p);
  }

  void add(float probability, double y, double w) {
    double loss = loss(probability, y);
    probabilities += w * sure(probability);
    losses += w * loss;
    entropies += w * entropy(probability);
    lossSquares += w * w * loss * loss;
    ranks.add(sure(probability), w * y, w * (1 - y));
  }

  /** All that was added counts less from now on: by this factor. */
  void fade(double part) {
    probabilities *= part;
    losses *= part;
    entropies *= part;
    lossSquares *= part * part;
    ranks.fade((float) part);
  }

  /** Sum of the probabilities, by weight: the positive labels that it expects. */
  double expected() {
    return probabilities;
  }

  /** The log loss that it expects, summed by weight. */
  double expectedLosses() {
    return entropies;
  }

  /** Log loss, summed by weight. */
  double losses() {
    return losses;
  }

  /**
   * The standard error of the log loss, summed by weight. Where examples count for several it is
   * rather too large than too small.
   */
  double lossesError(double weight, double weightSquares) {
    double mean = losses / weight;
    return Math.sqrt(Math.max(0, lossSquares - mean * mean * weightSquares));
  }

  /** The share of pairs in the right order. */
  double area() {
    return ranks.area();
  }

  void write(ByteBuffer to) {
    to.putDouble(probabilities).putDouble(losses).putDouble(entropies).putDouble(lossSquares);
    ranks.write(to);
  }

  void read(ByteBuffer from) {
    probabilities = from.getDouble();
    losses = from.getDouble();
    entropies = from.getDouble();
    lossSquares = from.getDouble();
    ranks.read(from);
  }
}
