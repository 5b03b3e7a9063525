package dev.wukong.ranker;

/** What a graph is built for. */
public enum Mode {
  /**
   * Dropout is absent, batch normalization uses the running statistics, contexts are shared by
   * candidates.
   */
  PREDICT,
  /**
   * Dropout masks are inputs, batch normalization uses the batch, each example brings its own
   * context row.
   */
  TRAIN
}
