package dev.wukong.serving.retraining;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.RowKey;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.hosting.ModelCommit;
import dev.wukong.serving.joining.Join;
import dev.wukong.serving.lifecycle.RowAdmission;
import dev.wukong.serving.lifecycle.RowExpiry;
import dev.wukong.serving.lifecycle.RowLife;
import dev.wukong.training.ChangedRows;
import dev.wukong.training.OnlineSession;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Gathers all that training has changed into one commit: rows, what optimizers keep, dense weights,
 * counts and lives of rows, examples that wait for a step, and the join with its place in the log.
 * The training thread's.
 */
final class LearnedCommit {
  /** Rows that are looked at in a commit, whether they have expired. */
  private static final int LOOKED_AT = 512;

  private final StateStore store;
  private final RowsView view;
  private final Bundle bundle;
  private final OnlineSession session;
  private final RowAdmission admission;
  private final RowExpiry expiry;
  private final Join join;
  private final Minibatch minibatch;

  /** Of rows that the golden examples read, which stay: a start is checked by them. */
  private final long[] golden;

  LearnedCommit(
      StateStore store,
      RowsView view,
      Bundle bundle,
      OnlineSession session,
      RowAdmission admission,
      RowExpiry expiry,
      Join join,
      Minibatch minibatch,
      long[] golden) {
    this.store = store;
    this.view = view;
    this.bundle = bundle;
    this.session = session;
    this.admission = admission;
    this.expiry = expiry;
    this.join = join;
    this.minibatch = minibatch;
    this.golden = golden;
  }

  /**
   * The commit.
   *
   * @param nowMs time in the log
   * @param dense all that is trained but rows; empty where it has not changed
   * @param graph the predict graph with these weights; null likewise
   */
  ModelCommit make(
      LearnedMark mark, long nowMs, Map<String, float[]> dense, byte @Nullable [] graph) {
    Instant now = Instant.ofEpochMilli(nowMs);
    List<StateChange> state = new ArrayList<>();
    List<ChangedRows> changed = session.changedRows();
    for (ChangedRows rows : changed) {
      keep(rows, now, state);
    }
    long[] removed =
        expiry.next(
            now,
            LOOKED_AT,
            key ->
                Arrays.binarySearch(golden, key) >= 0
                    || changed.stream()
                        .anyMatch(rows -> Arrays.binarySearch(rows.keys(), key) >= 0));
    List<RowCommit.Changes> rows =
        IntStream.range(0, changed.size())
            .mapToObj(group -> changes(group, changed.get(group), removed))
            .toList();
    state.addAll(admission.drain());
    state.addAll(expiry.drain());
    for (long key : removed) {
      session.forgetRow(key);
      // Not only gone: the bundle may have one of the kind.
      state.add(new StateChange.Put(StateKind.OPTIMIZER, key, MasterRow.REMOVED));
    }
    state.addAll(join.drain());
    state.add(CarriedExamples.put(minibatch.examples()));
    state.addAll(DenseState.put(dense));
    state.add(mark.put());
    return new ModelCommit(mark.epoch(), rows, state, graph);
  }

  private void keep(ChangedRows rows, Instant now, List<StateChange> state) {
    List<byte @Nullable []> lives = store.state(view, StateKind.LIFE, rows.keys());
    for (int i = 0; i < rows.keys().length; i++) {
      long key = rows.keys()[i];
      byte[] life = lives.get(i);
      RowLife before = life == null ? new RowLife(now, 0) : RowLife.of(life);
      state.add(new StateChange.Put(StateKind.LIFE, key, before.again(now).bytes()));
      state.add(
          new StateChange.Put(
              StateKind.OPTIMIZER,
              key,
              MasterRow.bytes(rows.rows(), rows.width(), rows.states(), rows.stateWidth(), i)));
    }
  }

  private RowCommit.Changes changes(int group, ChangedRows rows, long[] removed) {
    int width = bundle.layout().groups().get(group).width();
    long[] own =
        LongStream.of(removed)
            .filter(key -> bundle.layout().tables().get(RowKey.table(key)).width() == width)
            .toArray();
    return new RowCommit.Changes(width, rows.keys(), rows.rows(), own);
  }
}
