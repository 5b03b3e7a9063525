package dev.wukong.serving.embedding;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A row store that also keeps what training remembers of a bundle: optimizer state, counters, how
 * far it has come. It changes with the rows in one write, and lies apart from them, so that it
 * costs requests nothing. It goes with its bundle. Any thread.
 */
public interface StateStore extends RowStore {
  /**
   * Writes all changes of {@code commit} and of the bundle's state, in their order, or none of
   * them; see {@link #apply(RowCommit)}.
   *
   * @throws StoreException if the store fails
   */
  void apply(RowCommit commit, List<StateChange> state);

  @Override
  default void apply(RowCommit commit) {
    apply(commit, List.of());
  }

  /**
   * What is remembered now of each of {@code keys}, in their order; null where nothing is.
   *
   * @throws StoreException if the store fails
   */
  List<byte @Nullable []> state(RowsView view, StateKind kind, long[] keys);

  /** Receives what is remembered. */
  @FunctionalInterface
  interface StateReceiver {
    /** Called once a key. */
    void accept(long key, byte[] value);
  }

  /**
   * Gives all that is remembered of a kind, by ascending key.
   *
   * @throws StoreException if the store fails
   */
  void forEachState(RowsView view, StateKind kind, StateReceiver receiver);

  /**
   * What is remembered of a kind with keys above {@code after}, by ascending key; fewer than {@code
   * most} where there is no more.
   *
   * @param after negative: from the first
   * @throws StoreException if the store fails
   */
  List<Remembered> states(RowsView view, StateKind kind, long after, int most);

  /** One piece of what is remembered. */
  @SuppressWarnings("ArrayRecordComponent") // On its way from disk, never compared.
  record Remembered(long key, byte[] value) {}

  /**
   * The keys of the bundle's next rows, ascending; fewer than {@code most} where there are no more.
   *
   * @param after the key before them; negative: from the first
   * @throws StoreException if the store fails
   */
  long[] rowKeys(RowsView view, long after, int most);
}
