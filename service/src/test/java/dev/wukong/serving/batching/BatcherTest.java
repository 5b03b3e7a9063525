package dev.wukong.serving.batching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.serving.batching.Batcher.Submission;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class BatcherTest {
  private static final long FAR = Long.MAX_VALUE / 2;
  private static final int MOST = Integer.MAX_VALUE;

  /** Scores a candidate with the first number it carries, so that a mixed-up answer shows. */
  private static final class Echo implements BatchModel {
    private final List<Integer> batches = Collections.synchronizedList(new ArrayList<>());
    private final Semaphore mayRun;
    private final AtomicInteger candidates = new AtomicInteger();

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
  }

  /** A number a candidate; given back exactly once. */
  private static final class Values implements PartInputs {
    private final float[] values;
    private final AtomicBoolean back = new AtomicBoolean();

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

  private static List<Values> parts(int maxRows, float... values) {
    List<Values> parts = new ArrayList<>();
    for (int from = 0; from < values.length; from += maxRows) {
      int to = Math.min(values.length, from + maxRows);
      parts.add(new Values(Arrays.copyOfRange(values, from, to)));
    }
    return parts;
  }

  /** A job with all the time it wants, which counts the lease that it gives back. */
  private static Job job(BatchModel model, List<Values> parts, AtomicInteger released) {
    return new Job(model, parts, MOST, FAR, released::incrementAndGet);
  }

  private static Batcher batcher(int maxRows, int queueRows, AtomicLong now) {
    return batcher(maxRows, queueRows, now, 1);
  }

  private static Batcher batcher(int maxRows, int queueRows, AtomicLong now, int runs) {
    return new Batcher(
        "m",
        new BatchPolicy(maxRows, queueRows, Duration.ofSeconds(1), runs),
        now::get,
        now::get,
        new SimpleMeterRegistry());
  }

  private static float[] scores(Job job) throws Exception {
    Outcome outcome = job.outcome().get(30, TimeUnit.SECONDS);
    assertThat(outcome).isInstanceOf(Outcome.Scored.class);
    byte[] bytes = ((Outcome.Scored) outcome).probabilities();
    float[] scores = new float[bytes.length / 4];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(scores);
    return scores;
  }

  @RepeatedTest(value = 200, name = "seed {currentRepetition}")
  void submit_anySizesFromSeveralThreads_answersEachRequestExactlyOnceWithItsOwnScores(
      RepetitionInfo run) throws Exception {
    SplittableRandom random = new SplittableRandom(run.getCurrentRepetition());
    List<Integer> sizes = random.ints(random.nextInt(1, 41), 1, 31).boxed().toList();
    int maxRows = random.nextInt(1, 13);
    Echo model = new Echo(Integer.MAX_VALUE);
    AtomicInteger released = new AtomicInteger();
    AtomicInteger outcomes = new AtomicInteger();
    int runs = random.nextInt(1, 4);
    try (Batcher batcher = batcher(maxRows, 2000, new AtomicLong(), runs);
        ExecutorService callers = Executors.newFixedThreadPool(4)) {
      List<Future<?>> calls = new ArrayList<>();
      for (int r = 0; r < sizes.size(); r++) {
        int request = r;
        calls.add(
            callers.submit(
                () -> {
                  float[] values = new float[sizes.get(request)];
                  for (int i = 0; i < values.length; i++) {
                    values[i] = request * 100 + i;
                  }
                  List<Values> parts = parts(maxRows, values);
                  Job job = job(model, parts, released);
                  assertThat(batcher.submit(job)).isEqualTo(Submission.ACCEPTED);
                  assertThat(scores(job)).containsExactly(values);
                  assertThat(parts).allMatch(part -> part.back.get());
                  outcomes.incrementAndGet();
                  return null;
                }));
      }
      for (Future<?> call : calls) {
        call.get(30, TimeUnit.SECONDS);
      }
    }
    assertThat(outcomes).hasValue(sizes.size());
    assertThat(released).hasValue(sizes.size());
    assertThat(model.candidates).hasValue(sizes.stream().mapToInt(Integer::intValue).sum());
    assertThat(model.batches).allMatch(rows -> rows <= maxRows);
  }

  @Test
  void submit_moreThanTheQueueHolds_isRefusedAndItsLeaseGivenBack() throws Exception {
    Echo model = new Echo(0);
    AtomicInteger released = new AtomicInteger();
    try (Batcher batcher = batcher(4, 8, new AtomicLong())) {
      Job running = job(model, parts(4, 1, 2, 3, 4), released);
      batcher.submit(running);
      while (!model.mayRun.hasQueuedThreads()) {
        Thread.onSpinWait();
      }
      Job waiting = job(model, parts(4, 5, 6, 7, 8, 9, 10), released);
      assertThat(batcher.submit(waiting)).isEqualTo(Submission.ACCEPTED);
      Job tooMany = job(model, parts(4, 11, 12, 13), released);
      assertThat(batcher.submit(tooMany)).isEqualTo(Submission.FULL);
      assertThat(released).hasValue(1);
      Job fits = job(model, parts(4, 11, 12), released);
      assertThat(batcher.submit(fits)).isEqualTo(Submission.ACCEPTED);

      model.mayRun.release(100);
      assertThat(scores(running)).containsExactly(1, 2, 3, 4);
      assertThat(scores(waiting)).containsExactly(5, 6, 7, 8, 9, 10);
      assertThat(scores(fits)).containsExactly(11, 12);
    }
    assertThat(released).hasValue(4);
    assertThat(model.batches).containsExactly(4, 4, 4);
  }

  @Test
  void abandon_aWaitingJob_freesItsRoomAndIsNeverRun() throws Exception {
    Echo model = new Echo(0);
    AtomicInteger released = new AtomicInteger();
    try (Batcher batcher = batcher(4, 4, new AtomicLong())) {
      Job running = job(model, parts(4, 1), released);
      batcher.submit(running);
      while (!model.mayRun.hasQueuedThreads()) {
        Thread.onSpinWait();
      }
      Job gone = job(model, parts(4, 2, 3, 4, 5), released);
      batcher.submit(gone);
      batcher.abandon(gone);
      // At once, though the batch thread is busy: whoever waited holds nothing any longer.
      assertThat(gone.outcome().getNow(new Outcome.Failed())).isInstanceOf(Outcome.Late.class);
      Job next = job(model, parts(4, 6, 7, 8, 9), released);
      assertThat(batcher.submit(next)).isEqualTo(Submission.ACCEPTED);

      model.mayRun.release(100);
      assertThat(scores(next)).containsExactly(6, 7, 8, 9);
    }
    assertThat(model.candidates).hasValue(5);
    assertThat(released).hasValue(3);
  }

  @Test
  void submit_deadlineAlreadyPassed_isNotRun() throws Exception {
    Echo model = new Echo(100);
    AtomicLong now = new AtomicLong(1000);
    AtomicInteger released = new AtomicInteger();
    try (Batcher batcher = batcher(4, 4, now)) {
      Job late = new Job(model, parts(4, 1), MOST, 1000, released::incrementAndGet);
      batcher.submit(late);
      assertThat(late.outcome().get(30, TimeUnit.SECONDS)).isInstanceOf(Outcome.Late.class);
      Job inTime = new Job(model, parts(4, 2), MOST, 1001, released::incrementAndGet);
      batcher.submit(inTime);
      assertThat(scores(inTime)).containsExactly(2);
    }
    assertThat(model.candidates).hasValue(1);
    assertThat(released).hasValue(2);
  }

  @Test
  void submit_twoModels_neverShareABatch() throws Exception {
    Echo gate = new Echo(0);
    Echo one = new Echo(100);
    Echo two = new Echo(100);
    try (Batcher batcher = batcher(100, 100, new AtomicLong())) {
      batcher.submit(new Job(gate, parts(100, 0), MOST, FAR, () -> {}));
      List<Job> jobs = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        Job job = new Job(i % 3 == 2 ? two : one, parts(100, i), MOST, FAR, () -> {});
        jobs.add(job);
        batcher.submit(job);
      }
      gate.mayRun.release(100);
      for (int i = 0; i < 6; i++) {
        assertThat(scores(jobs.get(i))).containsExactly(i);
      }
    }
    assertThat(one.batches).containsExactly(2, 2);
    assertThat(two.batches).containsExactly(1, 1);
  }

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
  void works_closed_isTrueAsItWasAsked() {
    Batcher batcher = batcher(4, 8, new AtomicLong());
    batcher.close();
    assertThat(batcher.works()).isTrue();
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

  @Test
  void notFinite_anyFloats_findsTheFirst() {
    SplittableRandom random = new SplittableRandom(3);
    for (int run = 0; run < 20_000; run++) {
      int count = random.nextInt(1, 40);
      byte[] bytes = new byte[4 * count];
      ByteBuffer floats = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i < count; i++) {
        // Any bits, so that every kind of NaN and the largest numbers come up.
        int bits = random.nextInt();
        floats.putInt(random.nextInt(8) == 0 ? bits | 0x7F000000 : bits);
      }
      int from = random.nextInt(count);
      int expected = -1;
      for (int i = from; i < count && expected < 0; i++) {
        expected = Float.isFinite(floats.getFloat(4 * i)) ? -1 : i;
      }
      assertThat(FloatBytes.notFinite(bytes, from, count - from)).isEqualTo(expected);
    }
  }

  @Test
  void close_withWaitingJobs_runsThemAndRefusesNewOnes() throws Exception {
    Echo model = new Echo(0);
    Batcher batcher = batcher(1, 10, new AtomicLong());
    List<Job> jobs = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      jobs.add(new Job(model, parts(1, i), MOST, FAR, () -> {}));
      batcher.submit(jobs.get(i));
    }
    Thread closer = Thread.ofVirtual().start(batcher::close);
    // Closed by then, and only the end of the thread is waited for.
    while (closer.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    model.mayRun.release(100);
    closer.join();
    for (int i = 0; i < 10; i++) {
      assertThat(scores(jobs.get(i))).containsExactly(i);
    }
    assertThat(batcher.submit(new Job(model, parts(1, 1), MOST, FAR, () -> {})))
        .isEqualTo(Submission.CLOSED);
  }

  @Test
  void policy_queueSmallerThanABatch_isRefused() {
    assertThatThrownBy(() -> new BatchPolicy(10, 9, Duration.ofSeconds(1), 1))
        .hasMessage("queue-rows is 9, allowed is max-rows (10) or more");
  }
}
