package dev.wukong.plan;

import java.math.BigDecimal;

/**
 * What callers and users do in the busiest seconds.
 *
 * @param requests a second
 * @param candidates a request
 * @param seen candidates of a request that its user sees: each becomes an example
 * @param labels labels of a candidate that is seen: each becomes one more
 * @param logged share of the requests that are logged, and so can be learned from
 */
public record Traffic(double requests, int candidates, double seen, double labels, double logged) {
  private static final double LEAST_LOGGED = 0.0001;

  public Traffic {
    require("--requests", requests, 0.001, 1e7);
    require("--candidates", candidates, 1, 1 << 20);
    require("--seen", seen, 0, candidates);
    require("--labels", labels, 0, 100);
    require("--logged", logged, LEAST_LOGGED, 1);
  }

  /** Fails unless an option is within bounds; named as on the command line. */
  static void require(String option, double value, double least, double most) {
    if (!(value >= least && value <= most)) {
      throw new IllegalArgumentException(
          "%s is %s, want %s to %s".formatted(option, text(value), text(least), text(most)));
    }
  }

  private static String text(double value) {
    if (!Double.isFinite(value)) {
      return Double.toString(value);
    }
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Long.toString((long) value)
        : new BigDecimal(Double.toString(value)).stripTrailingZeros().toPlainString();
  }

  /** Examples that are learned a second. */
  public double examples() {
    return learned() * seen * (1 + labels);
  }

  /** Requests a second that are learned from. */
  double learned() {
    return requests * logged;
  }
}
