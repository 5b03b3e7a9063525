package dev.wukong.serving.batching;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * Scores a candidate with the first number it carries, so that a mixed-up answer shows; and what
 * tests of {@link Batcher} begin with.
 */
final class Echo implements BatchModel {
  static final long FAR = Long.MAX_VALUE / 2;
  static final int MOST = Integer.MAX_VALUE;

  final List<Integer> batches = Collections.synchronizedList(new ArrayList<>());
  final Semaphore mayRun;
  final AtomicInteger candidates = new AtomicInteger();

  Echo(int permits) {
    mayRun = new Semaphore(permits);
  }

  @Override
  public int tasks() {
    return 1;
  }

  @Override
  public BatchCost cost() {
    return new BatchCost(1000);
  }

  @Override
  public void run(List<? extends PartInputs> parts, Consumer<BatchScores> to) {
    mayRun.acquireUninterruptibly();
    int rows = parts.stream().mapToInt(PartInputs::candidates).sum();
    batches.add(rows);
    candidates.addAndGet(rows);
    ByteBuffer scores = ByteBuffer.allocate(4 * rows).order(ByteOrder.LITTLE_ENDIAN);
    for (PartInputs part : parts) {
      for (float value : ((Values) part).values) {
        if (Float.isNaN(value)) {
          throw new IllegalStateException("told to fail");
        }
        scores.putFloat(value);
      }
    }
    to.accept(new BatchScores(scores.flip(), scores.duplicate()));
  }

  /** A number a candidate; given back exactly once. */
  static final class Values implements PartInputs {
    final float[] values;
    final AtomicBoolean back = new AtomicBoolean();

    Values(float[] values) {
      this.values = values;
    }

    @Override
    public int candidates() {
      return values.length;
    }

    @Override
    public void recycle() {
      assertThat(back.getAndSet(true)).isFalse();
    }
  }

  static List<Values> parts(int maxRows, float... values) {
    List<Values> parts = new ArrayList<>();
    for (int from = 0; from < values.length; from += maxRows) {
      int to = Math.min(values.length, from + maxRows);
      parts.add(new Values(Arrays.copyOfRange(values, from, to)));
    }
    return parts;
  }

  /** A job with all the time it wants, which counts the lease that it gives back. */
  static Job job(BatchModel model, List<Values> parts, AtomicInteger released) {
    return new Job(model, parts, MOST, FAR, released::incrementAndGet);
  }

  static Batcher batcher(int maxRows, int queueRows, AtomicLong now) {
    return batcher(maxRows, queueRows, now, 1);
  }

  static Batcher batcher(int maxRows, int queueRows, AtomicLong now, int runs) {
    return new Batcher(
        "m",
        new BatchPolicy(maxRows, queueRows, Duration.ofSeconds(1), runs),
        now::get,
        now::get,
        new SimpleMeterRegistry());
  }

  static float[] scores(Job job) throws Exception {
    Outcome outcome = job.outcome().get(30, TimeUnit.SECONDS);
    assertThat(outcome).isInstanceOf(Outcome.Scored.class);
    byte[] bytes = ((Outcome.Scored) outcome).probabilities();
    float[] scores = new float[bytes.length / 4];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(scores);
    return scores;
  }
}
