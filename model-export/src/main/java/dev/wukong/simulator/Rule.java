package dev.wukong.simulator;

import dev.wukong.simulator.Draws.Purpose;
import java.util.Arrays;

/**
 * A rule: hidden attributes of different features, and a random table that says what each
 * combination of their levels is worth.
 *
 * @param slots each attribute's place: feature * {@link RuleLevels#ATTRIBUTES} + attribute
 * @param strides how far a level of each attribute moves within the table
 * @param table mean 0 and variance 1 over its cells
 */
@SuppressWarnings("ArrayRecordComponent") // Lives within the making of a world; never compared.
record Rule(int order, int[] slots, int[] strides, double[] table) {
  /** The most cells of a table. */
  static final int MAX_CELLS = 128;

  /** Rule {@code number} of those that look at {@code order} attributes. */
  static Rule draw(Draws draws, int order, int number) {
    long subject = ((long) order << 32) + number;
    for (int attempt = 0; ; attempt++) {
      int[] slots = slots(draws, order, subject, attempt);
      int[] strides = new int[order];
      int cells = 1;
      for (int i = 0; i < order; i++) {
        strides[i] = cells;
        cells *= RuleLevels.count(slots[i] % RuleLevels.ATTRIBUTES);
      }
      if (cells <= MAX_CELLS) {
        return new Rule(order, slots, strides, table(draws, subject, cells));
      }
    }
  }

  private static int[] slots(Draws draws, int order, long subject, int attempt) {
    int[] slots = new int[order];
    boolean[] taken = new boolean[RuleFeature.values().length];
    for (int i = 0; i < order; i++) {
      long n = 100L * attempt + 2L * i;
      int feature = feature(draws.uniform(Purpose.RULE_PARTS, subject, n), taken);
      taken[feature] = true;
      int attribute = draws.below(RuleLevels.ATTRIBUTES, Purpose.RULE_PARTS, subject, n + 1);
      slots[i] = feature * RuleLevels.ATTRIBUTES + attribute;
    }
    return slots;
  }

  /** One of the features that are not taken, by their tickets. */
  private static int feature(double uniform, boolean[] taken) {
    RuleFeature[] features = RuleFeature.values();
    int tickets = 0;
    for (RuleFeature feature : features) {
      tickets += taken[feature.place()] ? 0 : feature.tickets();
    }
    int left = (int) (uniform * tickets);
    int at = 0;
    while (taken[at] || left >= features[at].tickets()) {
      left -= taken[at] ? 0 : features[at].tickets();
      at++;
    }
    return at;
  }

  private static double[] table(Draws draws, long subject, int cells) {
    double[] table = new double[cells];
    for (int i = 0; i < cells; i++) {
      // Twelve uniforms add up to variance 1 and nearly a normal; exact on every machine.
      for (int j = 0; j < 12; j++) {
        table[i] += draws.uniform(Purpose.RULE_TABLE, subject, 12L * i + j);
      }
    }
    double mean = Arrays.stream(table).sum() / cells;
    double variance = 0;
    for (int i = 0; i < cells; i++) {
      table[i] -= mean;
      variance += table[i] * table[i] / cells;
    }
    double deviation = Math.sqrt(variance);
    for (int i = 0; i < cells; i++) {
      table[i] /= deviation;
    }
    return table;
  }

  /** What the table says of the levels of a row. */
  double value(byte[] levels) {
    int cell = 0;
    for (int i = 0; i < order; i++) {
      cell += strides[i] * levels[slots[i]];
    }
    return table[cell];
  }
}
