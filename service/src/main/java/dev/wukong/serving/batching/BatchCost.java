package dev.wukong.serving.batching;

import java.util.Arrays;

/**
 * What a batch costs by its rows: measured when the model is warmed, kept up to date by every run.
 * Any thread.
 */
public final class BatchCost {
  /** Sizes at which the cost is kept; between them it is interpolated. */
  private static final int SMALLEST = 8;

  /** Of two sizes whose cost a row differs by less than this share, the smaller is preferred. */
  private static final double SAME = 0.03;

  /** How fast the cost follows what is measured. */
  private static final double FOLLOW = 0.1;

  /** A single run says no more than this factor: it may have met a pause of the machine. */
  private static final double OUTLIER = 4;

  private final int[] sizes;

  /** By size: nanoseconds of a batch. Guarded by this. */
  private final double[] nanos;

  private volatile int preferred;

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
    nanos = new double[count];
    preferred = maxRows;
  }

  /** Costs as {@code before} has them, for a version whose graph is the same. */
  public static BatchCost like(BatchCost before) {
    BatchCost cost = new BatchCost(before.sizes[before.sizes.length - 1]);
    synchronized (before) {
      System.arraycopy(before.nanos, 0, cost.nanos, 0, cost.nanos.length);
    }
    cost.preferred = before.preferred;
    return cost;
  }

  /** The sizes to be measured, growing; the last is the largest batch. */
  public int[] sizes() {
    return sizes.clone();
  }

  /** Sets the costs that were measured at {@link #sizes}. */
  public synchronized void measured(double[] nanosBySize) {
    System.arraycopy(nanosBySize, 0, nanos, 0, nanos.length);
    choose();
  }

  /** A batch of {@code rows} took {@code took} nanoseconds. */
  public synchronized void record(int rows, long took) {
    int above = above(rows);
    double expected = expected(rows);
    if (expected <= 0) {
      return; // Nothing was measured: nothing says how the cost depends on the size.
    }
    double ratio = Math.clamp(took / expected, 1 / OUTLIER, OUTLIER);
    for (int i = 0; i < nanos.length; i++) {
      // The machine's speed moves all sizes; the sizes nearby move with what was measured there.
      double weight = i == above || i == above - 1 ? FOLLOW : FOLLOW / 2;
      // By powers: sums would let sizes that never run creep up for ever, since what is a little
      // slower and a little faster by turns cancels out in products alone.
      nanos[i] *= Math.pow(ratio, weight);
    }
    choose();
  }

  private synchronized void choose() {
    double least = Double.MAX_VALUE;
    for (int i = 0; i < sizes.length; i++) {
      least = Math.min(least, nanos[i] / sizes[i]);
    }
    if (least <= 0) {
      return;
    }
    int chosen = 0;
    while (nanos[chosen] / sizes[chosen] > least * (1 + SAME)) {
      chosen++;
    }
    preferred = sizes[chosen];
  }

  /** Rows of a batch beyond which a row gets no cheaper. */
  public int preferredRows() {
    return preferred;
  }

  /** Nanoseconds that a batch of {@code rows} is expected to take; 0 where nothing is known. */
  public synchronized long nanos(int rows) {
    return (long) expected(rows);
  }

  /** Nanoseconds a row in batches of the preferred size; 0 where nothing is known. */
  public double nanosPerRow() {
    int rows = preferred;
    return (double) nanos(rows) / rows;
  }

  /** The first size that holds {@code rows}; the last for more than that. */
  private int above(int rows) {
    int found = Arrays.binarySearch(sizes, rows);
    return Math.min(found >= 0 ? found : -found - 1, sizes.length - 1);
  }

  private synchronized double expected(int rows) {
    int above = above(rows);
    if (above == 0) {
      return nanos[0];
    }
    double share = (double) (rows - sizes[above - 1]) / (sizes[above] - sizes[above - 1]);
    return nanos[above - 1] + share * (nanos[above] - nanos[above - 1]);
  }
}
