package dev.wukong.serving.batching;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What a batch costs by its rows: measured when the model is warmed, kept up to date by every run.
 * Any thread.
 */
public final class BatchCost {
  /*
   * Three things move what a batch takes: how fast the machine works, how much longer it takes
   * because others use the processor too, both of which are the same for all sizes, and how the
   * work depends on the size. Nearly all batches are of the preferred size, and those say only how
   * fast the machine is: taken for that size's own cost, a slow minute would make it look dear
   * beside sizes that did not run, until one of those is preferred that is truly dearer. How the
   * work depends on the size is learned from trials: now and then a request is batched at the size
   * below or above, and its work says what the size costs beside the preferred one. Work, not time:
   * pauses are as long for a short batch as for a long one, but meet few short ones, which would
   * look cheap for that.
   */

  /** Sizes at which the cost is kept; between them it is interpolated. */
  private static final int SMALLEST = 8;

  /** Of two sizes whose cost a row differs by less than this share, the smaller is preferred. */
  private static final double SAME = 0.01;

  /** How fast the cost follows what is measured. */
  private static final double FOLLOW = 0.1;

  /** A single run says no more than this factor: it may have met a pause of the machine. */
  private static final double OUTLIER = 4;

  /** How fast a size follows its trials: they are few, and what one says is mostly noise. */
  private static final double FOLLOW_TRIAL = 0.05;

  /** What a single trial says at most. */
  private static final double OUTLIER_TRIAL = 1.5;

  /** Of so many requests, one is batched at a size that is not the preferred one. */
  private static final int TRIAL = 32;

  private final int[] sizes;

  /** By size: nanoseconds of work in a batch. Guarded by this. */
  private final double[] work;

  /** Nanoseconds that a batch takes for one of its work. Guarded by this. */
  private double delay = 1;

  /** The place of the preferred size in {@code sizes}. */
  private volatile int preferred;

  private final AtomicLong requests = new AtomicLong();

  /**
   * Unknown costs: every batch costs nothing, and the largest is preferred.
   *
   * @param maxRows candidates of the largest batch
   */
  public BatchCost(int maxRows) {
    int count = 1;
    while ((long) SMALLEST << (count - 1) < maxRows) {
      count++;
    }
    sizes = new int[count];
    for (int i = 0; i < count; i++) {
      sizes[i] = (int) Math.min(maxRows, (long) SMALLEST << i);
    }
    work = new double[count];
    preferred = count - 1;
  }

  /** Costs as {@code before} has them, for a version whose graph is the same. */
  public static BatchCost like(BatchCost before) {
    BatchCost cost = new BatchCost(before.sizes[before.sizes.length - 1]);
    synchronized (before) {
      System.arraycopy(before.work, 0, cost.work, 0, cost.work.length);
      cost.delay = before.delay;
    }
    cost.preferred = before.preferred;
    return cost;
  }

  /** The sizes to be measured, growing; the last is the largest batch. */
  public int[] sizes() {
    return sizes.clone();
  }

  /** Sets the costs that were measured at {@link #sizes}, on a thread that nothing held up. */
  public synchronized void measured(double[] nanosBySize) {
    System.arraycopy(nanosBySize, 0, work, 0, work.length);
    delay = 1;
    choose();
  }

  /**
   * A batch of {@code rows} took {@code took} nanoseconds.
   *
   * @param most what {@link #nextRows} said to its first request
   * @param worked nanoseconds of it that were work
   */
  public synchronized void record(int rows, int most, long took, long worked) {
    double expected = expected(rows);
    if (expected <= 0) {
      return; // Nothing was measured: nothing says how the cost depends on the size.
    }
    // By powers: sums would let what rarely runs creep up for ever, since what is a little slower
    // and a little faster by turns cancels out in products alone.
    double ratio = Math.max(1, worked) / expected;
    int size = nearest(rows);
    if (size != preferred && most == sizes[size]) {
      work[size] *= Math.pow(Math.clamp(ratio, 1 / OUTLIER_TRIAL, OUTLIER_TRIAL), FOLLOW_TRIAL);
    } else {
      double speed = Math.pow(Math.clamp(ratio, 1 / OUTLIER, OUTLIER), FOLLOW);
      for (int i = 0; i < work.length; i++) {
        work[i] *= speed;
      }
    }
    double delayed = Math.max(1, took) / (delay * Math.max(1, worked));
    delay *= Math.pow(Math.clamp(delayed, 1 / OUTLIER, OUTLIER), FOLLOW);
    choose();
  }

  /** The place of the size that {@code rows} are nearest to, by their ratio. */
  private int nearest(int rows) {
    int above = above(rows);
    boolean below = above > 0 && (double) rows * rows < (double) sizes[above] * sizes[above - 1];
    return below ? above - 1 : above;
  }

  private synchronized void choose() {
    double least = Double.MAX_VALUE;
    for (int i = 0; i < sizes.length; i++) {
      least = Math.min(least, work[i] / sizes[i]);
    }
    if (least <= 0) {
      return;
    }
    int chosen = 0;
    while (work[chosen] / sizes[chosen] > least * (1 + SAME)) {
      chosen++;
    }
    preferred = chosen;
  }

  /** Rows of a batch beyond which a row gets no cheaper. */
  public int preferredRows() {
    return sizes[preferred];
  }

  /**
   * Rows of the batches that the next request is cut for and joins: nearly always {@link
   * #preferredRows}, now and then the size below or above it, so that what those cost stays known.
   */
  public int nextRows() {
    int usual = preferred;
    long request = requests.incrementAndGet();
    if (request % TRIAL != 0 || nanosPerRow() <= 0) {
      return sizes[usual];
    }
    int trial = request / TRIAL % 2 == 0 ? usual + 1 : usual - 1;
    return sizes[Math.clamp(trial, 0, sizes.length - 1)];
  }

  /** Nanoseconds that a batch of {@code rows} is expected to take; 0 where nothing is known. */
  public synchronized long nanos(int rows) {
    return (long) (delay * expected(rows));
  }

  /** Nanoseconds a row in batches of the preferred size; 0 where nothing is known. */
  public double nanosPerRow() {
    int rows = preferredRows();
    return (double) nanos(rows) / rows;
  }

  /** The first size that holds {@code rows}; the last for more than that. */
  private int above(int rows) {
    int found = Arrays.binarySearch(sizes, rows);
    return Math.min(found >= 0 ? found : -found - 1, sizes.length - 1);
  }

  /** Nanoseconds of work. */
  private synchronized double expected(int rows) {
    int above = above(rows);
    if (above == 0) {
      return work[0];
    }
    double share = (double) (rows - sizes[above - 1]) / (sizes[above] - sizes[above - 1]);
    return work[above - 1] + share * (work[above] - work[above - 1]);
  }
}
