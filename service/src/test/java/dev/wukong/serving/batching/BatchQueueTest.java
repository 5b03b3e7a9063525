package dev.wukong.serving.batching;

import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.embedding.PreparedRows;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How long the first request of a batch waits for others. */
class BatchQueueTest {
  private static final long FAR = Long.MAX_VALUE / 2;

  private final AtomicLong now = new AtomicLong();
  private final BatchQueue queue =
      new BatchQueue(new BatchPolicy(4, Duration.ofNanos(1000), 8), now::get);

  /** A model that is only told from others. */
  private static final class Idle implements BatchModel {
    @Override
    public int tasks() {
      return 1;
    }

    @Override
    public BatchScores run(List<PreparedRows> parts) {
      throw new AssertionError("nothing runs here");
    }
  }

  private Job offer(int candidates, long deadline) {
    PreparedRows rows =
        new PreparedRows(0, candidates, List.of(), new float[0], new float[candidates], new int[0]);
    Job job = new Job(new Idle(), List.of(rows), deadline, () -> {});
    assertThat(queue.offer(job)).isEqualTo(BatchQueue.Offer.ACCEPTED);
    return job;
  }

  /** Whether the batch thread would wait now: an interrupted one ends where it would. */
  private boolean waits() {
    Thread.currentThread().interrupt();
    try {
      assertThat(queue.take())
          .isNotNull()
          .extracting(BatchQueue.Batch::parts)
          .asInstanceOf(InstanceOfAssertFactories.LIST)
          .isNotEmpty();
    } catch (InterruptedException e) {
      return true;
    }
    return !Thread.interrupted();
  }

  @ParameterizedTest
  @CsvSource({
    // The most is counted from when the part came.
    "1000, 50, 1000000, 50, 1000",
    "1000, 50, 1000000, 450, 600",
    "1000, 50, 1000000, 1050, 0",
    "1000, 50, 1000000, 2050, -1000",
    // Half of the time to the deadline, however often it is asked.
    "1000, 50, 650, 50, 300",
    "1000, 50, 650, 250, 100",
    "1000, 50, 650, 350, 0",
    "0, 50, 650, 50, 0",
    // A clock that wraps around.
    "1000, 9223372036854775807, -9223372036854775509, -9223372036854775807, 148",
  })
  void mayWait_numbers_isTheLesserOfTheMostAndHalfOfTheTime(
      long maxWait, long submitted, long deadline, long now, long expected) {
    assertThat(BatchQueue.mayWait(maxWait, submitted, deadline, now)).isEqualTo(expected);
  }

  @Test
  void take_firstCameLongAgo_doesNotWaitAgain() {
    offer(1, FAR);
    now.set(999);
    assertThat(waits()).isTrue();
    now.set(1000);
    assertThat(waits()).isFalse();
  }

  @Test
  void take_firstHasShortDeadline_waitsForHalfOfIt() {
    offer(1, 100);
    now.set(49);
    assertThat(waits()).isTrue();
    now.set(50);
    assertThat(waits()).isFalse();
  }

  @Test
  void take_firstIsAbandoned_goesByTheNext() {
    Job gone = offer(1, 100);
    now.set(40);
    offer(1, FAR);
    queue.abandon(gone);
    now.set(60);
    assertThat(waits()).isTrue();
    now.set(1040);
    assertThat(waits()).isFalse();
  }

  @Test
  void take_batchIsFull_doesNotWait() {
    offer(4, FAR);
    assertThat(waits()).isFalse();
  }
}
