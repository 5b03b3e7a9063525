package dev.wukong.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.wukong.data.Feature;
import dev.wukong.data.RowSource;
import dev.wukong.data.Scope;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RuleWorldTest {
  private static final RuleWorld WORLD = new RuleWorld(1);
  private static final int FEATURES = RuleFeature.values().length;

  /**
   * A freeze, not a proof: it only says that the rows are those that {@code rules-1} always had. If
   * it fails, undo the change, or give the changed world a new version and this test its hash.
   */
  @Test
  void rows_ofThisVersion_neverChange() throws NoSuchAlgorithmException {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    read(WORLD, 0, 300)
        .forEach(row -> digest.update((row + "\n").getBytes(StandardCharsets.UTF_8)));
    assertThat(RuleWorld.WORLD_VERSION + " " + HexFormat.of().formatHex(digest.digest()))
        .isEqualTo("rules-1 65a0a5714aca04fa3ede009dc25d98520faac66768ef35bc94db343a90666e55");
  }

  @Test
  void probability_byTheDefinitionReadPlainly_isTheSame() {
    RuleDraw draw = new RuleDraw(WORLD.parts());
    List<Map<String, Integer>> sample = new ArrayList<>();
    for (int i = 0; i < RuleWorld.SAMPLE; i++) {
      draw.request(RuleWorld.SAMPLE_REQUEST + i);
      draw.candidate(i % WORLD.candidates());
      Map<String, Integer> row = new LinkedHashMap<>();
      for (RuleFeature feature : RuleFeature.values()) {
        row.put(feature.name().toLowerCase(Locale.ROOT), draw.value(feature.place()));
      }
      sample.add(row);
    }
    PlainRules plain = new PlainRules(1, sample);
    try (RowSource rows = WORLD.rows(7_000_000, 7_000_100)) {
      while (rows.next()) {
        double truth = (Double) value(rows, FEATURES + 1);
        // The world rounds scale and bias to a millionth.
        assertThat(truth).isCloseTo(plain.probability(values(rows)), within(2e-6));
      }
      assertThat(rows.row()).isEqualTo(400);
    }
  }

  private static Map<String, Integer> values(RowSource rows) {
    Map<String, Integer> values = new LinkedHashMap<>();
    for (int c = 0; c < FEATURES; c++) {
      String name = rows.columns().get(c);
      double value = ((Number) value(rows, c)).doubleValue();
      values.put(
          name,
          switch (name) {
            case "age" -> (int) value - 18;
            case "log_price" -> (int) Math.round(value * 100);
            default -> (int) value - 1;
          });
    }
    return values;
  }

  private static Object value(RowSource rows, int column) {
    return Objects.requireNonNull(rows.value(column), rows.columns().get(column));
  }

  private static List<List<Object>> read(ClickSource world, long from, long to) {
    List<List<Object>> result = new ArrayList<>();
    try (RowSource rows = world.rows(from, to)) {
      while (rows.next()) {
        result.add(
            IntStream.range(0, rows.columns().size()).mapToObj(c -> value(rows, c)).toList());
      }
    }
    return result;
  }

  @Test
  void truth_manyRequests_hasTheRateAndEntropyAskedFor() {
    double mean = 0;
    try (RuleRows rows = new RuleRows(WORLD, 1_000_000, 1_040_000)) {
      while (rows.next()) {
        mean += rows.probability() / 160_000;
      }
    }
    assertThat(mean).isCloseTo(0.2, within(0.006));
    assertThat(WORLD.bestNormalizedEntropy(1_000_000, 1_040_000)).isCloseTo(0.75, within(0.01));
  }

  @Test
  void variance_ofEachOrder_isItsShare() {
    RuleBook book = RuleWorld.book(new Draws(1), WORLD.parts());
    List<byte[]> fresh = new ArrayList<>();
    RuleDraw draw = new RuleDraw(WORLD.parts());
    for (int i = 0; i < 20_000; i++) {
      draw.request(i);
      draw.candidate(i % WORLD.candidates());
      fresh.add(draw.levels().clone());
    }
    double[] variances = book.variances(fresh);
    assertThat(book.rules()).hasSize(540);
    double[] shares = {0.25, 0.3, 0.25, 0.13, 0.07};
    for (int order = 1; order <= shares.length; order++) {
      // Two samples of some 20,000 rows: a deviation of 1 % each, and more for heavy values.
      assertThat(variances[order - 1] / shares[order - 1]).isCloseTo(1, within(0.06));
    }
  }

  /** Rows sorted by probability into 50 bins: clicks in each against what is to be expected. */
  @Test
  void labels_byProbability_haveThatFrequency() {
    double[] expected = new double[50];
    double[] variance = new double[50];
    double[] clicks = new double[50];
    try (RuleRows rows = new RuleRows(WORLD, 0, 60_000)) {
      while (rows.next()) {
        int bin = (int) (rows.probability() * 50);
        expected[bin] += rows.probability();
        variance[bin] += rows.probability() * (1 - rows.probability());
        clicks[bin] += rows.clicked() ? 1 : 0;
      }
    }
    double chiSquare = 0;
    for (int bin = 0; bin < 50; bin++) {
      if (variance[bin] > 0) {
        chiSquare += Math.pow(clicks[bin] - expected[bin], 2) / variance[bin];
      }
    }
    assertThat(chiSquare).isBetween(20.0, 87.0); // 0.9999 and 0.001 of 50 degrees of freedom
  }

  /**
   * What is left of a label once its probability is known must not depend on any feature: clicks
   * above expectation by value, for each feature. A feature made from the label would stand out by
   * orders of magnitude.
   */
  @Test
  void features_givenTheProbability_sayNothingOfTheLabel() {
    int bins = 32;
    double[][] excess = new double[FEATURES][bins];
    double[][] variance = new double[FEATURES][bins];
    try (RuleRows rows = new RuleRows(WORLD, 2_000_000, 2_050_000)) {
      while (rows.next()) {
        double p = rows.probability();
        for (int f = 0; f < FEATURES; f++) {
          int bin = Math.floorMod((int) (((Number) value(rows, f)).doubleValue() * 100), bins);
          excess[f][bin] += (rows.clicked() ? 1 : 0) - p;
          variance[f][bin] += p * (1 - p);
        }
      }
    }
    for (int f = 0; f < FEATURES; f++) {
      double chiSquare = 0;
      for (int bin = 0; bin < bins; bin++) {
        chiSquare += variance[f][bin] > 0 ? Math.pow(excess[f][bin], 2) / variance[f][bin] : 0;
      }
      assertThat(chiSquare).as("feature %d", f).isLessThan(71); // 0.0001 of 32 degrees of freedom
    }
  }

  @Test
  void schema_features_areTheColumnsBeforeTheLabel() {
    List<String> features = WORLD.schema().features().stream().map(Feature::column).toList();
    try (RowSource rows = WORLD.rows(0, 1)) {
      assertThat(rows.columns().subList(0, FEATURES)).isEqualTo(features);
      assertThat(rows.columns().subList(FEATURES, rows.columns().size()))
          .containsExactly("click", "click_probability");
    }
    assertThat(WORLD.schema().tasks())
        .singleElement()
        .satisfies(task -> assertThat(task.column()).isEqualTo("click"));
  }

  @Test
  void values_ofTheLargeVocabularies_followZipf() {
    int requests = 60_000;
    int[] users = new int[10_000];
    int[] queries = new int[1_000];
    int[] items = new int[5_000];
    try (RowSource rows = WORLD.rows(0, requests)) {
      while (rows.next()) {
        // One row of each request, so that its context does not count several times.
        if (rows.row() % WORLD.candidates() == 1) {
          users[id(rows, RuleFeature.USER) - 1]++;
          queries[id(rows, RuleFeature.QUERY) - 1]++;
          items[id(rows, RuleFeature.ITEM) - 1]++;
        }
      }
    }
    assertThat(chiSquare(users, 0.9, requests)).isBetween(54.0, 149.5);
    assertThat(chiSquare(queries, 0.9, requests)).isBetween(54.0, 149.5);
    assertThat(chiSquare(items, 1, requests)).isBetween(54.0, 149.5);
  }

  private static int id(RowSource rows, RuleFeature feature) {
    return ((Long) value(rows, feature.place())).intValue();
  }

  /**
   * Of the 100 most frequent values and all others together: 100 degrees of freedom, which stay
   * within 54 to 149.5 in all but one case of 500.
   */
  private static double chiSquare(int[] counts, double skew, int total) {
    double norm =
        IntStream.rangeClosed(1, counts.length).mapToDouble(r -> Math.pow(r, -skew)).sum();
    double result = 0;
    double rest = total;
    int counted = total;
    for (int rank = 1; rank <= 100; rank++) {
      double expected = total * Math.pow(rank, -skew) / norm;
      result += Math.pow(counts[rank - 1] - expected, 2) / expected;
      rest -= expected;
      counted -= counts[rank - 1];
    }
    return result + Math.pow(counted - rest, 2) / rest;
  }

  @Test
  void rows_ofAnyRangeThreadAndWorldOfTheSeed_areTheSame() {
    List<List<Object>> all = read(new RuleWorld(1), 100, 500);
    assertThat(all).hasSize(1600);
    List<List<Object>> parts =
        IntStream.range(0, 100)
            .parallel()
            .mapToObj(i -> read(WORLD, 100 + 4L * i, 104 + 4L * i))
            .flatMap(List::stream)
            .toList();
    assertThat(parts).isEqualTo(all);
    assertThat(read(new RuleWorld(2), 100, 500)).isNotEqualTo(all);
  }

  @Test
  void rows_ofOneRequest_shareTheContextAndNothingElse() {
    List<List<Object>> rows = read(WORLD, 5, 6);
    for (RuleFeature feature : RuleFeature.values()) {
      long different = rows.stream().map(row -> row.get(feature.place())).distinct().count();
      if (feature.scope() == Scope.CONTEXT) {
        assertThat(different).isEqualTo(1);
      } else {
        assertThat(different).isGreaterThan(1);
      }
    }
  }

  @Test
  void rows_noneOrNegative_areRefused() {
    assertThatThrownBy(() -> WORLD.rows(3, 3))
        .hasMessage("requests 3 to 3; at least one, from 0 on, is needed");
    assertThatThrownBy(() -> WORLD.rows(-1, 3))
        .hasMessage("requests -1 to 3; at least one, from 0 on, is needed");
  }
}
