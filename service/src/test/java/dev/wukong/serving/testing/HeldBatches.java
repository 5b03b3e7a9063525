package dev.wukong.serving.testing;

import dev.wukong.serving.batching.BatchModel;
import dev.wukong.serving.batching.BatchScores;
import dev.wukong.serving.batching.Batcher;
import dev.wukong.serving.batching.Job;
import dev.wukong.serving.embedding.PreparedRows;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** The batch thread of a model, held in a batch of its own: what is submitted waits. */
public final class HeldBatches implements AutoCloseable {
  private final CountDownLatch entered = new CountDownLatch(1);
  private final CountDownLatch released = new CountDownLatch(1);

  private HeldBatches() {}

  /** Holds the thread of {@code batcher}, which has nothing else to do. */
  public static HeldBatches of(Batcher batcher) throws InterruptedException {
    HeldBatches held = new HeldBatches();
    PreparedRows one = new PreparedRows(0, 1, List.of(), new float[0], new float[0], new int[0]);
    Job job = new Job(held.gate(), List.of(one), System.nanoTime() + Long.MAX_VALUE / 2, () -> {});
    if (batcher.submit(job) != Batcher.Submission.ACCEPTED) {
      throw new AssertionError("the batcher takes nothing");
    }
    held.entered.await();
    return held;
  }

  private BatchModel gate() {
    return new BatchModel() {
      @Override
      public int tasks() {
        return 1;
      }

      @Override
      public BatchScores run(List<PreparedRows> parts) {
        entered.countDown();
        try {
          released.await();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
        return new BatchScores(ByteBuffer.allocate(Float.BYTES), ByteBuffer.allocate(Float.BYTES));
      }
    };
  }

  /** Lets the thread go on. */
  public void release() {
    released.countDown();
  }

  @Override
  public void close() {
    release();
  }
}
