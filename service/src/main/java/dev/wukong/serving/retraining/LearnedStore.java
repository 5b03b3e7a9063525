package dev.wukong.serving.retraining;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Manifest;
import dev.wukong.bundle.Precision;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.hosting.LearnedWeights;
import dev.wukong.training.LearnedGraph;
import java.io.IOException;
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
      // Nothing but the join may have changed since the bundle.
      if (mark.isEmpty() || mark.get().dense() == 0) {
        return Optional.empty();
      }
      byte[] graph = LearnedGraph.of(manifest, precision).file(DenseState.read(store, view));
      LearnedMark last = mark.get();
      return Optional.of(new Learned(last.epoch(), last.dense(), graph, last.golden()));
    } catch (IllegalArgumentException | IllegalStateException e) {
      throw new IOException(
          "model '%s' version %d: what it has learned cannot be used: %s"
              .formatted(manifest.model(), manifest.version(), e.getMessage()),
          e);
    }
  }
}
