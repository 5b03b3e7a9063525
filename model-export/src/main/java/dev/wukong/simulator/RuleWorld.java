package dev.wukong.simulator;

import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.NumberFeature;
import dev.wukong.data.Pooling;
import dev.wukong.data.RowSource;
import dev.wukong.data.Schema;
import dev.wukong.data.Task;
import dev.wukong.data.Transform;
import dev.wukong.data.ValueType;
import dev.wukong.metrics.Metrics;
import dev.wukong.simulator.Draws.Purpose;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** A world whose clicks follow rules. Safe for all threads. */
public final class RuleWorld implements ClickSource {
  /** Names this world: the same version and seed give the same rows. */
  public static final String WORLD_VERSION = "rules-1";

  static final int CANDIDATES = 4;
  static final double USER_SKEW = 0.9;
  static final double QUERY_SKEW = 0.9;
  static final double ITEM_SKEW = 1;
  static final double CLICK_RATE = 0.2;
  static final double BEST_NORMALIZED_ENTROPY = 0.75;

  static final int SAMPLE = 16_384;
  // Requests that only set the scale; far from those that anyone asks for.
  static final long SAMPLE_REQUEST = Long.MIN_VALUE;

  private final Draws draws;
  private final RuleDraw.Parts parts;
  private final RuleScores scores;
  private final Logistic clicks;

  public RuleWorld(long seed) {
    this.draws = new Draws(seed);
    this.parts = RuleDraw.Parts.of(draws);
    List<byte[]> sample = sample(parts);
    RuleBook book = RuleBook.of(draws, sample);
    this.scores = new RuleScores(book.rules(), book.weights());
    int[] places = new int[scores.rules()];
    double[] sums = new double[SAMPLE];
    for (int i = 0; i < SAMPLE; i++) {
      sums[i] =
          scores.context(sample.get(i), places) + scores.candidate(sample.get(i), places);
    }
    Logistic line = Logistic.fit(sums, CLICK_RATE, BEST_NORMALIZED_ENTROPY);
    // Rounded, since the last bit of Math.exp is the platform's.
    this.clicks = new Logistic(rounded(line.scale()), rounded(line.bias()));
  }

  static RuleBook book(Draws draws, RuleDraw.Parts parts) {
    return RuleBook.of(draws, sample(parts));
  }

  private static List<byte[]> sample(RuleDraw.Parts parts) {
    RuleDraw draw = new RuleDraw(parts);
    List<byte[]> sample = new ArrayList<>();
    for (int i = 0; i < SAMPLE; i++) {
      draw.request(SAMPLE_REQUEST + i);
      draw.candidate(i % CANDIDATES);
      sample.add(draw.levels().clone());
    }
    return sample;
  }

  private static double rounded(double value) {
    return Math.rint(value * 0x1p20) * 0x1p-20;
  }

  @Override
  public int candidates() {
    return CANDIDATES;
  }

  @Override
  public Schema schema() {
    List<Feature> features = new ArrayList<>();
    for (RuleFeature feature : RuleFeature.values()) {
      String name = feature.name().toLowerCase(Locale.ROOT);
      Transform transform = feature == RuleFeature.AGE ? Transform.LOG1P : Transform.NONE;
      features.add(
          feature.number()
              ? new NumberFeature(name, feature.scope(), name, 1, transform, false)
              : new IdFeature(
                  name,
                  feature.scope(),
                  name,
                  ValueType.INT64,
                  new IdMapping.Vocabulary(2),
                  name,
                  1,
                  Pooling.MEAN,
                  Optional.empty()));
    }
    return new Schema(
        WORLD_VERSION,
        features,
        List.of(new Task(Simulator.CLICK, Simulator.CLICK, Optional.empty(), Optional.empty())));
  }

  @Override
  public RowSource rows(long from, long to) {
    return new RuleRows(this, from, to);
  }

  @Override
  public double bestNormalizedEntropy(long from, long to) {
    double[] truth = new double[Math.toIntExact(Math.multiplyExact(to - from, CANDIDATES))];
    try (RuleRows rows = new RuleRows(this, from, to)) {
      for (int i = 0; rows.next(); i++) {
        truth[i] = rows.probability();
      }
    }
    return Metrics.bestNormalizedEntropy(truth);
  }

  RuleDraw.Parts parts() {
    return parts;
  }

  RuleScores scores() {
    return scores;
  }

  double probability(double score) {
    return 1 / (1 + StrictMath.exp(-(clicks.scale() * score + clicks.bias())));
  }

  double labelDraw(long index, int candidate) {
    return draws.uniform(Purpose.RULE_LABEL, index, candidate);
  }
}
