package dev.wukong.serving.events;

import dev.wukong.data.EncodedRows;
import dev.wukong.data.FeatureEncoder;
import dev.wukong.data.Scope;

/**
 * What a row of a scope has: tells which part of arrays that may be longer is in use.
 *
 * @param positions ids of a row
 * @param weighted whether each id has a weight
 * @param denseWidth numbers of a row
 */
public record RowShape(int positions, boolean weighted, int denseWidth) {
  /** Of the rows of {@code scope} that {@code encoder} makes. */
  public static RowShape of(FeatureEncoder encoder, Scope scope) {
    return new RowShape(
        encoder.positions(scope), encoder.weighted(scope), encoder.denseWidth(scope));
  }

  /**
   * Of rows whose arrays are no longer than these rows need.
   *
   * @throws IllegalArgumentException if one is
   */
  static RowShape ofExact(EncodedRows rows) {
    if (rows.rows() == 0) {
      return new RowShape(0, false, 0);
    }
    RowShape shape =
        new RowShape(
            rows.ids().length / rows.rows(),
            rows.weights().length > 0,
            rows.dense().length / rows.rows());
    int ids = rows.rows() * shape.positions;
    if (ids != rows.ids().length
        || rows.weights().length != (shape.weighted ? ids : 0)
        || rows.rows() * shape.denseWidth != rows.dense().length) {
      throw new IllegalArgumentException(
          "%d rows have %d ids, %d weights and %d numbers: not the same for each row"
              .formatted(
                  rows.rows(), rows.ids().length, rows.weights().length, rows.dense().length));
    }
    return shape;
  }
}
