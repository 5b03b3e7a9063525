package dev.wukong.serving.cluster;

import java.io.IOException;
import java.util.function.IntUnaryOperator;

/** Knows how wide rows are. */
@FunctionalInterface
public interface RowWidths {
  /**
   * Of the rows of each table of version {@code bundle}.
   *
   * @throws IOException where the bundle cannot be read
   */
  IntUnaryOperator of(long bundle) throws IOException;
}
