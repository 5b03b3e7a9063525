package dev.wukong.simulator;

import dev.wukong.simulator.Draws.Purpose;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/**
 * The hidden side: factors of users, items, hours and devices, and the score of a candidate before
 * it is scaled. A user's factors are mostly those of the segment, an item's mostly those of the
 * category, so that they can be learnt.
 */
final class World {
  static final int FACTORS = 6;
  static final int SEGMENTS = 8;
  static final int CATEGORIES = 24;
  static final int DAY_PARTS = 6;
  static final int DEVICES = 3;
  static final int COUNTRIES = 12;
  static final int BRANDS = 150;

  // Shares of the score's standard deviation.
  private static final double MAIN = 0.45;
  private static final double SECOND_ORDER = 0.65;
  private static final double THIRD_ORDER = 0.75;
  private static final double FOURTH_ORDER = 0.4;
  private static final double HISTORY = 0.4;
  private static final double PRICE = 0.35;
  private static final double OWN = 0.45;

  private final Draws draws;
  private final double driftPerRequest;
  private final double[][] users; // [users, factors]
  private final double[][] items; // [items, factors], before drift
  private final double[][] hours = new double[DAY_PARTS][];
  private final double[][] devices = new double[DEVICES][];

  // What is drawn once: by user, by item, by segment, by segment and category.
  private final int[] segments;
  private final int[] categories;
  private final double[] userMain;
  private final double[] itemMain;
  private final double[] userConversion;
  private final double[] itemConversion;
  private final double[] logPrice;
  private final double[] priceTaste = new double[SEGMENTS];
  private final double[] pairConversion = new double[SEGMENTS * CATEGORIES];

  World(SimulatorConfig config, Draws draws) {
    this.draws = draws;
    this.driftPerRequest = config.driftPerMillion() / 1e6;
    double[][] segmentFactors = factors(SEGMENTS, Purpose.SEGMENT_FACTOR);
    double[][] categoryFactors = factors(CATEGORIES, Purpose.CATEGORY_FACTOR);
    this.users = factors(config.users(), Purpose.USER_FACTOR);
    for (int u = 0; u < users.length; u++) {
      mix(users[u], segmentFactors[segment(u)]);
    }
    this.items = factors(config.items(), Purpose.ITEM_FACTOR);
    for (int i = 0; i < items.length; i++) {
      mix(items[i], categoryFactors[category(i)]);
    }
    for (int h = 0; h < DAY_PARTS; h++) {
      hours[h] = signs(Purpose.HOUR_FACTOR, h);
    }
    for (int d = 0; d < DEVICES; d++) {
      devices[d] = signs(Purpose.DEVICE_FACTOR, d);
    }
    this.segments = IntStream.range(0, users.length).map(this::segment).toArray();
    this.categories = IntStream.range(0, items.length).map(this::category).toArray();
    this.userMain = each(users.length, this::userMain);
    this.itemMain = each(items.length, this::itemMain);
    this.logPrice = each(items.length, i -> Math.log(price(i) / 100.0) - 3);
    this.userConversion = each(users.length, u -> 0.5 * draws.normal(Purpose.USER_TRAIT, u, 20));
    this.itemConversion =
        each(items.length, i -> 0.6 * draws.normal(Purpose.ITEM_TRAIT, i, 20) - 0.4 * logPrice[i]);
    Arrays.setAll(priceTaste, s -> draws.normal(Purpose.SEGMENT, s, 9));
    Arrays.setAll(pairConversion, p -> draws.normal(Purpose.CATEGORY, p, 20));
  }

  private static double[] each(int count, IntToDoubleFunction value) {
    return IntStream.range(0, count).mapToDouble(value).toArray();
  }

  private double[][] factors(int count, Purpose purpose) {
    double[][] factors = new double[count][FACTORS];
    for (int i = 0; i < count; i++) {
      for (int f = 0; f < FACTORS; f++) {
        factors[i][f] = draws.normal(purpose, i, f);
      }
    }
    return factors;
  }

