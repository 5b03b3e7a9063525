package dev.wukong.serving.batching;

import dev.wukong.serving.batching.BatchQueue.Batch;
import dev.wukong.serving.batching.Job.Part;
import dev.wukong.serving.embedding.PreparedRows;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the batches of one model on a thread of its own, which never waits for anything but work.
 * Any thread may submit.
 *
 * <p>Every accepted job gets exactly one outcome. Closing runs what was accepted, then ends the
 * thread.
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
  private final BatchPolicy policy;
  private final LongSupplier clock;
  private final Timer queueTime;
  private final Timer runTime;
  private final DistributionSummary batchRows;
  private final Counter scoredRows;
  private final Counter lateRows;
  private final Thread thread;
  private volatile boolean closing;

  /**
   * Starts the thread.
   *
   * @param model the model's name, for metrics and logs
   * @param clock nanoseconds, as of {@link System#nanoTime}
   */
  public Batcher(String model, BatchPolicy policy, LongSupplier clock, MeterRegistry meters) {
    this.model = model;
    this.policy = policy;
    this.clock = clock;
    queue = new BatchQueue(policy, clock);
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
    Gauge.builder("wukong.batching.waiting", queue, BatchQueue::rows)
        .description("Candidates that wait for a batch")
        .tag("model", model)
        .register(meters);
    thread = Thread.ofPlatform().name("batch-" + model).start(this::work);
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

  /** The policy it works by. */
  public BatchPolicy policy() {
    return policy;
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
   * Says that nobody wants the outcome of {@code job}, which was accepted. What has not begun will
   * not.
   */
  public void abandon(Job job) {
    queue.abandon(job);
  }

  /** Whether it scores what is submitted; false where its thread has ended unasked. */
  public boolean works() {
    return closing || thread.isAlive();
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
      // Reached before it is closed only if something ends the thread that no batch is to blame
      // for: nobody may wait for an answer that will not come.
      queue.close();
      refuseRest();
    }
  }

  private void drop(List<Part> parts) {
    for (Part part : parts) {
      lateRows.increment(part.candidates());
      part.job().notScored(new Outcome.Late());
    }
  }

  private void run(Batch batch) {
    List<Part> parts = batch.parts();
    long formed = clock.getAsLong();
    int settled = 0;
    try {
      List<PreparedRows> prepared = parts.stream().map(Part::prepared).toList();
      BatchScores scores = parts.getFirst().job().model().run(prepared);
      long done = clock.getAsLong();
      int at = 0;
      for (Part part : parts) {
        queueTime.record(Math.max(0, formed - part.job().submittedNanos()), TimeUnit.NANOSECONDS);
        settled++;
        part.job().scored(part, scores, at, formed, done, batch.rows());
        at += part.candidates();
      }
      runTime.record(done - formed, TimeUnit.NANOSECONDS);
      batchRows.record(batch.rows());
      scoredRows.increment(batch.rows());
    } catch (RuntimeException | Error e) {
      // Also errors: a batch that found too little memory says nothing of the next one.
      log.error("model '{}': a batch of {} candidates failed", model, batch.rows(), e);
    } finally {
      fail(parts.subList(settled, parts.size()));
    }
  }

  private static void fail(List<Part> parts) {
    parts.forEach(part -> part.job().notScored(new Outcome.Failed()));
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

  /** Refuses new jobs, runs those accepted, and waits for the thread to end. */
  @Override
  public void close() {
    closing = true;
    queue.close();
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
