package dev.wukong.simulator;

import dev.wukong.simulator.Draws.Purpose;

/**
 * The values and hidden levels of one candidate of one request at a time. Of one thread; the parts
 * it is made of are shared.
 */
final class RuleDraw {
  private final Parts parts;
  private final int[] values = new int[RuleFeature.values().length];
  private final byte[] levels = new byte[values.length * RuleLevels.ATTRIBUTES];
  private long index;

  RuleDraw(Parts parts) {
    this.parts = parts;
  }

  /** What all draws of a world share. Safe for all threads. */
  record Parts(
      Draws draws,
      RuleCatalog catalog,
      RuleLevels levels,
      Zipf users,
      Zipf queries,
      Zipf items,
      Zipf devices,
      Zipf referrers) {
    static Parts of(Draws draws) {
      RuleCatalog catalog = new RuleCatalog(draws);
      return new Parts(
          draws,
          catalog,
          new RuleLevels(draws, catalog),
          new Zipf(RuleFeature.USER.size(), RuleWorld.USER_SKEW),
          new Zipf(RuleFeature.QUERY.size(), RuleWorld.QUERY_SKEW),
          new Zipf(RuleFeature.ITEM.size(), RuleWorld.ITEM_SKEW),
          new Zipf(RuleFeature.DEVICE.size(), 0.8),
          new Zipf(RuleFeature.REFERRER.size(), 0.8));
    }
  }

  /** Goes to request {@code request}: the context's values. */
  void request(long request) {
    index = request;
    RuleCatalog catalog = parts.catalog();
    int user = parts.users().rank(context(0));
    int query = parts.queries().rank(context(1));
    int recent =
        context(6) < 0.5
            ? catalog.favourite(user)
            : catalog.category(parts.items().rank(context(7)));
    set(RuleFeature.USER, user);
    set(RuleFeature.SEGMENT, catalog.segment(user));
    set(RuleFeature.COUNTRY, catalog.country(user));
    set(
        RuleFeature.AGE_BAND,
        catalog.age(user) * RuleFeature.AGE_BAND.size() / RuleFeature.AGE.size());
    set(RuleFeature.DEVICE, parts.devices().rank(context(2)));
    set(RuleFeature.HOUR, (int) (context(3) * RuleFeature.HOUR.size()));
    set(RuleFeature.WEEKDAY, (int) (context(4) * RuleFeature.WEEKDAY.size()));
    set(RuleFeature.REFERRER, parts.referrers().rank(context(5)));
    set(RuleFeature.RECENT, recent);
    set(RuleFeature.QUERY, query);
    set(RuleFeature.TOPIC, catalog.topic(query));
    set(RuleFeature.AGE, catalog.age(user));
  }

  /** Goes to candidate {@code candidate} of the request: its values. */
  void candidate(int candidate) {
    RuleCatalog catalog = parts.catalog();
    int item = parts.items().rank(candidate(candidate, 0));
    int offer = (int) (candidate(candidate, 1) * RuleCatalog.OFFERS);
    int logPrice = catalog.logPrice(item, offer);
    set(RuleFeature.ITEM, item);
    set(RuleFeature.CATEGORY, catalog.category(item));
    set(RuleFeature.BRAND, catalog.brand(item));
    set(RuleFeature.SELLER, catalog.seller(item, offer));
    set(
        RuleFeature.PRICE_BAND,
        logPrice * RuleFeature.PRICE_BAND.size() / RuleFeature.LOG_PRICE.size());
    set(RuleFeature.STYLE, catalog.style(item));
    set(RuleFeature.COLOR, catalog.color(item));
    set(RuleFeature.DELIVERY, (int) (candidate(candidate, 2) * RuleFeature.DELIVERY.size()));
    set(RuleFeature.POSITION, (int) (candidate(candidate, 3) * RuleFeature.POSITION.size()));
    set(RuleFeature.LOG_PRICE, logPrice);
  }

  private double context(int n) {
    return parts.draws().uniform(Purpose.RULE_REQUEST, index, n);
  }

  private double candidate(int candidate, int n) {
    return parts.draws().uniform(Purpose.RULE_CANDIDATE, index, 4L * candidate + n);
  }

  private void set(RuleFeature feature, int value) {
    values[feature.place()] = value;
    parts.levels().copy(feature.place(), value, levels);
  }

  /** The value of the feature with that place. */
  int value(int place) {
    return values[place];
  }

  /** Not to be changed: [features * {@link RuleLevels#ATTRIBUTES}]. */
  byte[] levels() {
    return levels;
  }
}
