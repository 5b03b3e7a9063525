package dev.wukong.study;

import dev.wukong.metrics.Metrics;
import dev.wukong.metrics.MetricsCollector;
import java.util.ArrayList;
import java.util.List;

/**
 * The test examples that share something of one feature.
 *
 * @param by what the slice names: {@code value}, or {@code frequency} in the training data
 */
public record Slice(String feature, String by, String slice, Metrics metrics) {

  /** The slices of one task that have examples. */
  static List<Slice> of(Scored scored, Slicing slicing) {
    List<Slice> result = new ArrayList<>();
    for (Slicing.Feature feature : slicing.features()) {
      MetricsCollector[] collectors = new MetricsCollector[feature.slices().size()];
      for (int i = 0; i < scored.size(); i++) {
        int at = feature.ofRow()[scored.row(i)];
        if (collectors[at] == null) {
          collectors[at] = new MetricsCollector();
        }
        collectors[at].add(scored.probability(i), scored.label(i), scored.weight(i));
      }
      for (int s = 0; s < collectors.length; s++) {
        if (collectors[s] != null) {
          result.add(
              new Slice(
                  feature.name(), feature.by(), feature.slices().get(s), collectors[s].metrics()));
        }
      }
    }
    return result;
  }
}
