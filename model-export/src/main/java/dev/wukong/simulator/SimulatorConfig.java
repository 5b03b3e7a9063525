package dev.wukong.simulator;

import dev.wukong.data.DataException;
import java.time.Duration;

/**
 * What the simulated world is like.
 *
 * @param seed everything follows from it
 * @param candidates candidates a request
 * @param historyLength the most items in a user's history
 * @param userSkew Zipf exponent of how often users come
 * @param itemSkew Zipf exponent of how often items are shown
 * @param clickRate mean click probability
 * @param bestNormalizedEntropy the normalized entropy of the true click probabilities; smaller is
 *     more predictable
 * @param conversionRate mean conversion probability of a click
 * @param conversionDelay mean time from click to conversion
 * @param driftPerMillion radians by which the items' hidden factors rotate in a million requests;
 *     0: the world stands still
 */
public record SimulatorConfig(
    long seed,
    int users,
    int items,
    int candidates,
    int historyLength,
    double userSkew,
    double itemSkew,
    double clickRate,
    double bestNormalizedEntropy,
    double conversionRate,
    Duration conversionDelay,
    double driftPerMillion) {
  public SimulatorConfig {
    check("users", users, 1, 1 << 26);
    check("items", items, 1, 1 << 26);
    check("candidates", candidates, 1, 8192);
    check("history_length", historyLength, 1, 256);
    check("user_skew", userSkew, 0, 4);
    check("item_skew", itemSkew, 0, 4);
    check("click_rate", clickRate, 0.001, 0.9);
    check("best_normalized_entropy", bestNormalizedEntropy, 0.3, 0.99);
    check("conversion_rate", conversionRate, 0.001, 0.9);
    check("drift_per_million", driftPerMillion, 0, 1e6);
    check("conversion_delay seconds", conversionDelay.toMillis() / 1e3, 1, 1e9);
  }

  private static void check(String name, double value, double min, double max) {
    if (!(value >= min && value <= max)) {
      throw new DataException(
          "simulator: %s is %s; %s to %s is allowed".formatted(name, value, min, max));
    }
  }

  /** A small world that stands still: a model learns it within a minute. */
  public static SimulatorConfig small(long seed) {
    return new SimulatorConfig(
        seed, 5000, 2000, 10, 8, 0.8, 1.05, 0.15, 0.8, 0.12, Duration.ofHours(4), 0);
  }

  /** The same world, its items' hidden factors rotating. */
  public SimulatorConfig withDrift(double radiansPerMillion) {
    return new SimulatorConfig(
        seed,
        users,
        items,
        candidates,
        historyLength,
        userSkew,
        itemSkew,
        clickRate,
        bestNormalizedEntropy,
        conversionRate,
        conversionDelay,
        radiansPerMillion);
  }

  /** The same world, of whose items so many are shown at a time. */
  public SimulatorConfig withCandidates(int shown) {
    return new SimulatorConfig(
        seed,
        users,
        items,
        shown,
        historyLength,
        userSkew,
        itemSkew,
        clickRate,
        bestNormalizedEntropy,
        conversionRate,
        conversionDelay,
        driftPerMillion);
  }
}
