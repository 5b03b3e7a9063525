package dev.wukong.simulator;

import dev.wukong.simulator.Draws.Purpose;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The world of rules read from its definition, slowly: a row's probability from the values that a
 * model sees, with no table made beforehand. Only the random numbers, the logistic fit and the
 * sample's rows are the world's own.
 */
final class PlainRules {
  /** A feature, the number of its values, its tickets. */
  private record PlainFeature(String name, int size, int tickets) {}

  private static final List<PlainFeature> FEATURES =
      List.of(
          new PlainFeature("user", 10_000, 2),
          new PlainFeature("segment", 32, 1),
          new PlainFeature("country", 40, 1),
          new PlainFeature("age_band", 8, 1),
          new PlainFeature("device", 5, 1),
          new PlainFeature("hour", 24, 1),
          new PlainFeature("weekday", 7, 1),
          new PlainFeature("referrer", 16, 1),
          new PlainFeature("recent", 40, 1),
          new PlainFeature("query", 1_000, 1),
          new PlainFeature("topic", 50, 1),
          new PlainFeature("age", 63, 1),
          new PlainFeature("item", 5_000, 2),
          new PlainFeature("category", 40, 1),
          new PlainFeature("brand", 1_000, 1),
          new PlainFeature("seller", 1_000, 1),
          new PlainFeature("price_band", 12, 1),
          new PlainFeature("style", 60, 1),
          new PlainFeature("color", 16, 1),
          new PlainFeature("delivery", 5, 1),
          new PlainFeature("position", 10, 1),
          new PlainFeature("log_price", 700, 1));

  private static final Map<String, String> PARENTS =
      Map.of("user", "segment", "query", "topic", "item", "category", "brand", "category");
  private static final int[] LEVELS = {2, 2, 3, 3, 4, 6};
  private static final int[] RULES = {60, 160, 160, 100, 60};
  private static final double[] SHARES = {0.25, 0.3, 0.25, 0.13, 0.07};

  private final Draws draws;
  private final List<List<PlainRule>> rules = new ArrayList<>();
  private final double[] factors = new double[RULES.length];
  private final Logistic line;

  /** Attributes (feature number, attribute number) and the worth of each combination of levels. */
  private record PlainRule(List<List<Integer>> parts, Map<List<Integer>, Double> worth) {}

