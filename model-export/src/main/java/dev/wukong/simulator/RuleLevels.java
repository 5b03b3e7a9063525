package dev.wukong.simulator;

import dev.wukong.simulator.Draws.Purpose;

/**
 * The hidden attributes of every value of every feature of the world of rules. Safe for all
 * threads.
 *
 * <p>Attribute a of a value is one of {@link #count} levels, drawn by hash. A user takes it from
 * its segment, a query from its topic, an item or brand from its category in three of four cases.
 * The attributes of a number count how many hidden cuts lie below it.
 */
final class RuleLevels {
  /** Attributes of a value. */
  static final int ATTRIBUTES = 6;

  private static final int[] COUNTS = {2, 2, 3, 3, 4, 6};
  private static final double INHERITED = 0.75;

  private final Draws draws;
  private final RuleCatalog catalog;
  private final byte[][] levels;

  RuleLevels(Draws draws, RuleCatalog catalog) {
    this.draws = draws;
    this.catalog = catalog;
    RuleFeature[] features = RuleFeature.values();
    this.levels = new byte[features.length][];
    for (RuleFeature feature : features) {
      byte[] own = new byte[feature.size() * ATTRIBUTES];
      for (int i = 0; i < own.length; i++) {
        own[i] = (byte) level(feature, i / ATTRIBUTES, i % ATTRIBUTES);
      }
      levels[feature.place()] = own;
    }
  }

  /** How many levels {@code attribute} has. */
  static int count(int attribute) {
    return COUNTS[attribute];
  }

  /** Writes the levels of a value, from place {@code place} * {@link #ATTRIBUTES} on. */
  void copy(int place, int value, byte[] into) {
    byte[] own = levels[place];
    int from = value * ATTRIBUTES;
    int to = place * ATTRIBUTES;
    for (int i = 0; i < ATTRIBUTES; i++) {
      into[to + i] = own[from + i];
    }
  }

  private int level(RuleFeature feature, int value, int attribute) {
    if (feature.number()) {
      return cutsBelow((value + 0.5) / feature.size(), feature, attribute);
    }
    long subject = ((long) feature.place() << 32) + value;
    if (draws.uniform(Purpose.RULE_LEVEL, subject, 2L * attribute) < INHERITED) {
      switch (feature) {
        case USER -> {
          return level(RuleFeature.SEGMENT, catalog.segment(value), attribute);
        }
        case QUERY -> {
          return level(RuleFeature.TOPIC, catalog.topic(value), attribute);
        }
        case ITEM -> {
          return level(RuleFeature.CATEGORY, catalog.category(value), attribute);
        }
        case BRAND -> {
          return level(RuleFeature.CATEGORY, catalog.categoryOfBrand(value), attribute);
        }
        case SEGMENT,
            COUNTRY,
            AGE_BAND,
            DEVICE,
            HOUR,
            WEEKDAY,
            REFERRER,
            RECENT,
            TOPIC,
            AGE,
            CATEGORY,
            SELLER,
            PRICE_BAND,
            STYLE,
            COLOR,
            DELIVERY,
            POSITION,
            LOG_PRICE -> {
          // Without a parent.
        }
      }
    }
    return draws.below(COUNTS[attribute], Purpose.RULE_LEVEL, subject, 2L * attribute + 1);
  }

  private int cutsBelow(double place, RuleFeature feature, int attribute) {
    int below = 0;
    for (int cut = 1; cut < COUNTS[attribute]; cut++) {
      double shift = draws.uniform(Purpose.RULE_CUT, feature.place(), 8L * attribute + cut);
      if ((cut - 0.5 + shift) / COUNTS[attribute] <= place) {
        below++;
      }
    }
    return below;
  }
}
