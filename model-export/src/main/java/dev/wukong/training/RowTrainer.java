package dev.wukong.training;

import dev.wukong.data.EncodedExamples;
import java.nio.FloatBuffer;
import java.util.List;

/**
 * Embedding rows in training: which rows a minibatch sees, and how they follow their gradients.
 * Owned by the training thread.
 */
sealed interface RowTrainer extends BatchRows permits WholeTableRows, TouchedRows {
  /**
   * Finds the rows of {@code batch}.
   *
   * @param create whether rows never seen are made; otherwise they read as their table's
   *     {@linkplain MeanRows mean}
   */
  void bind(EncodedExamples batch, boolean create);

  /** Forgets the gradients of the last step. */
  void clearGradients();

  /** Adds the gradients of one lookup, [positions, d]. */
  void add(int group, int[] slots, int positions, Floats gradients);

  /** Completes the gradients (regularization) and gives the sum of their squares. */
  double finishGradients();

  /** One optimizer step with the gradients multiplied by {@code scale}. */
  void update(double scale, double rate, long step);

  /**
   * Writes slot {@code slot} of the optimizer's state of the rows in {@link #rows} to {@code to},
   * in their order: [size, d], or [size, 1] for row-wise AdaGrad. That of the padding row is zero.
   */
  void state(int group, int slot, FloatBuffer to);

  /**
   * Takes over what a step elsewhere made of the rows in {@link #rows} and of their state, in their
   * order; the padding row is left as it is.
   */
  void take(int group, FloatBuffer rows, List<FloatBuffer> state);

  /** How many rows each table has, by its ordinal. */
  long[] counts();

  /** Calls {@code visitor} with every row of every table, by table and ascending id. */
  void forEach(RowVisitor visitor);

  /** Puts back a row and its state, as {@link #forEach} gave them. */
  void restore(int table, long id, float[] row, float[] state);

  /** Sees a row; the arrays are reused. */
  interface RowVisitor {
    /**
     * One row.
     *
     * @param state the optimizer's floats: none for gradient descent, m then v for Adam, one for
     *     row-wise AdaGrad
     */
    void row(int table, long id, float[] row, float[] state);
  }
}
