package dev.wukong.serving.testing;

import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A store of rows and state that fails at the points where a test throws. Any thread. */
public final class FailingStateStore extends ForwardingStateStore {
  /** What comes next, or has just been done. */
  public enum Point {
    /** What optimizers keep of rows is about to be read, as each step does. */
    READING,
    /** A commit is about to be written. */
    WRITING,
    /** It is on stable storage, and nobody knows yet. */
    WRITTEN
  }

  private volatile Consumer<Point> at;

  /**
   * Over {@code store}, which stays the caller's to close.
   *
   * @param at told of each point; what it throws is the failure
   */
  public FailingStateStore(StateStore store, Consumer<Point> at) {
    super(store);
    this.at = at;
  }

  /** Fails there from now on. */
  public void fail(Consumer<Point> there) {
    at = there;
  }

  @Override
  public void apply(RowCommit commit, List<StateChange> state) {
    at.accept(Point.WRITING);
    super.apply(commit, state);
    at.accept(Point.WRITTEN);
  }

  @Override
  public List<byte @Nullable []> state(RowsView view, StateKind kind, long[] keys) {
    if (kind == StateKind.OPTIMIZER) {
      at.accept(Point.READING);
    }
    return super.state(view, kind, keys);
  }
}
