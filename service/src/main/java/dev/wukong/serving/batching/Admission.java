package dev.wukong.serving.batching;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Decides at the door, before any work is done for a request, whether it will be answered in time.
 * Any thread.
 */
public final class Admission {
  /*
   * By Little's law a limit on what is in work is a limit on time: rows in work, times what a row
   * costs, is how long the newest of them waits. The cost a row is what batches are measured to
   * take, times a slowness: how long answers took by what was expected of them. So the limit
   * follows the machine: where decoding, the row store or a neighbour holds requests up, fewer are
   * let in. Each class of request may use a share of the time, so that the least important are
   * refused first and the most important last.
   *
   * A queue that lasts delays everybody and gains nothing: it is kept short. One that a pause has
   * left behind goes away by itself: as long as there was hardly any a moment ago, more may wait.
   */

  /** How many times longer requests may wait where no queue lasts. */
  private static final int BURST = 4;

  /** A wait of so much of what is allowed is no queue. */
  private static final double CALM = 0.125;

  /** How long a queue that lasts may be longer. */
  private static final long MOMENT_NANOS = 2_000_000_000L;

  /** The share of a call's time that may be planned with: the rest is for what was not foreseen. */
  private static final double PLANNED = 0.8;

  /**
   * How fast the slowness follows what is measured. By time, not by answers: all that a single
   * pause has held up come at once, and say the same.
   */
  private static final double FOLLOW_NANOS = 2e9;

  /** What one answer may change at most. */
  private static final double MOST = 0.2;

  private static final double SLOWEST = 16;

  /** What is too short to tell from the noise of a machine. */
  private static final double NOISE_NANOS = 1e6;

  /** Of requests that seem not to be possible at all, one in so many is tried all the same. */
  private static final int PROBE = 16;

  private final long maxWaitNanos;
  private final int runs;
  private final LongSupplier clock;
  private final AtomicInteger rows = new AtomicInteger();
  private final AtomicLong hopeless = new AtomicLong();

  /** Guarded by this for writing. */
  private volatile double slowness = 1;

  /** When the slowness was last changed. Guarded by this. */
  private long learned;

  /** When a request last found no queue; requests that race may each be the last. */
  private volatile long calm;

  /**
   * Nothing in work.
   *
   * @param maxWait how long requests may wait in a queue that lasts, whatever their deadlines
   * @param runs batches at the same time
   * @param clock nanoseconds, as of {@link System#nanoTime}
   */
  public Admission(Duration maxWait, int runs, LongSupplier clock) {
    this.maxWaitNanos = maxWait.toNanos();
    this.runs = runs;
    this.clock = clock;
    this.learned = clock.getAsLong();
    this.calm = learned;
  }

  /** What a request may be told. */
  public sealed interface Verdict {}

  /** It is in work until the ticket is closed. */
  public final class Admitted implements Verdict, AutoCloseable {
    private final int candidates;
    private final double expectedNanos;
    private final long began;

    private Admitted(int candidates, double expectedNanos, long began) {
      this.candidates = candidates;
      this.expectedNanos = expectedNanos;
      this.began = began;
    }

    /** Says that all candidates were scored, or that there was no time for it. */
    public void ended() {
      learn((clock.getAsLong() - began) / (expectedNanos + NOISE_NANOS));
    }

    @Override
    public void close() {
      rows.addAndGet(-candidates);
    }
  }

  /**
   * Too much is in work.
   *
   * @param waitNanos how long it would wait
   * @param allowedNanos how long one of its class and its deadline may
   */
  public record Busy(long waitNanos, long allowedNanos) implements Verdict {}

  /**
   * Its own candidates take longer than it has.
   *
   * @param ownNanos how long they take
   */
  public record Hopeless(long ownNanos) implements Verdict {}

  /**
   * Admits a request, or not.
   *
   * @param share of the allowed waiting time that requests of its class may use, more than 0 up to
   *     1
   * @param budgetNanos the time to its deadline
   * @param cost of its model
   */
  public Verdict admit(int candidates, double share, long budgetNanos, BatchCost cost) {
    long now = clock.getAsLong();
    double perRow = cost.nanosPerRow() / runs;
    int before = rows.getAndAdd(candidates);
    double slow = slowness;
    // As if its parts were spread evenly over the runs.
    double own = slow * candidates * perRow;
    double wait = slow * before * perRow;
    double headroom = Math.min(mostNanos(wait, now), PLANNED * budgetNanos - own);
    Verdict verdict;
    if (headroom < 0 && (before > 0 || hopeless.incrementAndGet() % PROBE != 0)) {
      verdict = new Hopeless((long) own);
    } else if (before > 0 && wait > share * headroom) {
      verdict = new Busy((long) wait, (long) (share * headroom));
    } else {
      return new Admitted(candidates, (before + candidates) * perRow, now);
    }
    rows.addAndGet(-candidates);
    return verdict;
  }

  /** How long requests may wait now, if one that comes now waits {@code wait}. */
  private double mostNanos(double wait, long now) {
    if (wait <= CALM * maxWaitNanos) {
      calm = now;
    }
    return now - calm <= MOMENT_NANOS ? (double) BURST * maxWaitNanos : maxWaitNanos;
  }

  private synchronized void learn(double ratio) {
    long now = clock.getAsLong();
    double weight = Math.min(MOST, (now - learned) / FOLLOW_NANOS);
    learned = now;
    slowness = Math.max(1, slowness + weight * (Math.clamp(ratio, 0, SLOWEST) - slowness));
  }

  /** Candidates in work: from admission to the answer. */
  public int rows() {
    return rows.get();
  }

  /** How long what comes now would wait, in nanoseconds; 0 while nothing is in work. */
  public double waitNanos(BatchCost cost) {
    return slowness * rows.get() * cost.nanosPerRow() / runs;
  }

  /** How long answers take, by what batches alone would make them take; at least 1. */
  public double slowness() {
    return slowness;
  }
}
