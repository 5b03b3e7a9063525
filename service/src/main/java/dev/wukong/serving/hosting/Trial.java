package dev.wukong.serving.hosting;

import dev.wukong.serving.embedding.RowOverlay;
import org.jspecify.annotations.Nullable;

/**
 * What was learned of a version, and answers a share of its requests while it has to show whether
 * it is any good. It is in no store, so a process that starts again knows nothing of it, and that
 * it ends takes no write. By the thread that commits to the version.
 */
public final class Trial implements AutoCloseable {
  /** Rows of each width that may differ from those of the version, all states counted. */
  private static final int MOST_ROWS = 1 << 20;

  private final ServedModel served;
  private final long bundle;
  private @Nullable RowOverlay rows;
  private @Nullable HostedModel state;

  /** Nothing is tried out yet, of this loaded version. */
  public Trial(ServedModel served, long bundle) {
    this.served = served;
    this.bundle = bundle;
  }

  /** Whether something is tried out. */
  public boolean shown() {
    return state != null;
  }

  /**
   * Has the next state answer a share of the requests.
   *
   * @param change rows and dense weights that differ from the state before; from those of the
   *     version where nothing is tried out; it has a graph
   * @param share 0 to 1
   * @return whether there was room for the rows; without, nothing is tried out any more
   * @throws EngineException if the graph cannot be run here
   * @throws dev.wukong.serving.embedding.StoreException if the store fails
   */
  public boolean show(ModelCommit change, double share) {
    byte[] graph = change.graph();
    HostedModel base = graph == null ? null : served.leaseVersion(bundle);
    if (graph == null || base == null) {
      throw new IllegalStateException(
          "model '%s': version %d is not loaded, or no graph to try out"
              .formatted(served.name(), bundle));
    }
    try {
      RowOverlay over = rows == null ? base.overlay(MOST_ROWS) : rows;
      rows = over;
      if (!over.change(change.rows())) {
        end();
        return false;
      }
      HostedModel next = base.trial(over, change.epoch(), change.dense(), graph);
      state = served.tryOut(next, share) ? next : null;
      return true;
    } finally {
      base.release();
    }
  }

  /** Has it answer another share of the requests. */
  public void share(double share) {
    HostedModel now = state;
    if (now != null && share != served.tried()) {
      state = served.tryOut(now, share) ? now : null;
    }
  }

  /** The version answers all from now on. */
  public void end() {
    if (rows != null) {
      boolean _ = served.tryOut(null, 0);
      rows.close();
    }
    state = null;
    rows = null;
  }

  @Override
  public void close() {
    end();
  }
}
