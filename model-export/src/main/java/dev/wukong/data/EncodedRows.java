package dev.wukong.data;

/**
 * Rows of one scope with every value turned into an id or a number: what the feature encoder makes
 * from a file's columns and from a request's bytes alike. Row-major. The arrays may be longer than
 * the rows need, so that they can be used again; what lies beyond has no meaning.
 *
 * @param rows how many
 * @param ids [rows, positions]: the id, or {@link RowKey#NONE} where the position is unused. Used
 *     positions of a feature come first. A single-valued feature's position is always used ({@link
 *     RowKey#MISSING} for an absent value)
 * @param weights [rows, positions] where some feature of the scope is weighted (1 for the others'
 *     positions; 0 at unused positions of a weighted feature), else empty
 * @param dense [rows, denseWidth]: raw numbers, 0 where absent, and presence columns
 */
@SuppressWarnings("ArrayRecordComponent") // Rows of a batch, filled in place; never compared.
public record EncodedRows(int rows, long[] ids, float[] weights, float[] dense) {
  /** The first {@code count} rows of the same arrays. */
  public EncodedRows first(int count) {
    return new EncodedRows(count, ids, weights, dense);
  }
}
