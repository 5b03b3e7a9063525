package dev.wukong.simulator;

import dev.wukong.data.DataException;
import dev.wukong.data.RowSource;
import dev.wukong.data.Schema;

/**
 * A simulated world of requests, each with the same number of candidates, whose exact click
 * probabilities are known. Everything is a function of the seed and the request's index. Safe for
 * all threads.
 */
public sealed interface ClickSource permits Simulator, RuleWorld {
  /** The column of the rows that holds the exact click probability. No feature. */
  String CLICK_PROBABILITY = "click_probability";

  /** What a configuration calls the world of {@link Simulator}. */
  String CLICKS = "clicks";

  /** What a configuration calls the world of {@link RuleWorld}. */
  String RULES = "rules";

  /**
   * The world that a configuration calls {@code world}.
   *
   * @throws DataException if there is none of that name
   */
  static ClickSource of(String world, long seed) {
    return switch (world) {
      case CLICKS -> new Simulator(SimulatorConfig.small(seed));
      case RULES -> new RuleWorld(seed);
      default ->
          throw new DataException(
              "simulator: world is '%s'; %s or %s is allowed".formatted(world, CLICKS, RULES));
    };
  }

  /**
   * What rows the world that a configuration calls {@code world} has: a name that changes with
   * them. That of {@link Simulator} has no versions.
   */
  static String version(String world) {
    return world.equals(RULES) ? RuleWorld.WORLD_VERSION : world;
  }

  /** Features of requests and candidates, and the tasks, {@link Simulator#CLICK} the first. */
  Schema schema();

  /** Candidates a request, and so rows. */
  int candidates();

  /**
   * The candidates of requests {@code from} to {@code to} - 1 as the rows of a data file: a column
   * for every feature and every task, and {@link #CLICK_PROBABILITY}, the truth.
   *
   * @throws IllegalArgumentException if there is no such request, or one is negative
   */
  RowSource rows(long from, long to);

  /**
   * The best normalized entropy that any model can expect on the clicks of requests {@code from} to
   * {@code to} - 1.
   */
  double bestNormalizedEntropy(long from, long to);
}
