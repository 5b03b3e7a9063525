package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class RocksRowStoreTest extends RowStoreContract {
  @Override
  RowStore open(Path folder) {
    return RocksRowStore.open(folder.resolve("store"));
  }

  @Test
  void open_again_stillHasTheRows() {
    try (RowStore store = open(folder)) {
      store.apply(new RowCommit(VIEW, 2, new long[] {5}, new float[] {3, 4}));
      store.markImported(VIEW, "abc");
    }
    try (RowStore store = open(folder)) {
      float[] row = new float[2];
      boolean[] found = new boolean[1];
      store.read(VIEW, 2, new long[] {5}, 1, row, found);
      assertThat(row).containsExactly(3, 4);
      assertThat(store.imported(VIEW)).contains("abc");
    }
  }

  @Test
  void open_whereAFileLies_saysWhere() throws Exception {
    Files.writeString(folder.resolve("store"), "x");

    assertThatThrownBy(() -> open(folder))
        .isInstanceOf(StoreException.class)
        .hasMessageStartingWith("cannot open the row store in " + folder.resolve("store"));
  }
}
