package dev.wukong.serving.embedding;

import java.util.List;
import java.util.function.Supplier;

/**
 * Some of a bundle's rows, spread over all of it.
 *
 * @param all how many rows the bundle has
 * @param rows reads the sample, in any order; a store asks once, if at all
 */
public record RowSample(long all, Supplier<List<Rows>> rows) {
  /** Of a bundle of which nothing is known: it shares no rows with another. */
  public static final RowSample NONE = new RowSample(0, List::of);

  /**
   * Rows of one width.
   *
   * @param keys ascending
   * @param rows [keys, width]
   */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  public record Rows(int width, long[] keys, float[] rows) {}
}
