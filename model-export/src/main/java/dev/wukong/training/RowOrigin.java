package dev.wukong.training;

import org.jspecify.annotations.Nullable;

/**
 * Where rows come from that training has not got: those that it meets for the first time, and those
 * that it has forgotten. The training thread's.
 */
public interface RowOrigin {
  /** Takes a row of those that were asked for. */
  @FunctionalInterface
  interface Receiver {
    /**
     * One row; the arrays are copied.
     *
     * @param i which of the keys
     * @param state of the optimizer; empty: none yet
     */
    void row(int i, float[] row, float[] state);
  }

  /**
   * Gives the rows of those of {@code keys} that have one.
   *
   * @param width of the rows
   * @param times how often each key is in the minibatch that wants them
   * @param create whether a key may get a row now; otherwise it is only read
   */
  void load(int width, long[] keys, int[] times, boolean create, Receiver rows);

  /**
   * The row that ids of a table without one read; null: the mean of those that training has.
   *
   * @param table its ordinal
   */
  float @Nullable [] defaultRow(int table);
}
