package dev.wukong.ranker;

import java.util.Optional;
import java.util.Set;

/**
 * Tables that a model has beside those of its embeddings: one for each id feature it names, after
 * the feature's embeddings; a number that it names has a weight of that width.
 *
 * @param name what they are for, unique in a model
 * @param width floats a row
 * @param features those that have one; empty: all
 */
public record ExtraTables(String name, int width, Optional<Set<String>> features) {
  public ExtraTables {
    features = features.map(Set::copyOf);
  }

  static ExtraTables ofAll(String name, int width) {
    return new ExtraTables(name, width, Optional.empty());
  }

  static ExtraTables of(String name, int width, Set<String> features) {
    return new ExtraTables(name, width, Optional.of(features));
  }

  boolean has(String feature) {
    return features.isEmpty() || features.get().contains(feature);
  }
}
