package dev.wukong.serving.batching;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.batching.BatchQueue.Batch;
import dev.wukong.serving.batching.Job.Part;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class BatchQueueTest {
  private static final long FAR = Long.MAX_VALUE / 2;

  private final AtomicLong now = new AtomicLong();
  private final BatchQueue queue =
      new BatchQueue(new BatchPolicy(64, 128, Duration.ofSeconds(1), 1), now::get);

  /** A model that costs what it is told and never runs. */
  private record Idle(BatchCost cost) implements BatchModel {
    @Override
    public int tasks() {
      return 1;
    }

    @Override
    public void run(List<? extends PartInputs> parts, Consumer<BatchScores> scores) {
      throw new AssertionError("nothing runs here");
    }
  }

  private record Rows(int candidates) implements PartInputs {
    @Override
    public void recycle() {}
  }

  /** Whose batches of 8, 16, 32 and 64 take so many nanoseconds. */
  private static Idle costing(double... nanos) {
    BatchCost cost = new BatchCost(64);
    cost.measured(nanos);
    return new Idle(cost);
  }

  private Job offer(BatchModel model, int candidates, long deadline) {
    Job job =
        new Job(
            model, List.of(new Rows(candidates)), model.cost().preferredRows(), deadline, () -> {});
    assertThat(queue.offer(job)).isEqualTo(BatchQueue.Offer.ACCEPTED);
    return job;
  }

  private Batch batch() throws InterruptedException {
    return Objects.requireNonNull(queue.take());
  }

  private List<Integer> take() throws InterruptedException {
    return batch().parts().stream().map(Part::candidates).toList();
  }

  @Test
  void take_costUnknown_fillsTheBatch() throws Exception {
    Idle model = new Idle(new BatchCost(64));
    for (int i = 0; i < 5; i++) {
      offer(model, 16, FAR);
    }
    assertThat(take()).containsExactly(16, 16, 16, 16);
    assertThat(take()).containsExactly(16);
  }

  @Test
  void take_loneRequest_doesNotWaitForOthers() throws Exception {
    offer(costing(1, 2, 4, 8), 1, FAR);
    assertThat(take()).containsExactly(1);
  }

  @Test
  void take_rowsGetNoCheaperBeyondASize_stopsThere() throws Exception {
    Idle model = costing(10, 12, 24, 48); // A row is as cheap in 16 as in 64.
    for (int i = 0; i < 4; i++) {
      offer(model, 8, FAR);
    }
    assertThat(take()).containsExactly(8, 8);
    assertThat(take()).containsExactly(8, 8);
  }

  @Test
  void take_partLargerThanTheSizePreferred_runsAlone() throws Exception {
    Idle model = costing(10, 12, 24, 48);
    offer(model, 40, FAR);
    offer(model, 8, FAR);
    assertThat(take()).containsExactly(40);
    assertThat(take()).containsExactly(8);
  }

  @Test
  void take_togetherTheFirstWouldBeLate_runsItBefore() throws Exception {
    Idle model = costing(1000, 1100, 1200, 1300);
    offer(model, 8, 1050);
    offer(model, 8, FAR);
    offer(model, 8, FAR);
    assertThat(take()).containsExactly(8);
    assertThat(take()).containsExactly(8, 8);
  }

  @Test
  void take_togetherTheNextWouldBeLate_leavesItForItsOwnBatch() throws Exception {
    Idle model = costing(1000, 1100, 1200, 1300);
    offer(model, 8, FAR);
    offer(model, 8, 1050);
    assertThat(take()).containsExactly(8);
    assertThat(take()).containsExactly(8);
  }

  @Test
  void take_wouldMissItsDeadlineWhileOthersWait_isLateAndTheyRun() throws Exception {
    Idle model = costing(1000, 1100, 1200, 1300);
    offer(model, 8, 999);
    offer(model, 8, 999);
    offer(model, 8, FAR);
    offer(model, 8, FAR);
    Batch batch = batch();
    assertThat(batch.late()).hasSize(2);
    assertThat(batch.parts()).hasSize(2);
  }

  @Test
  void take_wouldMissItsDeadlineAndNobodyElseWaits_runs() throws Exception {
    offer(costing(1000, 1100, 1200, 1300), 8, 999);
    assertThat(take()).containsExactly(8);
  }

  @Test
  void take_deadlinePassedOrAbandoned_isNotInABatch() throws Exception {
    Idle model = costing(1, 1, 1, 1);
    offer(model, 3, 100);
    Job gone = offer(model, 4, FAR);
    offer(model, 5, FAR);
    queue.abandon(gone);
    now.set(100);
    Batch batch = batch();
    assertThat(batch.parts()).extracting(Part::candidates).containsExactly(5);
    assertThat(batch.late()).extracting(Part::candidates).containsExactly(3, 4);
    assertThat(queue.rows()).isZero();
  }
}
