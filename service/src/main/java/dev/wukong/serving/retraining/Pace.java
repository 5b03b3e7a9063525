package dev.wukong.serving.retraining;

import dev.wukong.serving.batching.Batcher;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * Has training rest between two pieces of its work, so that requests find a processor. When
 * something is learned depends on it, what is learned does not. The training thread's.
 */
final class Pace {
  /*
   * The thread's priority alone decides who runs when both want the same core. But it says nothing
   * of the rest that they share: caches, memory, the collector of what training leaves behind, and
   * a core that is slower while the one beside it works. So while requests are answered, training
   * takes a share of the time at most, and nothing while requests queue: a queue says that there
   * is no processor to spare. Both are waits in proportion to the work before, so that however
   * many requests come, training goes on at a rate that can be told.
   */

  /** Less work than this is not worth a pause: threads wake up some hundredths of this late. */
  private static final long PIECE_NANOS = 1_000_000;

  /** While requests queue it waits this often, to look whether they still do. */
  private static final long LOOK_NANOS = 500_000;

  /** While requests queue all the time, training has so much of the share that is its otherwise. */
  private static final double LEAST = 0.2;

  /** The longest wait, whatever was done before: operators may want something. */
  private static final long MOST_NANOS = 1_000_000_000;

  /** What requests want. */
  interface Requests {
    /** Candidates in work, from admission to the answer. */
    int inWork();

    /** Candidates of these that wait for a batch. */
    int waiting();

    /** Those to a model. */
    static Requests to(Batcher batcher) {
      return new Requests() {
        @Override
        public int inWork() {
          return batcher.admission().rows();
        }

        @Override
        public int waiting() {
          return batcher.waiting();
        }
      };
    }
  }

  private final double share;
  private final LongSupplier nanos;
  private final LongSupplier work;
  private final Timer paced;
  private long beganNanos;
  private long beganWork;

  /** As the other; the work is the processor time of the thread that calls. */
  static Pace ofThread(String model, double share, LongSupplier nanos, MeterRegistry registry) {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    boolean counted = threads.isCurrentThreadCpuTimeSupported();
    return new Pace(
        model, share, nanos, counted ? threads::getCurrentThreadCpuTime : nanos, registry);
  }

  /**
   * A pace.
   *
   * @param share of one processor's time that training takes at most while requests are answered;
   *     1: it never waits
   * @param nanos as {@link System#nanoTime}
   * @param work nanoseconds that the calling thread has worked
   */
  Pace(String model, double share, LongSupplier nanos, LongSupplier work, MeterRegistry registry) {
    this.share = share;
    this.nanos = nanos;
    this.work = work;
    this.paced =
        Timer.builder("wukong.online.paced")
            .description("Waits of training that leave the processor to requests")
            .tag("model", model)
            .register(registry);
  }

  /** Work begins; what was before does not count. */
  void begin() {
    beganNanos = nanos.getAsLong();
    beganWork = work.getAsLong();
  }

  /** Between two pieces of work: waits for as long as requests have a right to. */
  void rest(Requests requests) {
    if (share >= 1 || nanos.getAsLong() - beganNanos < PIECE_NANOS) {
      return;
    }
    long worked = Math.max(0, work.getAsLong() - beganWork);
    long from = nanos.getAsLong();
    long most = from + MOST_NANOS;
    long usual = Math.min(most, beganNanos + (long) (worked / share));
    long last = Math.min(most, beganNanos + (long) (worked / (share * LEAST)));
    long now = from;
    while (requests.waiting() > 0 ? now < last : now < usual && requests.inWork() > 0) {
      LockSupport.parkNanos(Math.min(LOOK_NANOS, last - now));
      now = nanos.getAsLong();
    }
    if (now > from) {
      paced.record(now - from, TimeUnit.NANOSECONDS);
    }
    begin();
  }
}
