package dev.wukong.serving.testing;

import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The same with training's state. */
public class ForwardingStateStore extends ForwardingStore implements StateStore {
  private final StateStore store;

  /** Over {@code store}. */
  protected ForwardingStateStore(StateStore store) {
    super(store);
    this.store = store;
  }

  @Override
  public void apply(RowCommit commit) {
    apply(commit, List.of());
  }

  @Override
  public void apply(RowCommit commit, List<StateChange> state) {
    store.apply(commit, state);
  }

  @Override
  public List<byte @Nullable []> state(RowsView view, StateKind kind, long[] keys) {
    return store.state(view, kind, keys);
  }

  @Override
  public void forEachState(RowsView view, StateKind kind, StateReceiver receiver) {
    store.forEachState(view, kind, receiver);
  }

  @Override
  public List<Remembered> states(RowsView view, StateKind kind, long after, int most) {
    return store.states(view, kind, after, most);
  }

  @Override
  public long[] rowKeys(RowsView view, long after, int most) {
    return store.rowKeys(view, after, most);
  }
}
