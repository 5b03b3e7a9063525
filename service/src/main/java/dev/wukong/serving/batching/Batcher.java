package dev.wukong.serving.batching;

import dev.wukong.serving.batching.BatchQueue.Batch;
import dev.wukong.serving.batching.Job.Part;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the batches of one model on threads of its own, which never wait for anything but work. Any
 * thread may submit.
 *
 * <p>Every accepted job gets exactly one outcome. Closing runs what was accepted, then ends the
 * threads.
 */
public final class Batcher implements AutoCloseable {
  /** What became of a submission. */
  public enum Submission {
    ACCEPTED,
    /** Too many candidates wait; the job's lease has been given back. */
    FULL,
    /** The batcher is closed; the job's lease has been given back. */
    CLOSED
  }

  private static final Logger log = LoggerFactory.getLogger(Batcher.class);

  private final String model;
  private final BatchQueue queue;
  private final Admission admission;
  private final BatchPolicy policy;
  private final LongSupplier clock;
  private final LongSupplier work;
  private final Timer queueTime;
  private final Timer runTime;
  private final DistributionSummary batchRows;
  private final Counter scoredRows;
  private final Counter lateRows;
  private final List<Thread> threads;
  private volatile boolean closing;

  /**
   * Starts the threads.
   *
   * @param model the model's name, for metrics and logs
   * @param clock nanoseconds, as of {@link System#nanoTime}
   * @param work nanoseconds that the calling thread has worked
   */
  public Batcher(
      String model,
      BatchPolicy policy,
      LongSupplier clock,
      LongSupplier work,
      MeterRegistry meters) {
    this.model = model;
    this.policy = policy;
    this.clock = clock;
    this.work = work;
    queue = new BatchQueue(policy, clock);
    admission = new Admission(policy.maxWait(), policy.runs(), clock);
    queueTime =
        timer("wukong.batching.queue", "From submission to the forming of the batch", meters);
    runTime =
        timer("wukong.batching.run", "Gathering a batch's rows and running the graph", meters);
    batchRows =
        DistributionSummary.builder("wukong.batching.rows")
            .description("Candidates a batch")
            .tag("model", model)
            .register(meters);
    scoredRows =
        Counter.builder("wukong.batching.candidates")
            .tag("model", model)
            .tag("outcome", "scored")
            .register(meters);
    lateRows =
        Counter.builder("wukong.batching.candidates")
            .tag("model", model)
            .tag("outcome", "dropped")
            .register(meters);
    Gauge.builder("wukong.batching.admitted", admission, Admission::rows)
        .description("Candidates in work, from admission to the answer")
        .tag("model", model)
        .register(meters);
    Gauge.builder("wukong.batching.slowness", admission, Admission::slowness)
        .description("How long answers take, by what their batches alone would take")
        .tag("model", model)
        .register(meters);
    Gauge.builder("wukong.batching.waiting", queue, BatchQueue::rows)
        .description("Candidates that wait for a batch")
        .tag("model", model)
        .register(meters);
    threads =
        IntStream.range(0, policy.runs())
            .mapToObj(
                i -> Thread.ofPlatform().name("batch-%s-%d".formatted(model, i)).start(this::work))
            .toList();
  }

  private Timer timer(String name, String description, MeterRegistry meters) {
    return Timer.builder(name)
        .description(description)
        .tag("model", model)
        .publishPercentileHistogram()
        .minimumExpectedValue(Duration.ofNanos(50_000))
        .maximumExpectedValue(Duration.ofSeconds(10))
        .register(meters);
  }

  /** The door of its requests. */
  public Admission admission() {
    return admission;
  }

  /** The policy it works by. */
  public BatchPolicy policy() {
    return policy;
  }

  /** Candidates that wait for a batch. */
  public int waiting() {
    return queue.rows();
  }

