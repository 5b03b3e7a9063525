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
 * offer and abandon; batch threads take.
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
   * Waits for the next batch; null once the queue is closed and empty. It never waits for more than
   * the first part: whoever is free takes what is there. The batch is the longest run of waiting
   * parts of one model that fits, whose rows still get cheaper by being together, and that ends
   * before the deadline of each of them as far as is known.
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
      return form();
    } finally {
      lock.unlock();
    }
  }

  private Batch form() {
    long now = clock.getAsLong();
    List<Part> parts = new ArrayList<>();
    List<Part> late = new ArrayList<>();
    int taken = 0;
    long left = Long.MAX_VALUE;
    while (!waiting.isEmpty()) {
      Part next = waiting.peek();
      long nextLeft = next.job().deadlineNanos() - now;
      if (!next.counted || nextLeft <= 0 || hopeless(next, nextLeft)) {
        late.add(next);
      } else if (parts.isEmpty()
          || joins(next, parts.getFirst(), taken, Math.min(left, nextLeft))) {
        parts.add(next);
        taken += next.candidates();
        left = Math.min(left, nextLeft);
      } else {
        break;
      }
      waiting.remove();
      if (next.counted) {
        next.counted = false;
        rows -= next.candidates();
      }
    }
    if (!waiting.isEmpty()) {
      changed.signal(); // For another thread that runs batches.
    }
    return new Batch(parts, taken, late);
  }

  /**
   * Whether {@code next} would miss its deadline even if it ran alone and now, while others wait
   * who may still be in time. One that nobody waits behind runs all the same, so that a cost that
   * is thought too high is corrected.
   */
  private boolean hopeless(Part next, long left) {
    return waiting.size() > 1 && left < next.job().model().cost().nanos(next.candidates());
  }

  private boolean joins(Part next, Part first, int taken, long left) {
    BatchModel model = first.job().model();
    int together = taken + next.candidates();
    return model.equals(next.job().model())
        && together <= policy.maxRows()
        && together <= first.job().mostRows()
        && model.cost().nanos(together) <= left;
  }
}
