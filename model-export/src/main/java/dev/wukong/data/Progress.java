package dev.wukong.data;

/**
 * Hears how far a pass over data has come. Called by the reading thread for every row, so it must
 * return at once.
 */
@FunctionalInterface
public interface Progress {
  /** Hears nothing. */
  Progress NONE = rows -> {};

  /** {@code rows} rows are done. */
  void rows(long rows);
}
