package dev.wukong.serving.batching;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The candidates of one request, cut into parts that each fit a batch. Its outcome is there once
 * all parts are settled; only then is the lease of its model given back. A part is settled by the
 * batch thread that took it, and its inputs are given back then.
 */
public final class Job {
  /** A run of candidates that goes into one batch. */
  static final class Part {
    private final Job job;
    private final PartInputs inputs;
    private final int from;

    /** Whether its candidates count among those that wait. Guarded by the queue's lock. */
    boolean counted;

    private Part(Job job, PartInputs inputs, int from) {
      this.job = job;
      this.inputs = inputs;
      this.from = from;
    }

    Job job() {
      return job;
    }

    PartInputs inputs() {
      return inputs;
    }

    int candidates() {
      return inputs.candidates();
    }
  }

  private final BatchModel model;
  private final int mostRows;
  private final Runnable release;
  private final long deadlineNanos;
  private final List<Part> parts = new ArrayList<>();
  private final int candidates;
  private final byte[] probabilities;
  private final byte[] logits;
  private final AtomicInteger unsettled;
  private final AtomicReference<@Nullable Outcome> failure = new AtomicReference<>();
  private final CompletableFuture<Outcome> outcome = new CompletableFuture<>();
  private long submittedNanos;

  // Of parts that several threads may score at once. Guarded by this.
  private long queueNanos;
  private long runNanos;
  private int batchRows;

  /**
   * A job of consecutive parts.
   *
   * @param mostRows others join a part of it up to so many rows a batch
   * @param release called once, when the model is no longer needed
   * @param deadlineNanos on the batcher's clock; parts that have not begun by then are not run
   */
  public Job(
      BatchModel model,
      List<? extends PartInputs> inputs,
      int mostRows,
      long deadlineNanos,
      Runnable release) {
    this.model = model;
    this.mostRows = mostRows;
    this.release = release;
    this.deadlineNanos = deadlineNanos;
    int from = 0;
    for (PartInputs part : inputs) {
      parts.add(new Part(this, part, from));
      from = Math.addExact(from, part.candidates());
    }
    candidates = from;
    probabilities = new byte[Math.multiplyExact(candidates, model.tasks() * Float.BYTES)];
    logits = new byte[probabilities.length];
    unsettled = new AtomicInteger(parts.size());
  }

  BatchModel model() {
    return model;
  }

  int mostRows() {
    return mostRows;
  }

  List<Part> parts() {
    return parts;
  }

  int candidates() {
    return candidates;
  }

  long deadlineNanos() {
    return deadlineNanos;
  }

  /** Completes when all parts are settled or it is abandoned; never exceptionally. */
  public CompletableFuture<Outcome> outcome() {
    return outcome;
  }

  /** Nobody wants the outcome; its parts are settled when a batch thread meets them. */
  void abandoned() {
    outcome.complete(new Outcome.Late());
  }

  void submitted(long nowNanos) {
    submittedNanos = nowNanos;
  }

  long submittedNanos() {
    return submittedNanos;
  }

  /**
   * Takes the scores of {@code part}, which are the batch's from candidate {@code at} on. Results
   * that are not finite fail this job, not others of the batch.
   */
  void scored(
      Part part, BatchScores scores, int at, long formedNanos, long doneNanos, int rowsInBatch) {
    boolean taken = false;
    try {
      take(part, scores, at);
      synchronized (this) {
        queueNanos = Math.max(queueNanos, formedNanos - submittedNanos);
        runNanos += doneNanos - formedNanos;
        batchRows = rowsInBatch;
      }
      taken = true;
    } finally {
      // Whatever the scores were: a part that is not settled would be waited for.
      if (!taken) {
        failure.compareAndSet(null, new Outcome.Failed());
      }
      settle(part);
    }
  }

  private void take(Part part, BatchScores scores, int at) {
    int stride = model.tasks() * Float.BYTES;
    copy(
        scores.probabilities(),
        at * stride,
        probabilities,
        part.from * stride,
        part.candidates() * stride);
    copy(scores.logits(), at * stride, logits, part.from * stride, part.candidates() * stride);
    int first = part.from * model.tasks();
    int count = part.candidates() * model.tasks();
    int bad = FloatBytes.notFinite(probabilities, first, count);
    if (bad < 0) {
      bad = FloatBytes.notFinite(logits, first, count);
    }
    if (bad >= 0) {
      failure.compareAndSet(null, new Outcome.NotFinite(bad / model.tasks(), bad % model.tasks()));
    }
  }

  /** Settles {@code part}, which will not be scored. */
  void notScored(Part part, Outcome why) {
    failure.compareAndSet(null, why);
    settle(part);
  }

  /** Gives the inputs and the lease back without a run. */
  void refused() {
    parts.forEach(part -> part.inputs.recycle());
    release.run();
  }

  private void settle(Part part) {
    part.inputs.recycle();
    if (unsettled.decrementAndGet() == 0) {
      try {
        release.run();
      } finally {
        Outcome failed = failure.get();
        outcome.complete(failed == null ? scored() : failed);
      }
    }
  }

  private synchronized Outcome scored() {
    return new Outcome.Scored(probabilities, logits, queueNanos, runNanos, batchRows);
  }

  private static void copy(ByteBuffer from, int at, byte[] to, int offset, int length) {
    from.get(at, to, offset, length);
  }
}
