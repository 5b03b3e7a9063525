package dev.wukong.serving.batching;

import dev.wukong.serving.batching.Job.Part;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Parts waiting for a batch, in order of arrival, bounded by {@code queueRows}. Any thread may
 * offer and abandon; only the batch thread takes.
 */
final class BatchQueue {
  /** What {@link #offer} says. */
  enum Offer {
    ACCEPTED,
    FULL,
    CLOSED
  }

  /**
   * Parts of one model that run together, and parts that will never run.
   *
   * @param rows candidates in {@code parts}
   */
  record Batch(List<Part> parts, int rows, List<Part> late) {}

  private final BatchPolicy policy;
  private final LongSupplier clock;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final ArrayDeque<Part> waiting = new ArrayDeque<>();
  private int rows;
  private boolean closed;

  /**
   * @param clock nanoseconds, as of {@link System#nanoTime}
   */
  BatchQueue(BatchPolicy policy, LongSupplier clock) {
    this.policy = policy;
    this.clock = clock;
  }

  /** Adds all parts of {@code job}, or none. */
  Offer offer(Job job) {
    lock.lock();
    try {
      if (closed) {
        return Offer.CLOSED;
      }
      // Abandoned parts no longer count as rows but still take a place until the batch thread meets
      // them.
      if (job.candidates() > policy.queueRows() - rows
          || waiting.size() + job.parts().size() > 2L * policy.queueRows()) {
        return Offer.FULL;
      }
      job.submitted(clock.getAsLong());
      for (Part part : job.parts()) {
        part.counted = true;
        waiting.add(part);
      }
      rows += job.candidates();
      changed.signal();
      return Offer.ACCEPTED;
    } finally {
      lock.unlock();
    }
  }

  /** Frees the room of the job's parts that still wait; nobody wants their result. */
  void abandon(Job job) {
    lock.lock();
    try {
      for (Part part : job.parts()) {
        if (part.counted) {
          part.counted = false;
          rows -= part.candidates();
        }
      }
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Candidates that wait. */
  int rows() {
    lock.lock();
    try {
      return rows;
    } finally {
      lock.unlock();
    }
  }

  /** Refuses what comes from now on; what waits can still be taken. */
  void close() {
    lock.lock();
    try {
      closed = true;
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits for the next batch; null once the queue is closed and empty. The batch is the longest run
   * of waiting parts of one model that fits {@code maxRows}; with room left, others are waited for
   * as long as the first of them may.
   */
  @Nullable Batch take() throws InterruptedException {
    lock.lock();
    try {
      while (waiting.isEmpty()) {
        if (closed) {
          return null;
        }
        changed.await();
      }
      long left = firstMayWait();
      while (left > 0 && rows < policy.maxRows() && !closed) {
        left = Math.min(changed.awaitNanos(left), firstMayWait());
      }
      return form();
    } finally {
      lock.unlock();
    }
  }

  private long firstMayWait() {
    for (Part part : waiting) {
      if (part.counted) {
        return mayWait(
            policy.maxWait().toNanos(),
            part.job().submittedNanos(),
            part.job().deadlineNanos(),
            clock.getAsLong());
      }
    }
    return 0;
  }

  /**
   * How much longer a part waits for others; 0 or less: not at all. Its end does not move with
   * {@code now}, so that asking often does not make the wait longer. All in nanoseconds.
   */
  static long mayWait(long maxWait, long submitted, long deadline, long now) {
    // The other half of its time is for the run.
    return Math.min(maxWait, (deadline - submitted) / 2) - (now - submitted);
  }

  private Batch form() {
    long now = clock.getAsLong();
    List<Part> parts = new ArrayList<>();
    List<Part> late = new ArrayList<>();
    int taken = 0;
    while (!waiting.isEmpty()) {
      Part next = waiting.peek();
      if (!next.counted || now - next.job().deadlineNanos() >= 0) {
        late.add(next);
      } else if (taken + next.candidates() <= policy.maxRows()
          && (parts.isEmpty() || parts.getFirst().job().model().equals(next.job().model()))) {
        parts.add(next);
        taken += next.candidates();
      } else {
        break;
      }
      waiting.remove();
      if (next.counted) {
        next.counted = false;
        rows -= next.candidates();
      }
    }
    return new Batch(parts, taken, late);
  }
}
