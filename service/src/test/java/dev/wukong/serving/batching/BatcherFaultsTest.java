package dev.wukong.serving.batching;

import static dev.wukong.serving.batching.Echo.batcher;
import static dev.wukong.serving.batching.Echo.job;
import static dev.wukong.serving.batching.Echo.parts;
import static dev.wukong.serving.batching.Echo.scores;
import static org.assertj.core.api.Assertions.assertThat;

import dev.wukong.serving.batching.Batcher.Submission;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** What a model does that it should not. */
class BatcherFaultsTest {
  @Test
  void submit_modelFails_failsTheBatchAndGoesOn() throws Exception {
    Echo model = new Echo(100);
    AtomicInteger released = new AtomicInteger();
    try (Batcher batcher = batcher(4, 8, new AtomicLong())) {
      Job bad = job(model, parts(4, Float.NaN), released);
      batcher.submit(bad);
      assertThat(bad.outcome().get(30, TimeUnit.SECONDS)).isInstanceOf(Outcome.Failed.class);
      Job good = job(model, parts(4, 1), released);
      batcher.submit(good);
      assertThat(scores(good)).containsExactly(1);
    }
    assertThat(released).hasValue(2);
  }

  /** A model of one task that does {@code first} in its first run, then gives zeros. */
  private static BatchModel once(Supplier<BatchScores> first) {
    AtomicBoolean done = new AtomicBoolean();
    return new BatchModel() {
      @Override
      public int tasks() {
        return 1;
      }

      @Override
      public BatchCost cost() {
        return new BatchCost(1000);
      }

      @Override
      public void run(List<? extends PartInputs> parts, Consumer<BatchScores> scores) {
        if (done.compareAndSet(false, true)) {
          scores.accept(first.get());
        } else {
          ByteBuffer zeros =
              ByteBuffer.allocate(4 * parts.stream().mapToInt(PartInputs::candidates).sum());
          scores.accept(new BatchScores(zeros, zeros));
        }
      }
    };
  }

  @Test
  void submit_modelFindsNoMemoryOnce_failsThatBatchAndGoesOn() throws Exception {
    BatchModel model =
        once(
            () -> {
              throw new OutOfMemoryError("Cannot reserve direct buffer memory");
            });
    AtomicInteger released = new AtomicInteger();
    try (Batcher batcher = batcher(4, 8, new AtomicLong())) {
      Job bad = job(model, parts(4, 1), released);
      batcher.submit(bad);
      assertThat(bad.outcome().get(30, TimeUnit.SECONDS)).isEqualTo(new Outcome.Failed());
      Job good = job(model, parts(4, 1), released);
      assertThat(batcher.submit(good)).isEqualTo(Submission.ACCEPTED);
      assertThat(scores(good)).containsExactly(0);
      assertThat(batcher.works()).isTrue();
    }
    assertThat(released).hasValue(2);
  }

  @Test
  void submit_modelGivesTooFewScores_settlesEveryJob() throws Exception {
    ByteBuffer none = ByteBuffer.allocate(0);
    BatchModel model = once(() -> new BatchScores(none, none));
    AtomicInteger released = new AtomicInteger();
    try (Batcher batcher = batcher(4, 8, new AtomicLong())) {
      Job bad = job(model, parts(4, 1), released);
      batcher.submit(bad);
      assertThat(bad.outcome().get(30, TimeUnit.SECONDS)).isEqualTo(new Outcome.Failed());
      Job good = job(model, parts(4, 1), released);
      batcher.submit(good);
      assertThat(scores(good)).containsExactly(0);
    }
    assertThat(released).hasValue(2);
  }

  /** The thread is interrupted here, as nothing else is known to end it. */
  @Test
  void works_threadHasEndedUnasked_isFalseAndJobsAreRefused() throws Exception {
    BatchModel model =
        once(
            () -> {
              Thread.currentThread().interrupt();
              throw new IllegalStateException("told to fail");
            });
    AtomicInteger released = new AtomicInteger();
    try (Batcher batcher = batcher(4, 8, new AtomicLong())) {
      assertThat(batcher.works()).isTrue();
      batcher.submit(job(model, parts(4, 1), released));
      while (batcher.works()) {
        Thread.onSpinWait();
      }
      assertThat(batcher.submit(job(model, parts(4, 1), released))).isEqualTo(Submission.CLOSED);
    }
    assertThat(released).hasValue(2);
  }

  @Test
  void submit_oneJobGetsNoFiniteResult_failsThatJobAloneAndWhole() throws Exception {
    for (float bad : new float[] {Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      Echo model = new Echo(0);
      AtomicInteger released = new AtomicInteger();
      try (Batcher batcher = batcher(4, 20, new AtomicLong())) {
        batcher.submit(job(model, parts(4, 0), released));
        while (!model.mayRun.hasQueuedThreads()) {
          Thread.onSpinWait();
        }
        Job before = job(model, parts(2, 1, Float.MAX_VALUE), released);
        Job broken = job(model, parts(2, 3, 4, 5, bad, 7, 8), released);
        Job after = job(model, parts(2, -Float.MAX_VALUE, 10), released);
        for (Job job : List.of(before, broken, after)) {
          batcher.submit(job);
        }
        model.mayRun.release(100);

        assertThat(broken.outcome().get(30, TimeUnit.SECONDS))
            .isEqualTo(new Outcome.NotFinite(3, 0));
        assertThat(scores(before)).containsExactly(1, Float.MAX_VALUE);
        assertThat(scores(after)).containsExactly(-Float.MAX_VALUE, 10);
      }
      assertThat(model.batches).containsExactly(1, 4, 4, 2);
      assertThat(released).hasValue(4);
    }
  }
}
