package dev.wukong.metrics;

import java.util.Map;

/**
 * Whose validation metrics tell a better state of a model from a worse one.
 *
 * @param task its name, or {@link #MEAN}
 */
public record Watch(String task) {
  /** Watches the mean of all tasks. */
  public static final String MEAN = "mean";

  /** Whether {@code name} counts. */
  public boolean counts(String name) {
    return isMean() || task.equals(name);
  }

  /** Whether it is the mean of all tasks. */
  public boolean isMean() {
    return task.equals(MEAN);
  }

  /** The mean of the tasks that count and have one, higher is better; NaN where none has. */
  public double of(Map<String, Metrics> byTask, Measure measure) {
    return byTask.entrySet().stream()
        .filter(e -> counts(e.getKey()))
        .mapToDouble(e -> measure.of(e.getValue()))
        .filter(Double::isFinite)
        .average()
        .orElse(Double.NaN);
  }
}
