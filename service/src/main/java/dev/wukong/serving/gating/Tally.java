package dev.wukong.serving.gating;

import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.Map;

/**
 * Sums over the examples of a task in a slice, and the figures that follow. Their standard errors
 * are those of independent examples by how alike examples in a row are. One thread.
 */
final class Tally {
  /** Standard errors to each side that hold the truth 19 times of 20. */
  private static final double USUAL = 1.96;

  private static final int OWN = 8;

  static final int BYTES = OWN * Double.BYTES + Scorer.values().length * ScorerTally.BYTES;

  private final Clumping clumping;
  private double examples;
  private double positives;
  private double weight;
  private double labels;
  private double weightSquares;

  /** Of the candidate's loss less the healthy one's, each example by its weight. */
  private double difference;

  /** The same by the weight's square, and ... */
  private double weighted;

  /** ... squared. */
  private double squared;

  private final ScorerTally healthy = new ScorerTally();
  private final ScorerTally candidate = new ScorerTally();
  private final ScorerTally served = new ScorerTally();

  Tally(Clumping clumping) {
    this.clumping = clumping;
  }

  private ScorerTally of(Scorer scorer) {
    return switch (scorer) {
      case HEALTHY -> healthy;
      case CANDIDATE -> candidate;
      case SERVED -> served;
    };
  }

  void add(Judged example) {
    double w = (double) example.weight();
    double y = (double) example.label();
    examples++;
    positives += y > 0 ? 1 : 0;
    weight += w;
    labels += w * y;
    weightSquares += w * w;
    for (Scorer scorer : Scorer.values()) {
      of(scorer).add(example.by(scorer), y, w);
    }
    double d = ScorerTally.loss(example.candidate(), y) - ScorerTally.loss(example.healthy(), y);
    difference += w * d;
    weighted += w * w * d;
    squared += w * w * d * d;
  }

  /** All that was added counts less from now on: by this factor. */
  void fade(double part) {
    double square = part * part;
    examples *= part;
    positives *= part;
    weight *= part;
    labels *= part;
    weightSquares *= square;
    difference *= part;
    weighted *= square;
    squared *= square;
    for (Scorer scorer : Scorer.values()) {
      of(scorer).fade(part);
    }
  }

  /** Whether anything can be said. */
  boolean tells(int least) {
    return positives >= least && examples - positives >= least && weight > 0;
  }

  long examples() {
    return (long) examples;
  }

  long positives() {
    return (long) positives;
  }

  /** Of labels alone, which a normalized entropy is by. */
  private double entropy() {
    double mean = labels / weight;
    return -mean * Math.log(mean) - (1 - mean) * Math.log1p(-mean);
  }

  /** Log loss by that of the mean label. */
  double normalizedEntropy(Scorer scorer) {
    return of(scorer).losses() / weight / entropy();
  }

  /** Its standard error. */
  double normalizedEntropyError(Scorer scorer) {
    return lossesError(scorer) / weight / entropy();
  }

  /** Log loss by that which the scorer expects: 1 of one that is right. */
  double surprise(Scorer scorer) {
    return of(scorer).losses() / of(scorer).expectedLosses();
  }

  /** Its standard error. */
  double surpriseError(Scorer scorer) {
    return lossesError(scorer) / of(scorer).expectedLosses();
  }

  private double lossesError(Scorer scorer) {
    return clumping.ofLosses(examples) * of(scorer).lossesError(weight, weightSquares);
  }

  /** Mean probability by mean label. */
  double calibration(Scorer scorer) {
    return of(scorer).expected() / labels;
  }

  /** Positive labels that a scorer expects, by weight. */
  double expected(Scorer scorer) {
    return of(scorer).expected();
  }

  /** Those that there are, by weight. */
  double found() {
    return labels;
  }

  /** The standard error of {@link #found} where this many are expected. */
  double foundError(double labels) {
    return clumping.ofLabels(examples) * Math.sqrt(weightSquares / weight * labels);
  }

  /** The part by which the number of positive labels differs by chance. */
  double chance() {
    return clumping.ofLabels(examples) / Math.sqrt(Math.max(1, positives));
  }

  /** The same where two scorers are compared on the same labels. */
  double chanceOfDifference() {
    return clumping.ofDifferences(examples) / Math.sqrt(Math.max(1, positives));
  }

  /** The share of pairs in the right order. */
  double area(Scorer scorer) {
    return of(scorer).area();
  }

  /** Normalized entropy of the candidate less that of the healthy state, on the same examples. */
  double worse() {
    return difference / weight / entropy();
  }

  /** Its standard error. */
  double worseError() {
    double mean = difference / weight;
    double variance = squared - 2 * mean * weighted + mean * mean * weightSquares;
    return clumping.ofDifferences(examples) * Math.sqrt(Math.max(0, variance)) / weight / entropy();
  }

  /** What people are shown. */
  Figures figures(String task, String slice) {
    Map<Scorer, Figures.Of> by = new EnumMap<>(Scorer.class);
    for (Scorer scorer : Scorer.values()) {
      double ne = normalizedEntropy(scorer);
      double error = USUAL * normalizedEntropyError(scorer);
      by.put(scorer, new Figures.Of(ne, ne - error, ne + error, calibration(scorer), area(scorer)));
    }
    double error = USUAL * worseError();
    return new Figures(
        task, slice, examples(), positives(), by, worse(), worse() - error, worse() + error);
  }

  void write(ByteBuffer to) {
    to.putDouble(examples).putDouble(positives).putDouble(weight).putDouble(labels);
    to.putDouble(weightSquares).putDouble(difference).putDouble(weighted).putDouble(squared);
    healthy.write(to);
    candidate.write(to);
    served.write(to);
  }

  void read(ByteBuffer from) {
    examples = from.getDouble();
    positives = from.getDouble();
    weight = from.getDouble();
    labels = from.getDouble();
    weightSquares = from.getDouble();
    difference = from.getDouble();
    weighted = from.getDouble();
    squared = from.getDouble();
    healthy.read(from);
    candidate.read(from);
    served.read(from);
  }
}
