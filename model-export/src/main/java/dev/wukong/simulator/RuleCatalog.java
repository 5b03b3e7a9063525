package dev.wukong.simulator;

import dev.wukong.simulator.Draws.Purpose;

/**
 * What belongs together for good in the world of rules: a user's segment, country and age, a
 * query's topic, an item's category, brand, style, color, price and sellers. Safe for all threads.
 */
final class RuleCatalog {
  /** Sellers of each item. */
  static final int OFFERS = 4;

  private static final int BRANDS_PER_CATEGORY =
      RuleFeature.BRAND.size() / RuleFeature.CATEGORY.size();

  private final int[] segments = new int[RuleFeature.USER.size()];
  private final int[] countries = new int[RuleFeature.USER.size()];
  private final int[] ages = new int[RuleFeature.USER.size()];
  private final int[] favourites = new int[RuleFeature.USER.size()];
  private final int[] topics = new int[RuleFeature.QUERY.size()];
  private final int[] categories = new int[RuleFeature.ITEM.size()];
  private final int[] brands = new int[RuleFeature.ITEM.size()];
  private final int[] styles = new int[RuleFeature.ITEM.size()];
  private final int[] colors = new int[RuleFeature.ITEM.size()];
  private final int[] sellers = new int[RuleFeature.ITEM.size() * OFFERS];
  private final int[] prices = new int[RuleFeature.ITEM.size() * OFFERS];

  RuleCatalog(Draws draws) {
    Zipf segment = new Zipf(RuleFeature.SEGMENT.size(), 0.6);
    Zipf country = new Zipf(RuleFeature.COUNTRY.size(), 1);
    Zipf category = new Zipf(RuleFeature.CATEGORY.size(), 0.6);
    for (int user = 0; user < segments.length; user++) {
      segments[user] = segment.rank(draws.uniform(Purpose.RULE_USER, user, 0));
      countries[user] = country.rank(draws.uniform(Purpose.RULE_USER, user, 1));
      double age =
          (draws.uniform(Purpose.RULE_USER, user, 2) + draws.uniform(Purpose.RULE_USER, user, 3))
              / 2;
      ages[user] = (int) (RuleFeature.AGE.size() * age);
      favourites[user] = category.rank(draws.uniform(Purpose.RULE_USER, user, 4));
    }
    for (int query = 0; query < topics.length; query++) {
      topics[query] = draws.below(RuleFeature.TOPIC.size(), Purpose.RULE_QUERY, query, 0);
    }
    Zipf brand = new Zipf(BRANDS_PER_CATEGORY, 0.8);
    Zipf seller = new Zipf(RuleFeature.SELLER.size(), 0.7);
    for (int item = 0; item < categories.length; item++) {
      categories[item] = category.rank(draws.uniform(Purpose.RULE_ITEM, item, 0));
      brands[item] =
          categories[item] * BRANDS_PER_CATEGORY
              + brand.rank(draws.uniform(Purpose.RULE_ITEM, item, 1));
      styles[item] = draws.below(RuleFeature.STYLE.size(), Purpose.RULE_ITEM, item, 2);
      colors[item] = draws.below(RuleFeature.COLOR.size(), Purpose.RULE_ITEM, item, 3);
      for (int offer = 0; offer < OFFERS; offer++) {
        int at = item * OFFERS + offer;
        sellers[at] = seller.rank(draws.uniform(Purpose.RULE_ITEM, item, 6 + offer));
        // Hundredths of a log price: of the category, of the item, of the seller; up to 700.
        prices[at] =
            (int)
                (300 * draws.uniform(Purpose.RULE_CATEGORY, categories[item], 0)
                    + 150 * draws.uniform(Purpose.RULE_ITEM, item, 4)
                    + 150 * draws.uniform(Purpose.RULE_ITEM, item, 5)
                    + 100 * draws.uniform(Purpose.RULE_SELLER, sellers[at], 0));
      }
    }
  }

  int segment(int user) {
    return segments[user];
  }

  int country(int user) {
    return countries[user];
  }

  int age(int user) {
    return ages[user];
  }

  /** The category that the user looks at most. */
  int favourite(int user) {
    return favourites[user];
  }

  int topic(int query) {
    return topics[query];
  }

  int category(int item) {
    return categories[item];
  }

  int categoryOfBrand(int brand) {
    return brand / BRANDS_PER_CATEGORY;
  }

  int brand(int item) {
    return brands[item];
  }

  int style(int item) {
    return styles[item];
  }

  int color(int item) {
    return colors[item];
  }

  int seller(int item, int offer) {
    return sellers[item * OFFERS + offer];
  }

  /** In hundredths of a log price. */
  int logPrice(int item, int offer) {
    return prices[item * OFFERS + offer];
  }
}
