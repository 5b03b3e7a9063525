package dev.wukong.data;

import java.util.Optional;

/**
 * Something to predict the probability of.
 *
 * @param column the data column with the label
 * @param threshold the label is 1 where the column is at least this; without it the column holds 0
 *     or 1 (or false, true)
 * @param weightColumn the column with the example's weight for this task; an absent label has
 *     weight 0
 */
public record Task(
    String name, String column, Optional<Double> threshold, Optional<String> weightColumn) {
  public Task {
    Names.check("task", name);
    if (column.isEmpty()) {
      throw new DataException("task '%s': the label column's name is empty".formatted(name));
    }
    threshold.ifPresent(
        t -> {
          if (!Double.isFinite(t)) {
            throw new DataException(
                "task '%s': threshold is %s; a finite number is needed".formatted(name, t));
          }
        });
  }
}
