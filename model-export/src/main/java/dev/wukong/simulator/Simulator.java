package dev.wukong.simulator;

import dev.wukong.data.Feature;
import dev.wukong.data.IdFeature;
import dev.wukong.data.IdMapping;
import dev.wukong.data.NumberFeature;
import dev.wukong.data.Pooling;
import dev.wukong.data.RowSource;
import dev.wukong.data.Schema;
import dev.wukong.data.Scope;
import dev.wukong.data.Task;
import dev.wukong.data.Transform;
import dev.wukong.data.ValueType;
import dev.wukong.metrics.Metrics;
import dev.wukong.simulator.Draws.Purpose;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A world of users who click on items, whose every click probability is known exactly. Requests are
 * functions of the seed and their index: any can be had at any time. Safe for all threads.
 *
 * <p>A click depends on main effects, on the product of a user's and an item's hidden factors, on
 * that product with factors turned round by the hour (third order) and by hour and device (fourth
 * order), on the history's items, and on a segment's taste for prices. A conversion follows a click
 * after a delay.
 */
public final class Simulator implements ClickSource {
  /** The name of the click task and of its label's column. */
  public static final String CLICK = "click";

  /** The name of the conversion task and of its label's column; absent where there was no click. */
  public static final String CONVERSION = "conversion";

  private static final int SAMPLE = 8192;
  // Requests that only set the scale; far from those that anyone asks for, at the same time.
  private static final long SAMPLE_SUBJECT = Long.MIN_VALUE;

  private final SimulatorConfig config;
  private final Draws draws;
  private final World world;
  private final Zipf users;
  private final Zipf items;
  private final Logistic clicks;
  private final Logistic conversions;

  public Simulator(SimulatorConfig config) {
    this.config = config;
    this.draws = new Draws(config.seed());
    this.world = new World(config, draws);
    this.users = new Zipf(config.users(), config.userSkew());
    this.items = new Zipf(config.items(), config.itemSkew());
    double[] clickScores = new double[SAMPLE];
    double[] conversionScores = new double[SAMPLE];
    for (int i = 0; i < SAMPLE; i++) {
      Shown shown = shown(0, SAMPLE_SUBJECT + i);
      int item = item(SAMPLE_SUBJECT + i, 0);
      clickScores[i] = world.clickScore(shown, item);
      conversionScores[i] = world.conversionScore(shown, item);
    }
    this.clicks = Logistic.fit(clickScores, config.clickRate(), config.bestNormalizedEntropy());
    this.conversions = Logistic.fit(conversionScores, config.conversionRate(), 0.9);
  }

  public SimulatorConfig config() {
    return config;
  }

  @Override
  public int candidates() {
    return config.candidates();
  }

  /** Features of requests and candidates, and the two tasks. */
  @Override
  public Schema schema() {
    IdMapping.Vocabulary seen = new IdMapping.Vocabulary(1);
    List<Feature> features =
        List.of(
            id("user", Scope.CONTEXT, ValueType.INT64, seen),
            id("segment", Scope.CONTEXT, ValueType.STRING, seen),
            id("country", Scope.CONTEXT, ValueType.STRING, seen),
            id("device", Scope.CONTEXT, ValueType.STRING, seen),
            id("hour", Scope.CONTEXT, ValueType.INT64, seen),
            new IdFeature(
                "history",
                Scope.CONTEXT,
                "history",
                ValueType.INT64,
                seen,
                "item",
                config.historyLength(),
                Pooling.MEAN,
                Optional.empty()),
            new NumberFeature("age", Scope.CONTEXT, "age", 1, Transform.NONE, true),
            id("item", Scope.CANDIDATE, ValueType.INT64, seen),
            id("category", Scope.CANDIDATE, ValueType.STRING, seen),
            id("brand", Scope.CANDIDATE, ValueType.STRING, new IdMapping.Hash(1000)),
            new NumberFeature("price", Scope.CANDIDATE, "price", 1, Transform.LOG1P, false));
    return new Schema(
        "simulator",
        features,
        List.of(
            new Task(CLICK, CLICK, Optional.empty(), Optional.empty()),
            new Task(CONVERSION, CONVERSION, Optional.empty(), Optional.empty())));
  }