  /**
   * @param sample rows by which the orders are scaled: feature's name to value
   */
  PlainRules(long seed, List<Map<String, Integer>> sample) {
    draws = new Draws(seed);
    for (int order = 1; order <= RULES.length; order++) {
      List<PlainRule> ofOrder = new ArrayList<>();
      for (int number = 0; number < RULES[order - 1]; number++) {
        ofOrder.add(rule(order, number));
      }
      rules.add(ofOrder);
    }
    double[][] scores = new double[sample.size()][];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = byOrder(sample.get(i));
    }
    double[] sums = new double[scores.length];
    for (int k = 0; k < RULES.length; k++) {
      double mean = 0;
      for (double[] score : scores) {
        mean += score[k] / scores.length;
      }
      double variance = 0;
      for (double[] score : scores) {
        variance += (score[k] - mean) * (score[k] - mean) / scores.length;
      }
      factors[k] = Math.sqrt(SHARES[k] / variance);
      for (int i = 0; i < scores.length; i++) {
        sums[i] += factors[k] * scores[i][k];
      }
    }
    line = Logistic.fit(sums, 0.2, 0.75);
  }

  /** The click probability of a row. */
  double probability(Map<String, Integer> row) {
    double[] scores = byOrder(row);
    double score = 0;
    for (int k = 0; k < scores.length; k++) {
      score += factors[k] * scores[k];
    }
    return line.probability(score);
  }

  private double[] byOrder(Map<String, Integer> row) {
    int[][] levels = new int[FEATURES.size()][LEVELS.length];
    for (int f = 0; f < levels.length; f++) {
      for (int a = 0; a < LEVELS.length; a++) {
        levels[f][a] = level(row, FEATURES.get(f).name(), a);
      }
    }
    double[] result = new double[RULES.length];
    for (int k = 0; k < result.length; k++) {
      for (int number = 0; number < RULES[k]; number++) {
        PlainRule rule = rules.get(k).get(number);
        List<Integer> combination =
            rule.parts().stream().map(part -> levels[part.get(0)][part.get(1)]).toList();
        result[k] +=
            Math.pow(number + 1, -0.6) * Objects.requireNonNull(rule.worth().get(combination));
      }
    }
    return result;
  }

  private int level(Map<String, Integer> row, String name, int attribute) {
    int feature = 0;
    while (!FEATURES.get(feature).name().equals(name)) {
      feature++;
    }
    int value = Objects.requireNonNull(row.get(name));
    if (name.equals("age") || name.equals("log_price")) {
      double place = (value + 0.5) / FEATURES.get(feature).size();
      int level = 0;
      for (int cut = 1; cut < LEVELS[attribute]; cut++) {
        double shift = draws.uniform(Purpose.RULE_CUT, feature, 8L * attribute + cut);
        level += place >= (cut - 0.5 + shift) / LEVELS[attribute] ? 1 : 0;
      }
      return level;
    }
    long subject = feature * 4_294_967_296L + value;
    String parent = PARENTS.get(name);
    if (parent != null && draws.uniform(Purpose.RULE_LEVEL, subject, 2L * attribute) < 0.75) {
      return level(row, parent, attribute);
    }
    double own = draws.uniform(Purpose.RULE_LEVEL, subject, 2L * attribute + 1);
    return (int) Math.floor(own * LEVELS[attribute]);
  }

  private PlainRule rule(int order, int number) {
    long subject = order * 4_294_967_296L + number;
    for (int attempt = 0; ; attempt++) {
      List<List<Integer>> parts = parts(order, subject, attempt);
      int cells = parts.stream().mapToInt(part -> LEVELS[part.get(1)]).reduce(1, (a, b) -> a * b);
      if (cells <= 128) {
        return new PlainRule(parts, worth(parts, subject, cells));
      }
    }
  }

  private List<List<Integer>> parts(int order, long subject, int attempt) {
    List<List<Integer>> parts = new ArrayList<>();
    List<Integer> urn = new ArrayList<>();
    for (int f = 0; f < FEATURES.size(); f++) {
      for (int ticket = 0; ticket < FEATURES.get(f).tickets(); ticket++) {
        urn.add(f);
      }
    }
    for (int i = 0; i < order; i++) {
      long n = 100L * attempt + 2L * i;
      int feature = urn.get((int) (draws.uniform(Purpose.RULE_PARTS, subject, n) * urn.size()));
      urn.removeIf(ticket -> ticket == feature);
      int attribute = (int) (draws.uniform(Purpose.RULE_PARTS, subject, n + 1) * LEVELS.length);
      parts.add(List.of(feature, attribute));
    }
    return parts;
  }

  /** The combinations in the order in which the first attribute moves the fastest. */
  private Map<List<Integer>, Double> worth(List<List<Integer>> parts, long subject, int cells) {
    Map<List<Integer>, Double> raw = new LinkedHashMap<>();
    for (int cell = 0; cell < cells; cell++) {
      List<Integer> combination = new ArrayList<>();
      int rest = cell;
      for (List<Integer> part : parts) {
        combination.add(rest % LEVELS[part.get(1)]);
        rest /= LEVELS[part.get(1)];
      }
      double sum = 0;
      for (int j = 0; j < 12; j++) {
        sum += draws.uniform(Purpose.RULE_TABLE, subject, 12L * cell + j);
      }
      raw.put(combination, sum);
    }
    double mean = raw.values().stream().mapToDouble(v -> v).average().orElseThrow();
    double variance =
        raw.values().stream().mapToDouble(v -> (v - mean) * (v - mean)).average().orElseThrow();
    Map<List<Integer>, Double> worth = new HashMap<>();
    raw.forEach((combination, v) -> worth.put(combination, (v - mean) / Math.sqrt(variance)));
    return worth;
  }
}
