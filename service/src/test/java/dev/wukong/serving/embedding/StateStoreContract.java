package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What every row store does that keeps training's state, too. */
abstract class StateStoreContract extends RowStoreContract {
  @Override
  abstract StateStore open(Path folder);

  private static StateChange put(StateKind kind, long key, int value) {
    return new StateChange.Put(kind, key, new byte[] {(byte) value});
  }

  /** Changes state alone. */
  private static void apply(StateStore store, RowsView view, int version, StateChange... changes) {
    RowsView next = new RowsView(view.model(), view.bundle(), version);
    store.apply(new RowCommit(next, List.of()), List.of(changes));
  }

  /** All of a kind, as key and first byte of the value. */
  private static List<List<Long>> all(StateStore store, RowsView view, StateKind kind) {
    List<List<Long>> all = new ArrayList<>();
    store.forEachState(view, kind, (key, value) -> all.add(List.of(key, (long) value[0])));
    return all;
  }

  @Test
  void state_keysOfAnyOrder_isWhatWasPutLast() {
    try (StateStore store = open(folder)) {
      apply(
          store,
          VIEW,
          1,
          put(StateKind.LIFE, 5, 1),
          put(StateKind.LIFE, Long.MAX_VALUE, 2),
          put(StateKind.LIFE, 5, 3));

      List<byte @Nullable []> values =
          store.state(VIEW, StateKind.LIFE, new long[] {9, Long.MAX_VALUE, 5});

      assertThat(values).containsExactly(null, new byte[] {2}, new byte[] {3});
      assertThat(store.version(VIEW)).isEqualTo(1);
    }
  }

  @Test
  void state_noKeys_isNothing() {
    try (StateStore store = open(folder)) {
      assertThat(store.state(VIEW, StateKind.LIFE, new long[0])).isEmpty();
      assertThat(store.rowKeys(VIEW, -1, 10)).isEmpty();
    }
  }

  @Test
  void apply_clearBetweenPuts_forgetsWhatCameBeforeAlone() {
    try (StateStore store = open(folder)) {
      apply(store, VIEW, 1, put(StateKind.SIGHTS_ODD, 1, 1), put(StateKind.SIGHTS_EVEN, 1, 7));
      apply(
          store,
          VIEW,
          2,
          put(StateKind.SIGHTS_ODD, 2, 1),
          new StateChange.Clear(StateKind.SIGHTS_ODD),
          put(StateKind.SIGHTS_ODD, 300, 3),
          put(StateKind.SIGHTS_ODD, 4, 4),
          new StateChange.Remove(StateKind.SIGHTS_ODD, 5),
          put(StateKind.SIGHTS_ODD, 6, 6),
          new StateChange.Remove(StateKind.SIGHTS_ODD, 6));

      assertThat(all(store, VIEW, StateKind.SIGHTS_ODD))
          .containsExactly(List.of(4L, 4L), List.of(300L, 3L));
      assertThat(all(store, VIEW, StateKind.SIGHTS_EVEN)).containsExactly(List.of(1L, 7L));
    }
  }

  @Test
  void state_otherKindBundleOrModel_isAnother() {
    RowsView later = new RowsView(VIEW.model(), VIEW.bundle() + 1, 0);
    RowsView other = new RowsView("other", VIEW.bundle(), 0);
    try (StateStore store = open(folder)) {
      apply(store, VIEW, 1, put(StateKind.LIFE, 5, 1));
      apply(store, later, 1, put(StateKind.LIFE, 5, 2));
      apply(store, other, 1, put(StateKind.LIFE, 5, 3));

      for (StateKind kind : StateKind.values()) {
        assertThat(all(store, VIEW, kind))
            .isEqualTo(kind == StateKind.LIFE ? List.of(List.of(5L, 1L)) : List.of());
      }
      assertThat(all(store, later, StateKind.LIFE)).containsExactly(List.of(5L, 2L));
      assertThat(all(store, other, StateKind.LIFE)).containsExactly(List.of(5L, 3L));
    }
  }