  /** Queues {@code job}, all its parts or none. */
  public Submission submit(Job job) {
    return switch (queue.offer(job)) {
      case ACCEPTED -> Submission.ACCEPTED;
      case FULL -> {
        job.refused();
        yield Submission.FULL;
      }
      case CLOSED -> {
        job.refused();
        yield Submission.CLOSED;
      }
    };
  }

  /**
   * Says that nobody wants the outcome of {@code job}, which was accepted: it is late at once. What
   * has not begun will not.
   */
  public void abandon(Job job) {
    queue.abandon(job);
    job.abandoned();
  }

  /** Whether it scores what is submitted; false where a thread of its has ended unasked. */
  public boolean works() {
    return closing || threads.stream().allMatch(Thread::isAlive);
  }

  private void work() {
    try {
      for (Batch batch = queue.take(); batch != null; batch = queue.take()) {
        drop(batch.late());
        if (!batch.parts().isEmpty()) {
          run(batch);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      // Reached before it is closed only if something ends a thread that no batch is to blame for:
      // nobody may wait for an answer that will not come.
      queue.close();
      refuseRest();
    }
  }

  private void drop(List<Part> parts) {
    for (Part part : parts) {
      lateRows.increment(part.candidates());
    }
    settle(parts, new Outcome.Late());
  }

  /** One part that cannot be settled says nothing of the others, nor of the next batch. */
  private void settle(List<Part> parts, Outcome outcome) {
    for (Part part : parts) {
      try {
        part.job().notScored(part, outcome);
      } catch (RuntimeException | Error e) {
        log.error("model '{}': what a request held could not be given back", model, e);
      }
    }
  }

  private void run(Batch batch) {
    List<Part> parts = batch.parts();
    Running running = new Running(batch);
    try {
      List<PartInputs> inputs = new ArrayList<>(parts.size());
      for (Part part : parts) {
        inputs.add(part.inputs());
      }
      BatchModel model = parts.getFirst().job().model();
      model.run(inputs, scores -> settle(running, scores));
    } catch (RuntimeException | Error e) {
      // Also errors: a batch that found too little memory says nothing of the next one.
      log.error("model '{}': a batch of {} candidates failed", this.model, batch.rows(), e);
    } finally {
      fail(parts.subList(running.settled, parts.size()));
    }
  }

  /** A batch from when it is formed; on the batch thread that took it. */
  private final class Running {
    final Batch batch;
    final long formed = clock.getAsLong();
    final long workedBefore = work.getAsLong();

    /** How many of its parts have their outcome. */
    int settled;

    Running(Batch batch) {
      this.batch = batch;
    }
  }

  private void settle(Running running, BatchScores scores) {
    Batch batch = running.batch;
    long formed = running.formed;
    long done = clock.getAsLong();
    long worked = work.getAsLong() - running.workedBefore;
    Job first = batch.parts().getFirst().job();
    first.model().cost().record(batch.rows(), first.mostRows(), done - formed, worked);
    // Before anybody is answered: who then looks finds it counted.
    runTime.record(done - formed, TimeUnit.NANOSECONDS);
    batchRows.record(batch.rows());
    scoredRows.increment(batch.rows());
    int at = 0;
    for (Part part : batch.parts()) {
      queueTime.record(Math.max(0, formed - part.job().submittedNanos()), TimeUnit.NANOSECONDS);
      running.settled++;
      int candidates = part.candidates(); // Its inputs are somebody else's once it is settled.
      part.job().scored(part, scores, at, formed, done, batch.rows());
      at += candidates;
    }
  }

  private void fail(List<Part> parts) {
    settle(parts, new Outcome.Failed());
  }

  private void refuseRest() {
    try {
      for (Batch rest = queue.take(); rest != null; rest = queue.take()) {
        drop(rest.late());
        fail(rest.parts());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Refuses new jobs, runs those accepted, and waits for the threads to end. */
  @Override
  public void close() {
    closing = true;
    queue.close();
    boolean interrupted = false;
    for (Thread thread : threads) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
