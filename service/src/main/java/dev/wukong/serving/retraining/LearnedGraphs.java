package dev.wukong.serving.retraining;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.BundleStore;
import dev.wukong.bundle.Precision;
import dev.wukong.training.LearnedGraph;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Makes predict graphs of a model's bundles with other dense weights. One thread at a time. */
public final class LearnedGraphs {
  private final BundleStore bundles;
  private final String model;
  private final Precision precision;

  /** The one that was asked for last, as the next will be. */
  private record Known(long bundle, LearnedGraph graph) {}

  private @Nullable Known known;

  /** Of {@code model}, in the precision that serves. */
  public LearnedGraphs(BundleStore bundles, String model, Precision precision) {
    this.bundles = bundles;
    this.model = model;
    this.precision = precision;
  }

  /**
   * That of version {@code bundle} with these weights.
   *
   * @throws IOException where the bundle cannot be read
   * @throws IllegalArgumentException where its model has other weights
   */
  public byte[] of(long bundle, Map<String, float[]> weights) throws IOException {
    Known last = known;
    if (last == null || last.bundle() != bundle) {
      try (Bundle opened = bundles.open(model, bundle)) {
        last = new Known(bundle, LearnedGraph.of(opened.manifest(), precision));
      }
      known = last;
    }
    return last.graph().file(weights);
  }
}