  @Test
  void state_ofAModel_isThatOfAllItsBundlesAndStays() {
    RowsView later = new RowsView(VIEW.model(), VIEW.bundle() + 1, 0);
    RowsView other = new RowsView("other", VIEW.bundle(), 0);
    try (StateStore store = open(folder)) {
      apply(store, VIEW, 1, put(StateKind.JOIN, 5, 1), put(StateKind.LIFE, 5, 1));
      apply(store, later, 1, put(StateKind.JOIN, 6, 2));
      apply(store, other, 1, put(StateKind.JOIN, 7, 3));

      store.drop(VIEW);

      assertThat(all(store, later, StateKind.JOIN))
          .isEqualTo(all(store, VIEW, StateKind.JOIN))
          .containsExactly(List.of(5L, 1L), List.of(6L, 2L));
      assertThat(store.stored()).containsExactlyInAnyOrder(later, other);
    }
  }

  @Test
  void removeBelow_someKeys_leavesThoseFromThereOn() {
    try (StateStore store = open(folder)) {
      apply(store, VIEW, 1, put(StateKind.DUE, 1, 1), put(StateKind.DUE, 300, 2));
      apply(
          store,
          VIEW,
          2,
          put(StateKind.DUE, 299, 3),
          new StateChange.RemoveBelow(StateKind.DUE, 300),
          put(StateKind.DUE, 2, 4));

      assertThat(all(store, VIEW, StateKind.DUE))
          .containsExactly(List.of(2L, 4L), List.of(300L, 2L));
    }
  }

  @Test
  void states_someAtATime_areAllInOrder() {
    try (StateStore store = open(folder)) {
      apply(
          store,
          VIEW,
          1,
          put(StateKind.DUE, 1, 1),
          put(StateKind.DUE, 0, 2),
          put(StateKind.DUE, 1L << 40, 3),
          put(StateKind.SHOWN, 2, 9));

      assertThat(keys(store.states(VIEW, StateKind.DUE, -1, 2))).containsExactly(0L, 1L);
      assertThat(keys(store.states(VIEW, StateKind.DUE, 1, 2))).containsExactly(1L << 40);
      assertThat(store.states(VIEW, StateKind.DUE, 1L << 40, 2)).isEmpty();
    }
  }

  private static List<Long> keys(List<StateStore.Remembered> remembered) {
    return remembered.stream().map(StateStore.Remembered::key).toList();
  }

  @Test
  void drop_aBundle_takesItsStateAlong() {
    RowsView later = new RowsView(VIEW.model(), VIEW.bundle() + 1, 0);
    try (StateStore store = open(folder)) {
      apply(store, VIEW, 1, put(StateKind.LIFE, 5, 1), put(StateKind.PROGRESS, 0, 1));
      apply(store, later, 1, put(StateKind.LIFE, 5, 2));

      store.drop(VIEW);

      assertThat(all(store, VIEW, StateKind.LIFE)).isEmpty();
      assertThat(all(store, VIEW, StateKind.PROGRESS)).isEmpty();
      assertThat(all(store, later, StateKind.LIFE)).containsExactly(List.of(5L, 2L));
      assertThat(store.stored()).containsExactly(later);
    }
  }

  @Test
  void rowKeys_someAtATime_areAllThatHaveARow() {
    long[] keys = LongStream.range(0, 20).map(i -> (i * i) << 40).toArray();
    try (StateStore store = open(folder)) {
      store.apply(new RowCommit(VIEW, 1, keys, new float[keys.length]));
      RowsView later = new RowsView(VIEW.model(), VIEW.bundle() + 1, 0);
      store.apply(new RowCommit(later, 1, new long[] {1}, new float[1]));
      RowsView next = new RowsView(VIEW.model(), VIEW.bundle(), 1);
      store.apply(
          new RowCommit(
              next,
              List.of(new RowCommit.Changes(1, new long[0], new float[0], new long[] {keys[3]}))));

      List<Long> met = new ArrayList<>();
      long[] part = store.rowKeys(VIEW, -1, 7);
      while (part.length > 0) {
        assertThat(part.length).isLessThanOrEqualTo(7);
        LongStream.of(part).forEach(met::add);
        part = store.rowKeys(VIEW, part[part.length - 1], 7);
      }

      assertThat(met)
          .containsExactlyElementsOf(
              LongStream.of(keys).filter(key -> key != keys[3]).boxed().toList());
    }
  }
}
