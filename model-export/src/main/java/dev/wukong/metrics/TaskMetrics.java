package dev.wukong.metrics;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Collects the predictions of several tasks batch by batch. Not thread-safe. */
public final class TaskMetrics {
  private final List<String> tasks;
  private final List<MetricsCollector> collectors = new ArrayList<>();

  /**
   * Nothing collected yet.
   *
   * @param tasks their names, in the order of a batch's columns
   */
  public TaskMetrics(List<String> tasks) {
    this.tasks = List.copyOf(tasks);
    tasks.forEach(_ -> collectors.add(new MetricsCollector()));
  }

  /**
   * Adds a batch.
   *
   * @param probabilities [rows, tasks], as labels and weights are; a weight of 0 is no label
   */
  public void add(float[] probabilities, float[] labels, float[] weights, int rows) {
    for (int i = 0; i < rows * tasks.size(); i++) {
      collectors.get(i % tasks.size()).add(probabilities[i], labels[i], weights[i]);
    }
  }

  /** The metrics so far by task, in the tasks' order. */
  public Map<String, Metrics> metrics() {
    Map<String, Metrics> result = new LinkedHashMap<>();
    for (int t = 0; t < tasks.size(); t++) {
      result.put(tasks.get(t), collectors.get(t).metrics());
    }
    return result;
  }
}
