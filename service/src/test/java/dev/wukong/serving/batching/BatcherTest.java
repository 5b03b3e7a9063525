package dev.wukong.serving.batching;

import static dev.wukong.serving.batching.Echo.FAR;
import static dev.wukong.serving.batching.Echo.MOST;
import static dev.wukong.serving.batching.Echo.batcher;
import static dev.wukong.serving.batching.Echo.job;
import static dev.wukong.serving.batching.Echo.parts;
import static dev.wukong.serving.batching.Echo.scores;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.serving.batching.Batcher.Submission;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class BatcherTest {
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
                  List<Echo.Values> parts = parts(maxRows, values);
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
  void works_closed_isTrueAsItWasAsked() {
    Batcher batcher = batcher(4, 8, new AtomicLong());
    batcher.close();
    assertThat(batcher.works()).isTrue();
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
