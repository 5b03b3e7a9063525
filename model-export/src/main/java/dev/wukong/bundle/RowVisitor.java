package dev.wukong.bundle;

import java.nio.FloatBuffer;

/** Takes the rows of a table one by one. */
@FunctionalInterface
public interface RowVisitor {
  /**
   * Takes one row.
   *
   * @param row the row's floats from position to limit, read-only, valid during the call
   */
  void row(long id, FloatBuffer row);
}
