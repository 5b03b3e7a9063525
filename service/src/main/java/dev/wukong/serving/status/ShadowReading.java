package dev.wukong.serving.status;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Meter;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the meters said of the copies that a label's versions score, since the start. Nobody changes
 * it once the registry is read.
 */
final class ShadowReading {
  /** No copy yet. */
  static final ShadowReading NOTHING = new ShadowReading();

  private static final String COPIES = "wukong.shadow.requests";
  private static final String DIFFERENCE = "wukong.shadow.difference";
  private static final String PROBABILITY = "wukong.shadow.probability";

  /** How often something was measured, and the sum of it. */
  private record Total(long count, double sum) {
    static final Total ZERO = new Total(0, 0);
  }

  private final Map<String, Double> copies = new HashMap<>();
  private final Map<String, Total> totals = new HashMap<>();

  /** Whether {@link #add} has a use for meters of this name. */
  static boolean wants(String meter) {
    return meter.equals(COPIES) || meter.equals(DIFFERENCE) || meter.equals(PROBABILITY);
  }

  /** Adds one of the label's meters. */
  void add(Meter meter) {
    Meter.Id id = meter.getId();
    switch (meter) {
      case Counter counter -> copies.put(tag(id, "outcome"), counter.count());
      case DistributionSummary summary ->
          totals.put(
              id.getName().equals(DIFFERENCE) ? "difference" : tag(id, "of"),
              new Total(summary.count(), summary.totalAmount()));
      default -> {}
    }
  }

  private static String tag(Meter.Id id, String name) {
    String value = id.getTag(name);
    return value == null ? "" : value;
  }

  /** Copies since {@code earlier} that ended as {@code outcome}. */
  long copies(String outcome, ShadowReading earlier) {
    return Math.round(
        copies.getOrDefault(outcome, 0.0) - earlier.copies.getOrDefault(outcome, 0.0));
  }

  /**
   * The mean since {@code earlier}; null where nothing was compared.
   *
   * @param of {@code difference}, {@code answered} or {@code shadow}
   */
  @Nullable Double mean(String of, ShadowReading earlier) {
    Total now = totals.getOrDefault(of, Total.ZERO);
    Total then = earlier.totals.getOrDefault(of, Total.ZERO);
    long count = now.count - then.count;
    return count > 0 ? (now.sum - then.sum) / count : null;
  }
}
