package dev.wukong.serving.hosting;

import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.StateChange;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a loaded version becomes, at one instant and in one write.
 *
 * @param epoch who trained
 * @param dense how often the dense weights have changed since the bundle, where there is a graph
 * @param rows changes of rows, by width
 * @param state changes of what training remembers
 * @param graph the predict graph with other dense weights; null where these have not changed
 * @param weights those of {@code graph}, for who makes one of another precision; none where there
 *     is none
 */
@SuppressWarnings("ArrayRecordComponent") // On its way to the engine, never compared.
public record ModelCommit(
    long epoch,
    long dense,
    List<RowCommit.Changes> rows,
    List<StateChange> state,
    byte @Nullable [] graph,
    Map<String, float[]> weights) {
  /** One whose graph nobody else needs. */
  public ModelCommit(
      long epoch,
      long dense,
      List<RowCommit.Changes> rows,
      List<StateChange> state,
      byte @Nullable [] graph) {
    this(epoch, dense, rows, state, graph, Map.of());
  }

  /** The same with more that is remembered. */
  public ModelCommit with(List<StateChange> more) {
    List<StateChange> all = new ArrayList<>(state);
    all.addAll(more);
    return new ModelCommit(epoch, dense, rows, all, graph, weights);
  }
}
