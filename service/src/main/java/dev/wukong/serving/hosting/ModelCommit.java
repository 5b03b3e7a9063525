package dev.wukong.serving.hosting;

import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.StateChange;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a loaded version becomes, at one instant and in one write.
 *
 * @param epoch who trained
 * @param dense how often the dense weights have changed since the bundle, where there is a graph
 * @param rows changes of rows, by width
 * @param state changes of what training remembers
 * @param graph the predict graph with other dense weights; null where these have not changed
 */
@SuppressWarnings("ArrayRecordComponent") // On its way to the engine, never compared.
public record ModelCommit(
    long epoch,
    long dense,
    List<RowCommit.Changes> rows,
    List<StateChange> state,
    byte @Nullable [] graph) {}
