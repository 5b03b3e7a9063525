package dev.wukong.simulator;

import dev.wukong.data.Hash;

/**
 * Random numbers by counter: each is a function of the seed and of what it is drawn for, so any can
 * be had at any time, in any order.
 */
final class Draws {
  private final long seed;

  Draws(long seed) {
    this.seed = Hash.of(seed);
  }

  /** 64 random bits for the {@code n}-th draw of {@code purpose} about {@code subject}. */
  long bits(Purpose purpose, long subject, long n) {
    return Hash.of(Hash.of(Hash.of(seed + purpose.key) + subject) + n);
  }

  /** Uniform in [0, 1). */
  double uniform(Purpose purpose, long subject, long n) {
    return Hash.fraction(bits(purpose, subject, n));
  }

  /** 0 to {@code bound} - 1, all alike. */
  int below(int bound, Purpose purpose, long subject, long n) {
    return (int) (uniform(purpose, subject, n) * bound);
  }

  /** Standard normal. */
  double normal(Purpose purpose, long subject, long n) {
    double radius = Math.sqrt(-2 * Math.log1p(-uniform(purpose, subject, 2 * n)));
    return radius * Math.cos(2 * Math.PI * uniform(purpose, subject, 2 * n + 1));
  }

  /** What is drawn. The key decides the numbers. */
  enum Purpose {
    SEGMENT(1),
    SEGMENT_FACTOR(2),
    USER_FACTOR(3),
    USER_TRAIT(4),
    CATEGORY(5),
    CATEGORY_FACTOR(6),
    ITEM_FACTOR(7),
    ITEM_TRAIT(8),
    HOUR_FACTOR(9),
    DEVICE_FACTOR(10),
    COUNTRY_TRAIT(11),
    BRAND(12),
    REQUEST(13),
    HISTORY(14),
    CANDIDATE(15),
    LABEL(16),
    RULE_USER(17),
    RULE_QUERY(18),
    RULE_ITEM(19),
    RULE_CATEGORY(20),
    RULE_SELLER(21),
    RULE_REQUEST(22),
    RULE_CANDIDATE(23),
    RULE_LABEL(24),
    RULE_LEVEL(25),
    RULE_CUT(26),
    RULE_PARTS(27),
    RULE_TABLE(28);

    private final long key;

    Purpose(long key) {
      this.key = key;
    }
  }
}
