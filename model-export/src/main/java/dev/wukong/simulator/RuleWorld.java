package dev.wukong.simulator;

import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.Pooling;
import dev.wukong.data.RowSource;
import dev.wukong.data.Schema;
import dev.wukong.data.Task;
import dev.wukong.data.ValueType;
import dev.wukong.metrics.Metrics;
import dev.wukong.simulator.Draws.Purpose;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A world that is nobody's model: its clicks follow rules, where those of {@link Simulator} follow
 * products of hidden factors, which are what factorization machines are made of. Frozen: what
 * {@link #WORLD_VERSION} names never changes. Safe for all threads.
 *
 * <p>Each value of each feature has hidden attributes of few levels ({@link RuleLevels}). A {@link
 * Rule} takes attributes of 1 to 5 different features and looks their levels up in a random table.
 * The score is the weighted sum of all rules ({@link RuleBook}), a click's probability the logistic
 * function of a line of it, and the label is drawn by that. Contexts and candidates are drawn by
 * Zipf's law and by what belongs together ({@link RuleCatalog}).
 *
 * <p>Why so:
 *
 * <ul>
 *   <li>A lookup has no form that a network could share: neither products nor sums, squashed or
 *       not, of its parts. A random table of order k has parts of all lower orders too, so that
 *       every order can be reached from the one below; a pure interaction of five attributes would
 *       be a parity that nothing learns from examples. A rule's order is thus the highest order in
 *       it.
 *   <li>Weights fall as a power, without a gap after which a model would be done: there is always a
 *       further rule to be found. Of 160 rules whose weights fall by {@link RuleBook#ALPHA}, 0.6,
 *       the first has about a quarter of the variance, and so have the 140 after the twentieth
 *       together.
 *   <li>Tables have up to {@link Rule#MAX_CELLS} cells, so that ten million rows show each cell
 *       often.
 *   <li>A quarter of the variance is of main effects, which any model can find; nearly half is of
 *       orders 3 to 5.
 *   <li>10,000 users and 5,000 items, with Zipf exponents of 0.9 and 1: in ten million rows the
 *       rarest comes some hundred times, and most of what it is it has from its visible parent,
 *       which is seen much more often.
 *   <li>Four candidates a request: what a context alone decides is learnt from contexts, and ten
 *       million rows then hold 2.5 million of them. With ten candidates a frequent user was still
 *       seen in few situations.
 * </ul>
 */
public final class RuleWorld implements ClickSource {
  /** Names this world: the same version and seed give the same rows. */
  public static final String WORLD_VERSION = "rules-1";

  static final int CANDIDATES = 4;
  static final double USER_SKEW = 0.9;
  static final double QUERY_SKEW = 0.9;
  static final double ITEM_SKEW = 1;
  static final double CLICK_RATE = 0.2;
  static final double BEST_NORMALIZED_ENTROPY = 0.75;

  /** Rows by which the orders and the line are scaled. */
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
      sums[i] = scores.context(sample.get(i), places) + scores.candidate(sample.get(i), places);
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
      features.add(
          new IdFeature(
              name,
              feature.scope(),
              name,
              ValueType.INT64,
              mapping(feature),
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

  /**
   * Numbers are cut into some twenty buckets: models treat raw numbers in ways of their own, and
   * what is compared here is how they make fields meet.
   */
  private static IdMapping mapping(RuleFeature feature) {
    return switch (feature) {
      case AGE -> buckets(21, 3, 20);
      case LOG_PRICE -> buckets(0.35, 0.35, 19);
      default -> new IdMapping.Vocabulary(2);
    };
  }

  private static IdMapping buckets(double first, double step, int count) {
    return new IdMapping.Buckets(
        IntStream.range(0, count).mapToObj(i -> first + i * step).toList());
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
