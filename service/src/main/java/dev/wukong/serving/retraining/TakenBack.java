package dev.wukong.serving.retraining;

import dev.wukong.bundle.Bundle;
import dev.wukong.data.Group;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import dev.wukong.serving.lifecycle.RowExpiry;
import dev.wukong.serving.lifecycle.RowLife;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * The changes that bring all rows back to what they were in a healthy state: a commit like any
 * other, so that whoever follows commits needs to know nothing of it. The training thread's.
 */
final class TakenBack {
  private final StateStore store;
  private final RowsView view;
  private final Bundle bundle;
  private final Undo undo;
  private final RowExpiry expiry;
  private final IntUnaryOperator stateWidth;

  /** Changes in the store of {@code bundle}'s rows. */
  TakenBack(
      StateStore store,
      RowsView view,
      Bundle bundle,
      Undo undo,
      RowExpiry expiry,
      IntUnaryOperator stateWidth) {
    this.store = store;
    this.view = view;
    this.bundle = bundle;
    this.undo = undo;
    this.expiry = expiry;
    this.stateWidth = stateWidth;
  }

  /**
   * The changes of rows that serve.
   *
   * @param to the number of the healthy state
   * @param keys of rows that have changed since
   */
  List<RowCommit.Changes> rows(long to, long[] keys) {
    List<RowCommit.Changes> changes = new ArrayList<>();
    for (Group group : bundle.layout().groups()) {
      changes.add(
          ofWidth(group.width(), to, RowKeys.ofWidth(bundle.layout(), group.width(), keys)));
    }
    return changes;
  }

  private RowCommit.Changes ofWidth(int width, long to, long[] own) {
    BundleRow room = new BundleRow(bundle, width, stateWidth.applyAsInt(width));
    long[] keys = new long[own.length];
    float[] rows = new float[Math.multiplyExact(own.length, width)];
    int[] count = {0};
    LongStream.Builder gone = LongStream.builder();
    for (long[] page : RowKeys.pages(own)) {
      undo.before(
          to,
          page,
          (key, before, _) -> {
            if (room.read(key, before)) {
              keys[count[0]] = key;
              System.arraycopy(room.row(), 0, rows, count[0] * width, width);
              count[0]++;
            } else {
              gone.add(key);
            }
          });
    }
    return new RowCommit.Changes(
        width,
        Arrays.copyOf(keys, count[0]),
        Arrays.copyOf(rows, count[0] * width),
        gone.build().toArray());
  }

  /**
   * What changes of training's memory where the same rows are taken back there, too.
   *
   * @param nowMs time in the log
   */
  List<StateChange> memory(long to, long[] keys, long nowMs) {
    List<StateChange> state = new ArrayList<>();
    for (Group group : bundle.layout().groups()) {
      int width = group.width();
      BundleRow room = new BundleRow(bundle, width, stateWidth.applyAsInt(width));
      for (long[] page : RowKeys.pages(RowKeys.ofWidth(bundle.layout(), width, keys))) {
        List<byte @Nullable []> now = store.state(view, StateKind.OPTIMIZER, page);
        undo.before(
            to,
            page,
            (key, before, left) -> {
              boolean is = room.read(key, now.get(Arrays.binarySearch(page, key)));
              boolean was = room.read(key, before);
              remember(key, before, left, state);
              count(key, was, is, nowMs, state);
            });
      }
    }
    return state;
  }

  private static void remember(
      long key, byte @Nullable [] before, Memories left, List<StateChange> state) {
    state.add(
        before == null
            ? new StateChange.Remove(StateKind.OPTIMIZER, key)
            : new StateChange.Put(StateKind.OPTIMIZER, key, before));
    state.add(
        left.isEmpty()
            ? new StateChange.Remove(StateKind.UNDO, key)
            : new StateChange.Put(StateKind.UNDO, key, left.bytes()));
  }

  /** Rows that had come go, and others that had gone come again. */
  private void count(long key, boolean was, boolean is, long nowMs, List<StateChange> state) {
    if (is && !was) {
      expiry.withdrawn(1);
      state.add(new StateChange.Remove(StateKind.LIFE, key));
    } else if (was && !is) {
      expiry.admitted();
      RowLife life = new RowLife(Instant.ofEpochMilli(nowMs), 0);
      state.add(new StateChange.Put(StateKind.LIFE, key, life.bytes()));
    }
  }
}
