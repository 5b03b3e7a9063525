package dev.wukong.serving.retraining;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Manifest;
import dev.wukong.bundle.Precision;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.hosting.LearnedWeights;
import dev.wukong.training.LearnedGraph;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;

/** What a model has learned, from its commits in a store. Any thread. */
public final class LearnedStore implements LearnedWeights {
  private final String model;
  private final StateStore store;
  private final Precision precision;

  /**
   * What {@code model} has learned, and no other one.
   *
   * @param precision of the graph that serves
   */
  public LearnedStore(String model, StateStore store, Precision precision) {
    this.model = model;
    this.store = store;
    this.precision = precision;
  }

  @Override
  public boolean learns(String name) {
    return name.equals(model);
  }

  @Override
  public Optional<Learned> of(Bundle bundle) throws IOException {
    Manifest manifest = bundle.manifest();
    if (!learns(manifest.model())) {
      return Optional.empty();
    }
    RowsView view = new RowsView(manifest.model(), manifest.version(), 0);
    try {
      Optional<LearnedMark> mark = LearnedMark.read(store, view);
      // Nothing but the join may have changed since the bundle, or nothing that is visible.
      if (mark.isEmpty() || mark.get().served() == 0) {
        return Optional.empty();
      }
      LearnedMark last = mark.get();
      if (last.visible()) {
        return Optional.of(learned(manifest, last, DenseState.read(store, view), last.golden()));
      }
      Generation healthy = Generations.read(store, view).getLast();
      return Optional.of(
          learned(manifest, last, Generations.dense(store, view, healthy), healthy.golden()));
    } catch (IllegalArgumentException | IllegalStateException e) {
      throw new IOException(
          "model '%s' version %d: what it has learned cannot be used: %s"
              .formatted(manifest.model(), manifest.version(), e.getMessage()),
          e);
    }
  }

  private Learned learned(
      Manifest manifest, LearnedMark mark, Map<String, float[]> dense, float[] golden) {
    byte[] graph = LearnedGraph.of(manifest, precision).file(dense);
    return new Learned(mark.epoch(), mark.served(), graph, golden);
  }
}
