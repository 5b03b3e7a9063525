package dev.wukong.serving.embedding;

import java.util.List;

/** Some of a bundle's rows, spread over all of it, read when a store asks for them. */
@FunctionalInterface
public interface RowSample {
  /** Of a bundle of which nothing is known: it shares no rows with another. */
  RowSample NONE = List::of;

  /**
   * Rows of one width.
   *
   * @param keys ascending
   * @param rows [keys, width]
   */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  record Rows(int width, long[] keys, float[] rows) {}

  /** The rows, in any order. */
  List<Rows> rows();
}