  /**
   * Which factors an hour or a device turns round: what makes the interaction one of a higher
   * order.
   */
  private double[] signs(Purpose purpose, int subject) {
    double[] signs = new double[FACTORS];
    for (int f = 0; f < FACTORS; f++) {
      signs[f] = draws.uniform(purpose, subject, f) < 0.5 ? -1 : 1;
    }
    return signs;
  }

  private static void mix(double[] own, double[] group) {
    double share = Math.sqrt(1 - OWN * OWN);
    for (int f = 0; f < FACTORS; f++) {
      own[f] = OWN * own[f] + share * group[f];
    }
  }

  int segment(int user) {
    return draws.below(SEGMENTS, Purpose.SEGMENT, user, 0);
  }

  int category(int item) {
    return draws.below(CATEGORIES, Purpose.CATEGORY, item, 0);
  }

  int country(int user) {
    return draws.below(COUNTRIES, Purpose.USER_TRAIT, user, 1);
  }

  int brand(int item) {
    double uniform = draws.uniform(Purpose.BRAND, item, 0);
    return (int) (uniform * uniform * BRANDS);
  }

  /** The user's age, NaN where it is not known. */
  double age(int user) {
    return draws.uniform(Purpose.USER_TRAIT, user, 2) < 0.1
        ? Double.NaN
        : Math.floor(18 + 50 * draws.uniform(Purpose.USER_TRAIT, user, 3));
  }

  /** The item's price in cents, rounded: what callers see is what decides. */
  long price(int item) {
    return Math.round(100 * Math.exp(3 + draws.normal(Purpose.ITEM_TRAIT, item, 1)));
  }

  /** The factors of {@code item} at request {@code index}. */
  void itemFactors(int item, long index, double[] into) {
    double angle = driftPerRequest * index;
    double cos = Math.cos(angle);
    double sin = Math.sin(angle);
    for (int f = 0; f < FACTORS; f += 2) {
      into[f] = cos * items[item][f] - sin * items[item][f + 1];
      into[f + 1] = sin * items[item][f] + cos * items[item][f + 1];
    }
  }

  /** How well {@code item} suits {@code user} whatever the hour, before drift. */
  double affinity(int user, int item) {
    double sum = 0;
    for (int f = 0; f < FACTORS; f++) {
      sum += users[user][f] * items[item][f];
    }
    return sum;
  }

  /** The click score of a candidate, of some unit variance, before scale and bias. */
  double clickScore(Shown shown, int item) {
    double[] v = shown.scratch();
    itemFactors(item, shown.index(), v);
    double[] u = users[shown.user()];
    double[] hour = hours[shown.hour() * DAY_PARTS / 24];
    double[] device = devices[shown.device()];
    double second = 0;
    double third = 0;
    double fourth = 0;
    double history = 0;
    for (int f = 0; f < FACTORS; f++) {
      double pair = u[f] * v[f];
      second += pair;
      third += pair * hour[f];
      fourth += pair * hour[f] * device[f];
      history += shown.historyMean()[f] * v[f];
    }
    double unit = 1 / Math.sqrt(FACTORS);
    return MAIN * main(shown, item)
        + SECOND_ORDER * unit * second
        + THIRD_ORDER * unit * third
        + FOURTH_ORDER * unit * fourth
        + HISTORY * unit * history
        + PRICE * priceTaste[segments[shown.user()]] * logPrice[item];
  }

  private double main(Shown shown, int item) {
    return userMain[shown.user()] + itemMain[item];
  }

  private double userMain(int user) {
    double age = age(user);
    return 0.5 * draws.normal(Purpose.USER_TRAIT, user, 10)
        + 0.4 * draws.normal(Purpose.COUNTRY_TRAIT, country(user), 0)
        + (Double.isNaN(age) ? 0 : 0.3 * (age - 43) / 15);
  }

  private double itemMain(int item) {
    return 0.6 * draws.normal(Purpose.ITEM_TRAIT, item, 10)
        + 0.3 * draws.normal(Purpose.BRAND, brand(item), 10);
  }

  /**
   * The conversion score given a click, of some unit variance: other factors decide than those of a
   * click.
   */
  double conversionScore(Shown shown, int item) {
    int pair = segments[shown.user()] * CATEGORIES + categories[item];
    return userConversion[shown.user()] + itemConversion[item] + 0.6 * pairConversion[pair];
  }
}
