package dev.wukong.serving.embedding;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreTrialTest {
  private static final int OPERATIONS = 10_000;

  @TempDir Path folder;

  @Test
  void rocks_randomOperationsAndKills_hasWhatPlainMapsHave() throws Exception {
    StoreTrial.Outcome outcome = new StoreTrial(folder, 7, false).run(OPERATIONS, 20);

    assertThat(outcome.difference()).isEmpty();
    assertThat(outcome.operations()).isEqualTo(OPERATIONS);
    assertThat(outcome.kills()).isGreaterThanOrEqualTo(20);
  }

  /** The trial must see a commit that is gone after it was acknowledged. */
  @Test
  void rocks_commitAcknowledgedTooEarly_isFound() throws Exception {
    StoreTrial.Outcome outcome = new StoreTrial(folder, 7, true).run(400, 2);

    assertThat(outcome.difference()).isPresent();
  }

  @Test
  void heap_randomOperations_hasWhatPlainMapsHave() {
    long seed = 8;
    PlainRows rows = new PlainRows();
    try (HeapRowStore store = new HeapRowStore()) {
      for (int number = 0; number < OPERATIONS; number++) {
        StoreOperation operation = StoreOperation.draw(seed, number);
        int must = operation instanceof StoreOperation.Read read ? rows.hash(read) : 0;
        assertThat(StoreActions.perform(store, operation)).isEqualTo(must);
        rows = rows.after(operation);
        if (number % 500 == 0) {
          assertThat(rows.difference(store)).isEmpty();
        }
      }
      assertThat(rows.difference(store)).isEmpty();
    }
  }
}
