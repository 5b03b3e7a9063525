package dev.wukong.serving.joining;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import dev.wukong.serving.embedding.StateStore;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class DueQueueTest {
  private final StateStore store = new HeapRowStore();

  private void commit(DueQueue queue, long forgotten, long version) {
    List<StateChange> changes = new ArrayList<>();
    queue.drain(forgotten, changes);
    store.apply(new RowCommit(new RowsView(JoinTrial.MODEL, 1, version), List.of()), changes);
  }

  private static Due due(long position) {
    return new Due(position, position, 1, List.of(0));
  }

  @Test
  void drain_again_hasOnlyWhatCameSince() {
    DueQueue queue = new DueQueue(store, JoinTrial.VIEW, 2, -1);
    queue.add(due(5));
    commit(queue, -1, 1);
    queue.add(due(9000));
    List<StateChange> changes = new ArrayList<>();
    queue.drain(5000, changes);
    assertThat(changes).hasSize(2);
    assertThat(changes.getFirst().kind()).isEqualTo(StateKind.DUE);
    assertThat(changes.getLast()).isEqualTo(new StateChange.RemoveBelow(StateKind.DUE, 4096));
    changes.clear();
    queue.drain(8191, changes); // Of the same block.
    assertThat(changes).isEmpty();
  }

  @Test
  void head_anyCommitsAndPages_isEachOnceInOrder() {
    for (long seed = 1; seed <= 200; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      long base = seed * 1_000_000;
      DueQueue queue = new DueQueue(store, JoinTrial.VIEW, random.nextInt(1, 5), base);
      List<DueQueue.Cursor> cursors = List.of(queue.cursor(base), queue.cursor(base));
      List<List<Long>> passed = List.of(new ArrayList<>(), new ArrayList<>());
      List<Long> expected = new ArrayList<>();
      for (int step = 0; step < 200; step++) {
        switch (random.nextInt(4)) {
          case 0, 1 -> {
            expected.add(base + 1 + step);
            queue.add(due(base + 1 + step));
          }
          case 2 -> commit(queue, -1, base + step);
          default -> {
            int which = random.nextInt(2);
            if (cursors.get(which).head(scored -> {}) != null) {
              passed.get(which).add(cursors.get(which).pass());
            }
          }
        }
      }
      for (int which = 0; which < 2; which++) {
        while (cursors.get(which).head(scored -> {}) != null) {
          passed.get(which).add(cursors.get(which).pass());
        }
        assertThat(passed.get(which)).as("seed %d", seed).isEqualTo(expected);
      }
    }
  }
}
