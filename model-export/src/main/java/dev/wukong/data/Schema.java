package dev.wukong.data;

import java.util.List;

/** The features of a data set in their fixed order, and the tasks. */
public record Schema(String name, List<Feature> features, List<Task> tasks) {
  public Schema {
    features = List.copyOf(features);
    tasks = List.copyOf(tasks);
  }

  /**
   * Id features of {@code scope}, in schema order. Each takes {@link IdFeature#maxIds} positions of
   * an {@link EncodedRows}.
   */
  public List<IdFeature> ids(Scope scope) {
    return features.stream()
        .filter(f -> f.scope() == scope && f instanceof IdFeature)
        .map(IdFeature.class::cast)
        .toList();
  }

  /** Number features of {@code scope}, in schema order. */
  public List<NumberFeature> numbers(Scope scope) {
    return features.stream()
        .filter(f -> f.scope() == scope && f instanceof NumberFeature)
        .map(NumberFeature.class::cast)
        .toList();
  }
}
