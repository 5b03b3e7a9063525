package dev.wukong.metrics;

import java.util.Map;

/**
 * Whose validation AUC tells a better state of a model from a worse one.
 *
 * @param task its name, or {@link #MEAN}
 */
public record Watch(String task) {
  /** Watches the mean of all tasks' AUC. */
  public static final String MEAN = "mean";

  /** Whether the AUC of {@code name} counts. */
  public boolean counts(String name) {
    return isMean() || task.equals(name);
  }

  /** Whether it is the mean of all tasks. */
  public boolean isMean() {
    return task.equals(MEAN);
  }

  /** The mean AUC of the tasks that count and have one, higher is better; NaN where none has. */
  public double of(Map<String, Metrics> byTask) {
    return byTask.entrySet().stream()
        .filter(e -> counts(e.getKey()))
        .mapToDouble(e -> e.getValue().auc())
        .filter(Double::isFinite)
        .average()
        .orElse(Double.NaN);
  }
}
