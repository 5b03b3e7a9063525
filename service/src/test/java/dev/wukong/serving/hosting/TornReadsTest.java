package dev.wukong.serving.hosting;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.embedding.HeapRowStore;
import dev.wukong.serving.embedding.RocksRowStore;
import dev.wukong.serving.embedding.RowStore;
import dev.wukong.serving.engine.RecordedEngines;
import dev.wukong.serving.hosting.TornReadAudit.Planted;
import dev.wukong.serving.hosting.TornReadAudit.Seen;
import dev.wukong.serving.testing.Served;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
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

  /** As on a GPU, where each state of the weights has places and recordings of its own. */
  @Test
  void commit_underLoadOfRecordedEngines_isSeenWhollyOrNotAtAll(@TempDir Path folder)
      throws Exception {
    AtomicReference<RecordedEngines> made = new AtomicReference<>();
    try (RowStore store = RocksRowStore.open(folder)) {
      TornReadAudit audit =
          new TornReadAudit(
              new Stamps(400),
              store,
              2000,
              SWAPS,
              Planted.NONE,
              layout -> {
                made.set(new RecordedEngines(layout, 512));
                return made.get()::load;
              });
      Seen seen = audit.run(2, 500_000, _ -> {});
      assertThat(seen.torn()).isZero();
      assertThat(seen.unread()).isZero();
      assertThat(seen.versions()).isGreaterThan(SWAPS / 2);
    }
    assertThat(made.get().answers()).isGreaterThan(SWAPS);
    // Old states close on threads of their own.
    Served.await("all is given back", () -> made.get().held() == 0);
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