  private static IdFeature id(String name, Scope scope, ValueType type, IdMapping mapping) {
    return new IdFeature(name, scope, name, type, mapping, name, 1, Pooling.MEAN, Optional.empty());
  }

  /**
   * The request number {@code index}.
   *
   * @throws IllegalArgumentException if it is negative
   */
  public Request request(long index) {
    if (index < 0) {
      throw new IllegalArgumentException("request %d; 0 and above are allowed".formatted(index));
    }
    Shown shown = shown(index, index);
    List<Request.Candidate> candidates = new ArrayList<>(config.candidates());
    for (int c = 0; c < config.candidates(); c++) {
      candidates.add(candidate(shown, c));
    }
    return new Request(index, context(shown), candidates);
  }

  /** The context drawn for {@code subject}, at the time of request {@code index}. */
  private Shown shown(long index, long subject) {
    int user = users.rank(draws.uniform(Purpose.REQUEST, subject, 0));
    int hour = draws.below(24, Purpose.REQUEST, subject, 1);
    int device = draws.below(World.DEVICES, Purpose.REQUEST, subject, 2);
    int[] history = new int[draws.below(config.historyLength() + 1, Purpose.REQUEST, subject, 3)];
    double[] mean = new double[World.FACTORS];
    double[] scratch = new double[World.FACTORS];
    for (int i = 0; i < history.length; i++) {
      history[i] = liked(user, subject, i);
      world.itemFactors(history[i], index, scratch);
      for (int f = 0; f < World.FACTORS; f++) {
        mean[f] += scratch[f] / history.length;
      }
    }
    return new Shown(index, user, hour, device, history, mean, scratch);
  }

  /** An item the user has come across and liked best of a few. */
  private int liked(int user, long subject, int n) {
    int best = -1;
    double most = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < 4; i++) {
      int item = items.rank(draws.uniform(Purpose.HISTORY, subject, 4L * n + i));
      double affinity = world.affinity(user, item);
      if (affinity > most) {
        most = affinity;
        best = item;
      }
    }
    return best;
  }

  private int item(long subject, int candidate) {
    return items.rank(draws.uniform(Purpose.CANDIDATE, subject, candidate));
  }

  private List<@Nullable Object> context(Shown shown) {
    double age = world.age(shown.user());
    return Arrays.asList(
        shown.user() + 1L,
        "s" + world.segment(shown.user()),
        "country" + world.country(shown.user()),
        List.of("phone", "tablet", "desktop").get(shown.device()),
        (long) shown.hour(),
        Arrays.stream(shown.history()).mapToObj(item -> item + 1L).toList(),
        Double.isNaN(age) ? null : Double.valueOf(age));
  }

  private Request.Candidate candidate(Shown shown, int c) {
    int item = item(shown.index(), c);
    double click = clicks.probability(world.clickScore(shown, item));
    double conversion = conversions.probability(world.conversionScore(shown, item));
    boolean clicked = draws.uniform(Purpose.LABEL, shown.index(), 3L * c) < click;
    boolean converted =
        clicked && draws.uniform(Purpose.LABEL, shown.index(), 3L * c + 1) < conversion;
    double delay = -Math.log1p(-draws.uniform(Purpose.LABEL, shown.index(), 3L * c + 2));
    return new Request.Candidate(
        Arrays.asList(
            item + 1L,
            "c" + world.category(item),
            "brand" + world.brand(item),
            world.price(item) / 100.0),
        click,
        conversion,
        clicked,
        converted,
        Duration.ofMillis(Math.round(delay * config.conversionDelay().toMillis())));
  }

  @Override
  public RowSource rows(long from, long to) {
    return new SimulatedRows(this, from, to);
  }

  @Override
  public double bestNormalizedEntropy(long from, long to) {
    double[] truth =
        new double[Math.toIntExact(Math.multiplyExact(to - from, config.candidates()))];
    int at = 0;
    for (long index = from; index < to; index++) {
      for (Request.Candidate candidate : request(index).candidates()) {
        truth[at++] = candidate.clickProbability();
      }
    }
    return Metrics.bestNormalizedEntropy(truth);
  }
}
