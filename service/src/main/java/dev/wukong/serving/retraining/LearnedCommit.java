package dev.wukong.serving.retraining;

import dev.wukong.bundle.Bundle;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.gating.Gate;
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
import java.util.Optional;
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

  /** Where the gate's state is, beside {@link LearnedMark}. */
  static final long GATE = 8;

  private final StateStore store;
  private final RowsView view;
  private final Bundle bundle;
  private final OnlineSession session;
  private final RowAdmission admission;
  private final RowExpiry expiry;
  private final Erasures erasures;
  private final Join join;
  private final StreamProgress streams;
  private final Undo undo;
  private final Generations generations;
  private final Gate gate;
  private final TakenBack takenBack;
  private final Steps steps;
  private final Healthy healthy;

  /** Of rows that the golden examples read, which stay: a start is checked by them. */
  private final long[] golden;

  /** Changes that are to go with the next commit. */
  private List<StateChange> first = new ArrayList<>();

  LearnedCommit(
      StateStore store,
      RowsView view,
      Bundle bundle,
      OnlineSession session,
      RowAdmission admission,
      RowExpiry expiry,
      Erasures erasures,
      Join join,
      StreamProgress streams,
      Undo undo,
      Generations generations,
      Gate gate,
      Steps steps,
      Healthy healthy,
      long[] golden) {
    this.store = store;
    this.view = view;
    this.bundle = bundle;
    this.session = session;
    this.admission = admission;
    this.expiry = expiry;
    this.erasures = erasures;
    this.join = join;
    this.streams = streams;
    this.undo = undo;
    this.generations = generations;
    this.gate = gate;
    this.takenBack = new TakenBack(store, view, bundle, undo, expiry, session::rowStateWidth);
    this.steps = steps;
    this.healthy = healthy;
    this.golden = golden;
  }

  /** With the next commit {@code generation} is kept, the first of the healthy states. */
  void begin(Generation generation, Map<String, float[]> dense) {
    generations.add(generation, dense, first);
  }

  private List<StateChange> begun() {
    List<StateChange> state = first;
    first = new ArrayList<>();
    return state;
  }

  /** Which rows become visible with a commit. */
  enum Visible {
    /** None but those that go. */
    NONE,
    /** Those of the healthy state, instead of what has changed since. */
    HEALTHY,
    /** Those that have changed in it. */
    CHANGED,
    /** All that have changed since the healthy state. */
    ALL
  }

  /**
   * The commit.
   *
   * @param changed rows
   * @param erased rows that go, whatever becomes of the others; ascending, and none of the changed
   * @param there how many of these there are
   * @param nowMs time in the log
   * @param dense all that is trained but rows; empty where it has not changed
   * @param weights the dense weights that become visible; none: those stay
   * @param promoted whether this is the healthy state from now on, with such dense weights
   */
  ModelCommit make(
      LearnedMark mark,
      List<ChangedRows> changed,
      long[] erased,
      int there,
      long nowMs,
      Map<String, float[]> dense,
      Visible visible,
      Map<String, float[]> weights,
      Optional<NewHealthy> promoted) {
    Instant now = Instant.ofEpochMilli(nowMs);
    List<StateChange> state = begun();
    erase(erased, there, nowMs, state);
    List<RowCommit.Changes> rows = new ArrayList<>();
    List<RowCommit.Changes> back =
        visible == Visible.HEALTHY
            ? takenBack.rows(generations.newest(), undo.touched())
            : List.of();
    undo.keep(changed, state);
    for (ChangedRows of : changed) {
      keep(of, now, state);
    }
    long[] removed =
        expiry.next(
            now,
            LOOKED_AT,
            // What is not visible yet, or may be taken back, stays.
            key ->
                Arrays.binarySearch(golden, key) >= 0
                    || undo.keeps(key)
                    || Arrays.binarySearch(erased, key) >= 0);
    long[] gone = LongStream.concat(LongStream.of(removed), LongStream.of(erased)).toArray();
    for (int group = 0; group < changed.size(); group++) {
      rows.add(
          visible == Visible.HEALTHY
              ? with(back.get(group), gone)
              : changes(group, changed.get(group), gone, visible));
    }
    state.addAll(admission.drain());
    state.addAll(expiry.drain());
    // What was scored and not learned from, in quarantine, before it was taken back or to look for
    // skew, is in memory there, too: one who starts now would not find it.
    forget(removed, state);
    state.addAll(DenseState.put(dense));
    undo.forget(state);
    if (promoted.isPresent()) {
      undo.begin();
      generations.add(promoted.get().generation(), promoted.get().dense(), state);
    }
    return finish(mark, rows, state, weights);
  }

  /**
   * The commit that brings all back to a healthy state. What was not committed is nothing more.
   *
   * @param to one of those that are kept
   * @param keys of the rows that have changed since, by the last commit
   * @param erased rows that go, ascending
   * @param there how many of these there are
   * @param visible whether what serves is another state
   * @param weights the dense weights of that state; none where it serves
   */
  ModelCommit back(
      LearnedMark mark,
      Generation to,
      long[] keys,
      long[] erased,
      int there,
      long nowMs,
      boolean visible,
      Map<String, float[]> weights) {
    List<StateChange> state = begun();
    long[] others = Erasures.without(keys, erased);
    List<RowCommit.Changes> rows =
        takenBack.rows(to.number(), visible ? others : new long[0]).stream()
            .map(of -> with(of, erased))
            .toList();
    state.addAll(takenBack.memory(to.number(), others, nowMs));
    erase(erased, there, nowMs, state);
    state.addAll(DenseState.put(generations.dense(to)));
    generations.backTo(to.number(), state);
    undo.begin();
    state.addAll(admission.drain());
    state.addAll(expiry.drain());
    return finish(mark, rows, state, weights);
  }

  /**
   * What differs from what serves, for who tries it out; written nowhere.
   *
   * @param changed rows, by the last commit
   * @param erased rows that are no more
   * @param whole whether all that has changed since the healthy state is meant, else only these
   * @param graph the predict graph
   */
  ModelCommit candidate(
      LearnedMark mark, List<ChangedRows> changed, long[] erased, boolean whole, byte[] graph) {
    List<RowCommit.Changes> rows = new ArrayList<>();
    for (int group = 0; group < changed.size(); group++) {
      Visible visible = whole ? Visible.ALL : Visible.CHANGED;
      rows.add(changes(group, changed.get(group), erased, visible));
    }
    return new ModelCommit(mark.epoch(), mark.dense(), rows, List.of(), graph);
  }

  /** Nothing is kept of these rows any more: all is as if they never had been. */
  private void erase(long[] keys, int there, long nowMs, List<StateChange> state) {
    undo.erase(keys, state);
    expiry.withdrawn(there);
    for (long key : keys) {
      state.add(new StateChange.Remove(StateKind.LIFE, key));
      admission.forget(key);
    }
    forget(keys, state);
    erasures.done(nowMs, state);
  }

  /** These rows are no more, here and at rest. */
  private void forget(long[] keys, List<StateChange> state) {
    healthy.forget(keys);
    for (long key : keys) {
      session.forgetRow(key);
      // Not only gone: the bundle may have one of the kind.
      state.add(new StateChange.Put(StateKind.OPTIMIZER, key, MasterRow.REMOVED));
    }
  }

  /** With what every commit has, that of the join above all. */
  private ModelCommit finish(
      LearnedMark mark,
      List<RowCommit.Changes> rows,
      List<StateChange> state,
      Map<String, float[]> weights) {
    state.addAll(join.drain());
    state.addAll(streams.drain(join.oldestNeeded()));
    state.add(CarriedExamples.put(steps.waiting()));
    state.add(generations.progress());
    state.add(new StateChange.Put(StateKind.COMMIT, GATE, gate.bytes()));
    state.add(mark.put());
    byte[] graph = weights.isEmpty() ? null : session.predictGraph(weights);
    return new ModelCommit(mark.epoch(), mark.served(), rows, state, graph, weights);
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

  private RowCommit.Changes changes(
      int group, ChangedRows changed, long[] removed, Visible visible) {
    int width = bundle.layout().groups().get(group).width();
    long[] own = RowKeys.ofWidth(bundle.layout(), width, removed);
    return switch (visible) {
      case NONE, HEALTHY -> new RowCommit.Changes(width, new long[0], new float[0], own);
      case CHANGED -> new RowCommit.Changes(width, changed.keys(), changed.rows(), own);
      case ALL -> {
        long[] others =
            LongStream.of(RowKeys.ofWidth(bundle.layout(), width, undo.touched()))
                .filter(key -> Arrays.binarySearch(changed.keys(), key) < 0)
                .toArray();
        yield all(changed, others, own);
      }
    };
  }

  /** The same where these rows go, too. */
  private RowCommit.Changes with(RowCommit.Changes changes, long[] removed) {
    return new RowCommit.Changes(
        changes.width(),
        changes.keys(),
        changes.rows(),
        LongStream.concat(
                LongStream.of(changes.removed()),
                LongStream.of(RowKeys.ofWidth(bundle.layout(), changes.width(), removed)))
            .toArray());
  }

  /** What has changed now, and the rows of {@code others} as the last commit left them. */
  private RowCommit.Changes all(ChangedRows changed, long[] others, long[] removed) {
    int width = changed.width();
    int at = changed.keys().length;
    long[] keys = Arrays.copyOf(changed.keys(), at + others.length);
    float[] rows = Arrays.copyOf(changed.rows(), Math.multiplyExact(keys.length, width));
    BundleRow room = new BundleRow(bundle, width, session.rowStateWidth(width));
    for (long[] page : RowKeys.pages(others)) {
      List<byte @Nullable []> kept = store.state(view, StateKind.OPTIMIZER, page);
      for (int i = 0; i < page.length; i++, at++) {
        if (!room.read(page[i], kept.get(i))) {
          throw new IllegalStateException("row %d was trained and is not kept".formatted(page[i]));
        }
        keys[at] = page[i];
        System.arraycopy(room.row(), 0, rows, at * width, width);
      }
    }
    return new RowCommit.Changes(width, keys, rows, removed);
  }
}
