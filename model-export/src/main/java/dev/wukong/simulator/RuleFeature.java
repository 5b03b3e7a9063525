package dev.wukong.simulator;

import dev.wukong.data.Scope;

/** The visible features of the world of rules, in schema order. */
enum RuleFeature {
  USER(0, Scope.CONTEXT, 10_000, 2),
  SEGMENT(1, Scope.CONTEXT, 32, 1),
  COUNTRY(2, Scope.CONTEXT, 40, 1),
  AGE_BAND(3, Scope.CONTEXT, 8, 1),
  DEVICE(4, Scope.CONTEXT, 5, 1),
  HOUR(5, Scope.CONTEXT, 24, 1),
  WEEKDAY(6, Scope.CONTEXT, 7, 1),
  REFERRER(7, Scope.CONTEXT, 16, 1),
  RECENT(8, Scope.CONTEXT, 40, 1),
  QUERY(9, Scope.CONTEXT, 1_000, 1),
  TOPIC(10, Scope.CONTEXT, 50, 1),
  AGE(11, Scope.CONTEXT, 63, 1),
  ITEM(12, Scope.CANDIDATE, 5_000, 2),
  CATEGORY(13, Scope.CANDIDATE, 40, 1),
  BRAND(14, Scope.CANDIDATE, 1_000, 1),
  SELLER(15, Scope.CANDIDATE, 1_000, 1),
  PRICE_BAND(16, Scope.CANDIDATE, 12, 1),
  STYLE(17, Scope.CANDIDATE, 60, 1),
  COLOR(18, Scope.CANDIDATE, 16, 1),
  DELIVERY(19, Scope.CANDIDATE, 5, 1),
  POSITION(20, Scope.CANDIDATE, 10, 1),
  LOG_PRICE(21, Scope.CANDIDATE, 700, 1);

  private final int place;
  private final Scope scope;
  private final int size;
  private final int tickets;

  RuleFeature(int place, Scope scope, int size, int tickets) {
    this.place = place;
    this.scope = scope;
    this.size = size;
    this.tickets = tickets;
  }

  /** 0 for the first: its place among a row's values. It decides what is drawn. */
  int place() {
    return place;
  }

  Scope scope() {
    return scope;
  }

  /** How many values there are: 0 to this - 1. */
  int size() {
    return size;
  }

  /** Chances in the draw of which features a rule looks at. */
  int tickets() {
    return tickets;
  }

  /** Whether its values are numbers. */
  boolean number() {
    return this == AGE || this == LOG_PRICE;
  }
}
