package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.BundleStore;
import dev.wukong.data.RowKey;
import dev.wukong.data.Table;
import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RowCommit;
import dev.wukong.serving.embedding.RowsView;
import dev.wukong.serving.embedding.StateChange;
import dev.wukong.serving.embedding.StateKind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LearnedRowsTest {
  @Test
  void forEach_someTrainedSomeRemoved_givesAllByAscendingKey(@TempDir Path folder)
      throws Exception {
    Path bundles = LearningModel.train(folder);
    RowsView view = new RowsView(LearningModel.NAME, 1, 0);
    try (Bundle bundle = new BundleStore(bundles).open(LearningModel.NAME, 1);
        HeapRowStore store = new HeapRowStore()) {
      Map<Long, float[]> expected = new TreeMap<>();
      List<StateChange> changes = new ArrayList<>();
      for (Table table : bundle.layout().tables()) {
        long[] last = {0};
        bundle.forEachRow(
            table,
            (id, values) -> {
              float[] row = new float[table.width()];
              values.get(row);
              long key = RowKey.of(table.ordinal(), id);
              if (id % 5 == 2) {
                changes.add(new StateChange.Put(StateKind.OPTIMIZER, key, MasterRow.REMOVED));
              } else if (id % 5 == 3) {
                expected.put(key, put(key, table.width(), changes));
              } else {
                expected.put(key, row);
              }
              last[0] = id;
            });
        // Ids that the bundle has not: behind all of its own, and many of them in the last table.
        for (long id = last[0] + 7; id < last[0] + 5000; id += 7) {
          long key = RowKey.of(table.ordinal(), id);
          expected.put(key, put(key, table.width(), changes));
        }
      }
      store.apply(new RowCommit(view, List.of()), changes);

      List<Long> keys = new ArrayList<>();
      new LearnedRows(store, view, bundle, _ -> 1)
          .forEach(
              (table, id, row, state) -> {
                long key = RowKey.of(table, id);
                keys.add(key);
                assertThat(row).containsExactly(expected.get(key));
                assertThat(state).hasSize(1);
              });

      assertThat(keys).containsExactlyElementsOf(expected.keySet());
    }
  }

  private static float[] put(long key, int width, List<StateChange> changes) {
    float[] row = new float[width];
    row[0] = RowKey.id(key);
    changes.add(
        new StateChange.Put(
            StateKind.OPTIMIZER, key, MasterRow.bytes(row, width, new float[] {3}, 1, 0)));
    return row;
  }
}
