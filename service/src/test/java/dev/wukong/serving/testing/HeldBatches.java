package dev.wukong.serving.testing;

import dev.wukong.serving.batching.BatchCost;
import dev.wukong.serving.batching.BatchModel;
import dev.wukong.serving.batching.BatchScores;
import dev.wukong.serving.batching.Batcher;
import dev.wukong.serving.batching.Job;
import dev.wukong.serving.batching.PartInputs;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;

/** The batch thread of a model, held in a batch of its own: what is submitted waits. */
public final class HeldBatches implements AutoCloseable {
  private final CountDownLatch entered = new CountDownLatch(1);
  private final CountDownLatch released = new CountDownLatch(1);

  private HeldBatches() {}

  /** Holds the thread of {@code batcher}, which has nothing else to do. */
  public static HeldBatches of(Batcher batcher) throws InterruptedException {
    HeldBatches held = new HeldBatches();
    Job job =
        new Job(
            held.gate(),
            List.of(new OneCandidate()),
            1,
            System.nanoTime() + Long.MAX_VALUE / 2,
            () -> {});
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
      public BatchCost cost() {
        return new BatchCost(1);
      }

      @Override
      public void run(List<? extends PartInputs> parts, Consumer<BatchScores> scores) {
        entered.countDown();
        try {
          released.await();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
        ByteBuffer zero = ByteBuffer.allocate(Float.BYTES);
        scores.accept(new BatchScores(zero, zero));
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
