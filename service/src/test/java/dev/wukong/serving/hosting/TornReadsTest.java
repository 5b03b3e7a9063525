package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RocksRowStore;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.hosting.TornReadAudit.Planted;
import dev.wukong.serving.hosting.TornReadAudit.Seen;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TornReadsTest {
  private static final int SWAPS = 40;

  @Test
  void commit_underLoad_isSeenWhollyOrNotAtAll(@TempDir Path folder) throws Exception {
    try (RowStore store = RocksRowStore.open(folder)) {
      Seen seen = run(store, Planted.NONE);

      assertThat(seen.torn()).isZero();
      assertThat(seen.unread()).isZero();
      assertThat(seen.rowReads()).isGreaterThan(1_000_000);
      assertThat(seen.versions()).isGreaterThan(SWAPS / 2);
    }
  }

  @Test
  void commit_rowsOfOneStateAndWeightsOfAnother_areSeenAsTorn() throws Exception {
    try (RowStore store = new HeapRowStore()) {
      assertThat(run(store, Planted.MIXTURE).torn()).isPositive();
    }
  }

  private static Seen run(RowStore store, Planted planted) throws Exception {
    Stamps stamps = new Stamps(400);
    return new TornReadAudit(stamps, store, 2000, SWAPS, planted).run(2, 2_000_000, _ -> {});
  }
}
