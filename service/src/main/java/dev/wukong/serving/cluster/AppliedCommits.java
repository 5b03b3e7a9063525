package dev.wukong.serving.cluster;

import dev.wukong.serving.embedding.Arrival;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.hosting.ModelCommit;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.hosting.ServedModel;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has commits of another replica happen here: rows and dense weights at one instant, and in one
 * write with all that training remembers and which commit it was. One thread.
 */
final class AppliedCommits {
  private static final Logger log = LoggerFactory.getLogger(AppliedCommits.class);
  private static final Duration LOOKS = Duration.ofMillis(50);
  private static final Duration LONG = Duration.ofSeconds(30);

  private final ModelHost host;
  private final String model;
  private final StateStore store;
  private final Graphs graphs;
  private final RowSupply supply;

  AppliedCommits(ModelHost host, String model, StateStore store, Graphs graphs, RowSupply supply) {
    this.supply = supply;
    this.host = host;
    this.model = model;
    this.store = store;
    this.graphs = graphs;
  }

  /**
   * Applies one; waits until the version that it changes is loaded, or a later one is.
   *
   * @param order after it
   * @param ends whether to wait no longer
   * @return false if it was ended before
   * @throws CommitException if it cannot be
   */
  boolean apply(CommitOrder order, long bundle, ModelCommit commit, BooleanSupplier ends)
      throws InterruptedException {
    ModelCommit all = commit.with(List.of(order.put()));
    long begun = System.nanoTime();
    boolean said = false;
    while (!ends.getAsBoolean()) {
      Arrival arrival = supply.arrival(order.sequence(), bundle);
      ServedModel served = host.model(model).orElse(null);
      if (arrival == Arrival.BEFORE) {
        applyBefore(order, bundle);
        return true;
      }
      if (arrival == Arrival.AWAITED) {
        if (!said && System.nanoTime() - begun > LONG.toNanos()) {
          said = true;
          log.warn(
              "model '{}': the rows of commit {} are not in Redis yet: this replica waits for them",
              model,
              order.sequence());
        }
      } else if (served != null && served.loadedVersions().contains(bundle)) {
        if (served.commit(bundle, withGraph(bundle, all))) {
          return true;
        }
        if (CommitOrder.read(store, model).sequence() >= order.sequence()) {
          return true; // It is in the store, and what is loaded next begins with it.
        }
      } else if (served != null && served.servingVersion() > bundle) {
        applyUnserved(bundle, all);
        return true;
      } else if (!said && System.nanoTime() - begun > LONG.toNanos()) {
        said = true;
        log.warn(
            "model '{}': commit {} is of version {}, which is not loaded here: this replica waits"
                + " for it",
            model,
            order.sequence(),
            bundle);
      }
      Thread.sleep(LOOKS);
    }
    return false;
  }

  /** To a version that nobody asks any more: training's memory goes on with it. */
  private void applyUnserved(long bundle, ModelCommit commit) {
    RowsView now = new RowsView(model, bundle, 0);
    RowsView next = new RowsView(model, bundle, Math.toIntExact(store.version(now) + 1));
    store.apply(new RowCommit(next, commit.rows()), commit.state());
  }

  /** The bundle was loaded with it; it only has happened. */
  private void applyBefore(CommitOrder order, long bundle) {
    RowsView now = new RowsView(model, bundle, 0);
    RowsView same = new RowsView(model, bundle, store.version(now));
    store.apply(new RowCommit(same, List.of()), List.of(order.put()));
  }

  private ModelCommit withGraph(long bundle, ModelCommit commit) {
    Map<String, float[]> weights = commit.weights();
    if (weights.isEmpty()) {
      return commit;
    }
    try {
      return new ModelCommit(
          commit.epoch(),
          commit.dense(),
          commit.rows(),
          commit.state(),
          graphs.of(bundle, weights),
          weights);
    } catch (IOException | IllegalArgumentException e) {
      throw new CommitException(
          "the dense weights of a commit to version %d cannot be used: %s"
              .formatted(bundle, e.getMessage()),
          e);
    }
  }
}
